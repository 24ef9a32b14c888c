"""The values of a choice, each at its own best, against every order counted out by hand."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.helpers.five_parameters import DELTA, KIND, RATE, compute_rate_position, draw_trials
from thalweg.reporting.analysis.isolation import ValueGroup, chance_all_lost, compare_values, group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.samples import SeedNoise, expected_best


def build_group(label: str, tries: Any) -> ValueGroup:
    ordered = np.sort(np.asarray(tries, np.float64))
    return ValueGroup(label, pd.DataFrame(), ordered, float(ordered[0]), 0)


def test_values_compare_at_equal_counts() -> None:
    rng = np.random.default_rng(0)
    result = compare_values(
        [build_group("often", rng.normal(1, 0.1, 40)), build_group("rarely", [1.0, 1.1])], SeedNoise(0.03, 20)
    )
    assert result is not None
    (comparison,) = result[1]
    assert comparison.equal_count == 2
    assert comparison.verdict == "tie"
    assert comparison.difference == pytest.approx(1.0 - expected_best(result[0].costs, 2))
    # the plain difference would have been beyond noise
    assert 1.0 - result[0].costs[0] > SeedNoise(0.03, 20).least_significant_difference


def test_chance_all_lost_by_enumeration() -> None:
    states = ["pruned"] * 4 + ["complete"] * 3
    groups = [
        ValueGroup(name, pd.DataFrame({"state": part}), np.zeros(len(part)), None, None)
        for name, part in (("a", states[:2]), ("b", states[2:]))
    ]
    ways = list(combinations(range(7), 4))
    assert chance_all_lost(groups, groups[0]) == pytest.approx(sum({0, 1} <= set(way) for way in ways) / len(ways))


def test_isolation_false_positive_rate(build_study: Callable[..., StudyTables]) -> None:
    """Trials differ by far more than the noise of a seed, but not by kind: no more than 5 % say that kind matters."""
    studies, false = 120, 0
    for seed in range(studies):
        trials = draw_trials(48, seed)
        values = 1 + (compute_rate_position(trials) - 0.5) ** 2 + np.random.default_rng(seed).exponential(0.3, 48)
        result = compare_values(group_trials_by_value(build_study(trials, values), KIND), SeedNoise(0.001, 20))
        assert result is not None
        false += any(comparison.verdict == "worse" for comparison in result[1])
    assert false <= binom.ppf(0.995, studies, 0.05)


def test_bins_use_search_scale(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(60)
    groups = group_trials_by_value(build_study(trials, np.ones(60)), replace(RATE, role="scientific"))
    assert [group.label for group in groups][:2] == ["0.0001 to 0.00046", "0.00046 to 0.0022"]
    assert sum(len(group.costs) for group in groups) == 60
    assert groups[0].trials["rate"].max() <= 10 ** (-4 + 4 / 6)
    integer_groups = group_trials_by_value(
        build_study(trials, np.ones(60)), SearchedParameter("layers", 1, 5, whole=True)
    )
    assert [group.label for group in integer_groups] == ["1", "2", "3", "4", "5"]
    (delta,) = [group_trials_by_value(build_study(trials, np.ones(60)), DELTA)]
    assert sum(len(group.costs) for group in delta) == (trials["kind"] == "huber").sum()
