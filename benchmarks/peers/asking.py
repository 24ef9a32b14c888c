"""The case in Optuna: search space, fixed trials, pruner."""

from collections.abc import Callable
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


def list_errors(study: optuna.Study) -> list[float | None]:
    """List each trial's least error, also of a pruned one up to its stop; None if it reported none."""
    return [min(trial.intermediate_values.values(), default=None) for trial in study.trials]


def train_winner(
    study: optuna.Study, train: Callable[[optuna.trial.FixedTrial, int], float], seeds: int
) -> list[float]:
    """Train the best trial's values with other seeds, by `train(trial, seed)`, without pruning."""
    winner = optuna.trial.FixedTrial(study.best_params)
    return [train(winner, seed) for seed in range(1, seeds + 1)]


def suggest_values(trial: optuna.trial.BaseTrial) -> dict[str, Any]:
    """Suggest a trial's values."""
    return {
        "loss": trial.suggest_categorical("loss", case.LOSSES),
        "learning_rate": trial.suggest_float("learning_rate", *case.RATE, log=True),
        "momentum": trial.suggest_float("momentum", *case.MOMENTUM),
    }


def build_halving() -> optuna.pruners.BasePruner:
    """Return Optuna's successive halving with the rungs of the case. Optuna's examples use the median pruner."""
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=case.FIRST, reduction_factor=case.ETA)
