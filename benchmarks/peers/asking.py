"""The case in Optuna: search space, fixed trials, pruner."""

from typing import Any

import optuna

from benchmarks import case


def create_study(is_pruned: bool, pruner: optuna.pruners.BasePruner, number: int, **more: Any) -> optuna.Study:
    """Create a study with TPE and pruning, or with fixed trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=0)
    if is_pruned:
        sampler = optuna.samplers.TPESampler(seed=0)
    study_pruner = pruner if is_pruned else optuna.pruners.NopPruner()
    study = optuna.create_study(direction="minimize", sampler=sampler, pruner=study_pruner, **more)
    for values in () if is_pruned else case.draw_trials(number):
        study.enqueue_trial(values)
    return study


def suggest_values(trial: optuna.Trial) -> dict[str, Any]:
    """Suggest a trial's values."""
    return {
        "loss": trial.suggest_categorical("loss", case.LOSSES),
        "learning_rate": trial.suggest_float("learning_rate", *case.RATE, log=True),
        "momentum": trial.suggest_float("momentum", *case.MOMENTUM),
    }


def build_halving() -> optuna.pruners.BasePruner:
    """Return Optuna's successive halving with the rungs of the case. Optuna's examples use the median pruner."""
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=case.FIRST, reduction_factor=case.ETA)
