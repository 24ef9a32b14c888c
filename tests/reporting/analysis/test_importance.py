"""Which parameters mattered, against studies in which that is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from tests.helpers.five_parameters import (
    KIND,
    LAYERS,
    MOMENTUM,
    RATE,
    SPACE,
    build_importance,
    compute_rate_position,
    draw_trials,
    rank_parameters,
)
from thalweg.reporting.analysis import importance as ranked
from thalweg.reporting.analysis.importance import find_thirds
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


def test_effect_matters_or_is_small_or_neither() -> None:
    sure = build_importance("rate", 0.5, chance=0.04)
    assert (sure.is_important, sure.is_minor) == (True, False)
    unsure = build_importance("rate", 0.5, chance=0.06)
    assert (unsure.is_important, unsure.is_minor) == (False, False)
    # surely above 0, and surely below the smallest effect that counts
    small = build_importance("rate", 0.01, bound=0.09)
    assert (small.is_important, small.is_minor) == (False, True)
    assert not replace(small, smallest_effect=None).is_minor


def test_levels_are_described() -> None:
    none = pd.Series(dtype=float)
    assert [ranked.describe_level(RATE, level, none) for level in range(3)] == [
        "0.0001 to 0.0022", "0.0022 to 0.046", "0.046 to 1"
    ]  # fmt: skip
    assert [ranked.describe_level(LAYERS, level, none) for level in range(3)] == ["1 to 3", "4 to 6", "7 to 9"]
    assert ranked.describe_level(KIND, 1, none) == "l2"
    narrow = replace(MOMENTUM, low=0.99, high=0.999)
    assert [ranked.describe_level(narrow, level, none) for level in (0, 2)] == ["0.99 to 0.993", "0.996 to 0.999"]


def test_values_are_located() -> None:
    located = ranked.locate_values(RATE, pd.Series([1e-4, 1e-2, 1.0, np.nan]))
    np.testing.assert_allclose(located, [0, 0.5, 1, np.nan])
    # the numbers that round to 1 are the first ninth of the range
    np.testing.assert_allclose(ranked.locate_values(LAYERS, pd.Series([1, 5, 9])), [1 / 18, 0.5, 17 / 18])
    np.testing.assert_allclose(ranked.locate_values(KIND, pd.Series(["huber", None, "l1"])), [2, np.nan, 0])
    (*_, delta) = ranked.build_dimensions(SPACE, pd.DataFrame({name.name: [] for name in SPACE}))
    assert delta.conditions == {3: frozenset({2})}


def test_conditional_parameter_uses_its_trials(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(300, 1)
    active = trials["kind"] == "huber"
    tables = build_study(
        trials, np.where(active, 1 + (np.log10(trials["delta"]) - 0.5).abs(), 1.5 + compute_rate_position(trials) / 10)
    )
    (delta,) = (parameter for parameter in rank_parameters(tables).parameters if parameter.name == "delta")
    assert delta.trials == active.sum()
    assert delta.is_important
    # of the huber trials alone all are alike: that these are the best says nothing of their delta
    alike = build_study(trials, np.where(active, 1.0, 2.0) + np.random.default_rng(0).normal(0, 0.05, 300))
    names = {parameter.name: parameter.is_important for parameter in rank_parameters(alike).parameters}
    assert names["kind"]
    assert not names["delta"]


def test_diverged_trials_count_as_worst(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(120, 4)
    wild = compute_rate_position(trials) > 0.6
    trials["state"] = np.where(wild, "diverged", "complete")
    values = 1 + np.random.default_rng(0).normal(0, 0.01, 120)
    ranking = rank_parameters(build_study(trials, np.where(wild, np.nan, values)))
    assert ranking.trial_count == 120
    assert ranking.worst_value == pytest.approx(values[~wild].max())
    assert ranking.parameters[0].name == "rate"
    assert ranking.parameters[0].is_important
    assert ranking.parameters[0].worst == "0.046 to 1"


def test_smallest_effect_decides_what_is_small(
    build_study: Callable[..., StudyTables], counting_study: StudyTables
) -> None:
    trials = draw_trials(60)
    values = 1 + np.random.default_rng(0).normal(0, 0.01, 60)

    def list_minor(smallest: float | None, noise: float | None) -> list[str]:
        params = {**counting_study.params, "study": {**counting_study.params["study"], "smallest_effect": smallest}}
        ranking = rank_parameters(build_study(trials, values, noise=noise, params=params))
        return [importance.name for importance in ranking.parameters if importance.is_minor]

    assert list_minor(None, None) == []
    assert {"rate", "momentum", "layers", "kind"} <= set(list_minor(1.0, None))
    assert list_minor(1e-6, 0.05) == []
    assert {"rate", "momentum", "layers", "kind"} <= set(list_minor(None, 0.05))


@pytest.mark.slow
def test_importance_false_positive_rate(build_study: Callable[..., StudyTables]) -> None:
    """Over studies of nothing but noise, no more than 5 % name a parameter that mattered, within this test's error."""
    studies, false = 80, 0
    for seed in range(studies):
        values = 1 + np.random.default_rng(1000 + seed).normal(0, 0.1, 48)
        false += bool(rank_parameters(build_study(draw_trials(48, seed), values)).important_parameters)
    assert false <= binom.ppf(0.995, studies, 0.05)


def draw_learned_trials(count: int, seed: int) -> pd.DataFrame:
    """Trials as a sampler that learns draws them: the last third all near what was good, in whatever was drawn then."""
    rng, trials = np.random.default_rng(seed), draw_trials(count, seed)
    late = trials["number"] >= 2 * count // 3
    trials.loc[late, "rate"] = 10 ** (4 * np.clip(rng.normal(0.5, 0.08, late.sum()), 0, 1) - 4)
    trials.loc[late, "momentum"] = np.clip(rng.normal(rng.uniform(0.2, 0.8), 0.08, late.sum()), 0, 0.99)
    return trials


@pytest.mark.slow
def test_correlated_parameter_gets_no_credit(build_study: Callable[..., StudyTables]) -> None:
    """The best trials are late ones, so their momentum differs from all others'; but by chance that this is so."""
    counts = {"rate": 0, "momentum": 0}
    for seed in range(20):
        trials = draw_learned_trials(96, seed)
        noise = np.random.default_rng(seed).normal(0, 0.01, 96)
        ranking = rank_parameters(build_study(trials, 1 + (compute_rate_position(trials) - 0.5) ** 2 + noise))
        for name in counts:
            counts[name] += ranking.has_important(name)
    assert counts["rate"] >= 18
    assert counts["momentum"] <= binom.ppf(0.995, 20, 0.05)


@pytest.mark.parametrize(
    ("high", "log", "thirds"),
    [
        (2, False, [(1, 1), (1, 2), (2, 2)]),
        (9, False, [(1, 3), (4, 6), (7, 9)]),
        (300, True, [(1, 4), (5, 35), (36, 300)]),
    ],
)
def test_thirds_of_whole_numbers(high: int, log: bool, thirds: list[tuple[int, int]]) -> None:
    assert find_thirds(SearchedParameter("cycles", low=1, high=high, log=log, whole=True)) == thirds
