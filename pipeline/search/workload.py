"""How much a study trains, known before it begins."""

import math
from collections.abc import Iterator

from thalweg.config import settings
from thalweg.config.experiment import Config
from thalweg.search.cohorts import Rules
from thalweg.search.study import build_rules


def count_trained_trials(config: Config) -> int:
    """Count the trials that train; in a study of planned settings with paired seeds, later ones only repeat them."""
    planned = len(settings.list_planned_settings(config)) if config.study.randomness == "paired" else 0
    return planned or config.study.trials


def estimate_trial_epochs(config: Config, folds: int) -> float:
    """Estimate the epochs of a trial, the sum over its lanes and the mean over trials, if none diverges."""
    rules = build_rules(config)
    lanes = settings.count_trial_seeds(config) * folds
    cohort_epochs = [estimate_cohort_epochs(rules, rungs) for rungs in rules.brackets]
    return lanes * sum(cohort_epochs) / len(cohort_epochs) / rules.cohort_size


def estimate_cohort_epochs(rules: Rules, rungs: tuple[int, ...]) -> float:
    """Estimate the epochs of a cohort's trials with one lane each, if none diverges."""
    return sum(trials * epochs for trials, epochs in list_rung_work(rules, rungs))


def list_rung_work(rules: Rules, rungs: tuple[int, ...]) -> Iterator[tuple[float, int]]:
    """Yield for each rung the trials of a cohort that train to it, a mean, and the epochs since the rung before."""
    alive, audited, reached = rules.cohort_size, 0.0, 0
    for rung in rungs:
        yield alive + audited, rung - reached
        survivors = math.ceil(alive / rules.eta)
        audited += (alive - survivors) * rules.audit
        alive, reached = survivors, rung
