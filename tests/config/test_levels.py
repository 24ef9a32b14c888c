"""Levels of what a study asks about: how a parameter is divided, and how trials are shared out."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.config import levels
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.config.study import ParameterConfig

RATE, KIND, MOMENTUM = "optimizer.learning_rate", "loss.terms.count.kind", "optimizer.momentum"
CHOICES = {"choices": ["l1", "l2", "huber"], "role": "scientific"}
RANGE: dict[str, Any] = {"low": 0.001, "high": 1.0, "log": True}


def ask(config: Config, trials: int, space: dict[str, Any], **study: Any) -> Config:
    values = {f"study.{name}": value for name, value in study.items()}
    return config.replace_values({"study.cohort": 1, "study.trials": trials, "study.space": space, KIND: "l1"} | values)


@pytest.mark.parametrize(
    ("parameter", "ends"),
    [
        ({"low": 0.0, "high": 3.0}, [(0, 1), (1, 2), (2, 3)]),
        ({"low": 0.001, "high": 1.0, "log": True}, [(0.001, 0.01), (0.01, 0.1), (0.1, 1.0)]),
        ({"low": 1, "high": 7, "whole": True}, [(1, 2), (3, 4), (5, 7)]),
        ({"low": 1, "high": 2, "whole": True}, [(1, 1), (2, 2)]),
    ],
)
def test_range_is_divided_into_thirds(parameter: dict[str, Any], ends: list[tuple[float, float]]) -> None:
    divided = levels.divide_parameter(ParameterConfig(**parameter))
    assert [level.range for level in divided] == [pytest.approx(pair) for pair in ends]


def test_choices_are_levels() -> None:
    divided = levels.divide_parameter(ParameterConfig(choices=("a", None, 3)))
    assert [level.choices for level in divided] == [("a",), (None,), (3,)]


@given(st.floats(0.001, 1.0))
def test_each_value_has_a_level(value: float) -> None:
    parameter = ParameterConfig(**RANGE)
    assert levels.divide_parameter(parameter)[levels.find_level(parameter, value)].has_value(value)


@pytest.mark.parametrize("trials", [7, 24, 47])
def test_levels_share_trials_evenly(config: Config, trials: int) -> None:
    asked = ask(config, trials, {KIND: CHOICES, MOMENTUM: {"low": 0.0, "high": 0.9, "role": "scientific"}, RATE: RANGE})
    assigned = levels.assign_levels(asked)
    assert len(assigned) == trials
    for name in (KIND, MOMENTUM):
        counts = Counter(trial[name] for trial in assigned)
        assert len(counts) == 3
        assert max(counts.values()) - min(counts.values()) <= 1
    crossed = Counter((trial[KIND], trial[MOMENTUM]) for trial in assigned)
    assert trials < 24 or len(crossed) == 9  # one parameter's order does not follow the other's


def test_first_trials_count(config: Config) -> None:
    """The file's own value and enqueued ones are given; later trials even out the numbers."""
    enqueued = [{KIND: "huber", RATE: 0.1}, {KIND: "huber", RATE: 0.2}, {RATE: 0.3}]
    assigned = levels.assign_levels(ask(config, 9, {KIND: CHOICES, RATE: RANGE}, enqueue=enqueued))
    assert [trial[KIND] for trial in assigned[:3]] == [0, 2, 2]
    assert Counter(trial[KIND] for trial in assigned) == {0: 3, 1: 3, 2: 3}


def test_trials_that_switch_a_parameter_off_do_not_count(config: Config) -> None:
    """Its levels share the trials of the choice that uses it."""
    delta = {"low": 0.0, "high": 3.0, "role": "scientific", "when": {KIND: "huber"}}
    assigned = levels.assign_levels(ask(config, 47, {KIND: CHOICES, "loss.terms.count.delta": delta, RATE: RANGE}))
    counts = Counter(trial.get("loss.terms.count.delta") for trial in assigned[1:] if trial[KIND] == 2)
    assert sum(counts.values()) in (15, 16)
    assert set(counts) == {0, 1, 2}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert all("loss.terms.count.delta" not in trial for trial in assigned if trial[KIND] != 2)


def test_planned_study_has_no_levels(config: Config) -> None:
    assert levels.list_scientific(ask(config, 3, {KIND: CHOICES})) == []
    assert levels.list_scientific(ask(config, 3, {KIND: CHOICES, RATE: RANGE})) != []
    assert levels.list_scientific(ask(config, 3, {RATE: RANGE})) == []


def test_trials_are_grouped_by_level(config: Config) -> None:
    delta = {"low": 0.0, "high": 3.0, "role": "scientific", "when": {KIND: "huber"}}
    asked = ask(config, 9, {KIND: CHOICES, "loss.terms.count.delta": delta, RATE: RANGE})
    trials: dict[int, Setting] = {4: {KIND: "l2"}, 2: {KIND: "huber", "loss.terms.count.delta": 2.5}, 7: {KIND: "l2"}}
    assert levels.group_by_level(asked, trials) == {
        KIND: {0: [], 1: [4, 7], 2: [2]},
        "loss.terms.count.delta": {0: [], 1: [], 2: [2]},
    }
