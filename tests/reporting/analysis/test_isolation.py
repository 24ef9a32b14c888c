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
from thalweg.reporting.analysis.isolation import ValueGroup, compute_chance_of_loss, group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


def build_groups(*parts: list[str]) -> list[ValueGroup]:
    return [ValueGroup(str(i), pd.DataFrame({"state": part}), np.zeros(len(part)), None, None)
            for i, part in enumerate(parts)]  # fmt: skip


def set_sampler(tables: StudyTables, sampler: str) -> StudyTables:
    return replace(tables, params={**tables.params, "study": {**tables.params["study"], "sampler": sampler}})


def test_chance_of_loss_by_enumeration(build_study: Callable[..., StudyTables]) -> None:
    tables = build_study(draw_trials(7), np.ones(7))
    tpe, grid = set_sampler(tables, "tpe"), set_sampler(tables, "grid")
    groups = build_groups(["diverged"] * 2, ["diverged"] + ["pruned"] + ["complete"] * 3)
    ways = {count: list(combinations(range(7), count)) for count in (3, 4)}
    chances = {count: np.mean([{0, 1} <= set(way) for way in chosen]) for count, chosen in ways.items()}
    # a grid compares all trials at a rung, so a stopped one has lost, too
    assert compute_chance_of_loss(tpe, groups, groups[0]) == pytest.approx(chances[3])
    assert compute_chance_of_loss(grid, groups, groups[0]) == pytest.approx(chances[4])
    assert compute_chance_of_loss(replace(tpe, is_space_exhausted=True), groups, groups[0]) == pytest.approx(chances[4])
    # of a value whose last trial was stopped among its own, one trial failed
    mixed = build_groups(["diverged", "pruned"], ["diverged"] * 2 + ["complete"] * 3)
    share = np.mean([bool({0, 1} & set(way)) for way in ways[3]])
    assert compute_chance_of_loss(tpe, mixed, mixed[0]) == pytest.approx(share)


def test_trials_stopped_in_other_levels_hide_no_loss(build_study: Callable[..., StudyTables]) -> None:
    groups = build_groups(["diverged"] * 12, *[["pruned"] * 8 + ["complete"] * 4] * 2)
    tables = build_study(draw_trials(36), np.ones(36))
    assert compute_chance_of_loss(set_sampler(tables, "grid"), groups, groups[0]) == pytest.approx(0.0243, abs=1e-4)
    assert compute_chance_of_loss(set_sampler(tables, "tpe"), groups, groups[0]) < 1e-8


@pytest.mark.parametrize(
    ("parameter", "labels"),
    [
        (SearchedParameter("rate", 1e-4, 1.0, log=True), ["0.0001 to 0.0022", "0.0022 to 0.046", "0.046 to 1"]),
        (SearchedParameter("momentum", 0.0, 0.99), ["0 to 0.33", "0.33 to 0.66", "0.66 to 0.99"]),
        (SearchedParameter("momentum", 0.99, 0.999), ["0.99 to 0.993", "0.993 to 0.996", "0.996 to 0.999"]),
        (SearchedParameter("layers", 1, 9, whole=True), ["1 to 3", "4 to 6", "7 to 9"]),
        (SearchedParameter("layers", 1, 2, whole=True), ["1", "2"]),
    ],
)
def test_levels_are_those_of_the_search(
    build_study: Callable[..., StudyTables], parameter: SearchedParameter, labels: list[str]
) -> None:
    """The report groups trials as the study balanced them."""
    trials = draw_trials(60)
    if parameter.low == 0.99:
        trials["momentum"] = 0.99 + trials["momentum"] / 110
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
