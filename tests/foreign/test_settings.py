"""Trials of one setting."""

import pytest

from thalweg.foreign.settings import group_settings
from thalweg.foreign.study import ForeignStudy, ForeignTrial, Objective, State
from thalweg.reporting.parameter import SearchedParameter

SPACE = (SearchedParameter("x", 0.0, 1.0),)


def group(*trials: ForeignTrial) -> list[tuple[int, list[int], tuple[float, ...]]]:
    study = ForeignStudy("s", "here", (Objective("loss", "min"),), SPACE, trials)
    return [(each.first.number, [t.number for t in each.counted], each.values) for each in group_settings(study)]


def build(
    number: int, x: float | None, value: float | None = None, seed: object = None, state: State = "complete"
) -> ForeignTrial:
    return ForeignTrial(number, state, () if value is None else (value,), {} if x is None else {"x": x}, seed)


def test_equal_values_without_seeds_are_copies() -> None:
    assert group(build(0, 0.5, 2.0), build(1, 0.5, 2.0), build(2, 0.6, 4.0)) == [(0, [0], (2.0,)), (2, [2], (4.0,))]


def test_other_values_without_seeds_are_repeats() -> None:
    assert group(build(0, 0.5, 2.0), build(1, 0.5, 4.0), build(2, 0.5, 4.0)) == [(0, [0, 1, 2], (10 / 3,))]


def test_each_seed_counts_once() -> None:
    trials = [build(number, 0.5, float(number), seed) for number, seed in enumerate([7, 7, 8])]
    assert group(*trials) == [(0, [0, 2], (1.0,))]


def test_seeds_may_give_equal_values() -> None:
    assert group(build(0, 0.5, 2.0, 1), build(1, 0.5, 2.0, 2)) == [(0, [0, 1], (2.0,))]


@pytest.mark.parametrize(("state", "first"), [("failed", 1), ("pruned", 0)])
def test_worst_end_of_a_setting_counts(state: State, first: int) -> None:
    assert group(build(0, 0.5, 2.0), build(1, 0.5, state=state))[0][0] == first


def test_unfinished_trials_do_not_count() -> None:
    assert group(build(0, 0.5, state="running"), build(1, 0.5, state="waiting")) == []


def test_trials_that_failed_before_they_drew_are_apart() -> None:
    assert [each[0] for each in group(build(0, None, state="failed"), build(1, None, state="failed"))] == [0, 1]
