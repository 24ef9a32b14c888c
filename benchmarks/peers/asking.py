"""The case in Optuna: search space, fixed trials, pruner."""

from typing import Any

import optuna

from benchmarks import case


def study(asked_prune: bool, pruner: optuna.pruners.BasePruner, number: int, **more: Any) -> optuna.Study:
    """Create a study with TPE and pruning, or with fixed trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=0)
    if asked_prune:
        sampler = optuna.samplers.TPESampler(seed=0)
    chosen = pruner if asked_prune else optuna.pruners.NopPruner()
    made = optuna.create_study(direction="minimize", sampler=sampler, pruner=chosen, **more)
    for values in () if asked_prune else case.trials(number):
        made.enqueue_trial(values)
    return made


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """Suggest a trial's values."""
    return {
        "loss": trial.suggest_categorical("loss", case.LOSSES),
        "learning_rate": trial.suggest_float("learning_rate", *case.RATE, log=True),
        "momentum": trial.suggest_float("momentum", *case.MOMENTUM),
    }


def halving() -> optuna.pruners.BasePruner:
    """Return Optuna's successive halving with the rungs of the case. Optuna's examples use the median pruner."""
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=case.FIRST, reduction_factor=case.ETA)
