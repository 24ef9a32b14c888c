"""How much a study trains."""

from typing import Any

import pytest

from thalweg.config.experiment import Config
from thalweg.search.cohorts import Rules
from thalweg.search.workload import count_trained_trials, estimate_cohort_epochs, estimate_trial_epochs, list_rung_work

LEARNING_RATE = {"optimizer.learning_rate": {"choices": [0.01, 0.1]}}


@pytest.mark.parametrize(
    ("rungs", "audit", "epochs"),
    [
        ((16,), 0.0, 9 * 16),
        ((1, 4), 0.0, 9 * 1 + 3 * 3),  # a third goes on
        ((1, 3, 9), 0.0, 9 * 1 + 3 * 2 + 1 * 6),
        ((1, 4), 0.5, 9 * 1 + (3 + 3) * 3),  # half of the six stopped ones, too
    ],
)
def test_cohort(rungs: tuple[int, ...], audit: float, epochs: float) -> None:
    assert estimate_cohort_epochs(Rules(9, 9, (rungs,), eta=3, audit=audit), rungs) == epochs


def test_rungs() -> None:
    """Nine trials train to the first rung; of the six that stop there, three train on."""
    assert list(list_rung_work(Rules(9, 9, ((1, 4),), eta=3, audit=0.5), (1, 4))) == [(9, 1), (6, 3)]


@pytest.mark.parametrize(
    ("values", "folds", "epochs"),
    [({}, 1, 3), ({"study.seeds": 2}, 3, 18), ({"study.prune": {"first": 1, "eta": 4, "audit": 0.0}}, 1, 1.5)],
)
def test_trial(config: Config, values: dict[str, Any], folds: int, epochs: float) -> None:
    assert estimate_trial_epochs(config.replace_values(values), folds) == epochs  # 3 epochs, cohorts of 4


def test_repeats_are_not_trained(config: Config) -> None:
    assert count_trained_trials(config) == 8
    assert count_trained_trials(config.replace_values({"study.space": LEARNING_RATE})) < 8
