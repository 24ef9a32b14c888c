"""The trials of each level of a parameter, and the chance that all of a level are lost."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tests.helpers.five_parameters import DELTA, RATE, draw_trials
from thalweg.config.levels import divide_parameter, find_level
from thalweg.config.study import ParameterConfig
from thalweg.reporting.analysis.isolation import ValueGroup, chance_all_lost, group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


def test_chance_all_lost_by_enumeration() -> None:
    states = ["pruned"] * 4 + ["complete"] * 3
    groups = [
        ValueGroup(name, pd.DataFrame({"state": part}), np.zeros(len(part)), None, None)
        for name, part in (("a", states[:2]), ("b", states[2:]))
    ]
    ways = list(combinations(range(7), 4))
    assert chance_all_lost(groups, groups[0]) == pytest.approx(sum({0, 1} <= set(way) for way in ways) / len(ways))


@pytest.mark.parametrize(
    ("parameter", "labels"),
    [
        (SearchedParameter("rate", 1e-4, 1.0, log=True), ["0.0001 to 0.0022", "0.0022 to 0.046", "0.046 to 1"]),
        (SearchedParameter("momentum", 0.0, 0.99), ["0 to 0.33", "0.33 to 0.66", "0.66 to 0.99"]),
        (SearchedParameter("layers", 1, 9, whole=True), ["1 to 3", "4 to 6", "7 to 9"]),
        (SearchedParameter("layers", 1, 2, whole=True), ["1", "2"]),
    ],
)
def test_levels_are_those_of_the_search(
    build_study: Callable[..., StudyTables], parameter: SearchedParameter, labels: list[str]
) -> None:
    """The report groups trials as the study balanced them."""
    trials = draw_trials(60)
    if parameter.high == 2:
        trials["layers"] = 1 + trials["layers"] % 2
    groups = group_trials_by_value(build_study(trials, np.ones(60)), parameter)
    assert [group.label for group in groups] == labels
    searched = ParameterConfig(low=parameter.low, high=parameter.high, log=parameter.log, whole=parameter.whole)
    assert len(divide_parameter(searched)) == len(groups)
    for level, group in enumerate(groups):
        assert {find_level(searched, value) for value in group.trials[parameter.name]} <= {level}
    assert sum(len(group.costs) for group in groups) == 60


def test_unused_parameter_is_in_no_level(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(60)
    groups = group_trials_by_value(build_study(trials, np.ones(60)), replace(DELTA, role="scientific"))
    assert sum(len(group.costs) for group in groups) == (trials["kind"] == "huber").sum()
    ends = pd.Series([RATE.low, RATE.high, RATE.value_at(1 / 3)])
    ends_study = build_study(draw_trials(3).assign(rate=ends), np.ones(3))
    assert [len(group.costs) for group in group_trials_by_value(ends_study, RATE)] == [2, 0, 1]
