"""Effects of parameters, against functions whose means over a space are known."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, chi2

from thalweg.stats import effects
from thalweg.stats.effects import (
    ALPHA,
    Effect,
    adjust_chances,
    compute_chance_of_equals,
    estimate_effects,
    limit_costs,
)
from thalweg.stats.level_measures import Dimension
from thalweg.stats.response_surface import MeanPosterior, Measures

Floats = NDArray[np.float64]
SPACE = [Dimension(), Dimension(), Dimension(3)]
NOISE = 0.05


def draw_points(count: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.random((count, 2)), rng.integers(0, 3, count)])


def estimate(points: Floats, truth: Floats, seed: int = 0) -> list[Effect]:
    return estimate_effects(SPACE, points, truth + np.random.default_rng(seed).normal(0, NOISE, len(points)))


def test_costs_far_above_are_cut() -> None:
    # quartiles 2 and 4, so the fence is at 4 + 10 * 2
    assert limit_costs(np.array([1.0, 2.0, 3.0, 4.0, 1e9])).tolist() == [1, 2, 3, 4, 4]
    assert limit_costs(np.array([1.0, 2.0, 3.0, 4.0, 20.0])).tolist() == [1, 2, 3, 4, 20]
    assert limit_costs(np.array([np.nan, 1.0, 2.0])).tolist() == [2, 1, 2]


def test_costs_beside_many_equal_ones_stay() -> None:
    # both quartiles are 0; those of the distinct costs 0, 0.5, 0.6 and 0.9 are 0.375 and 0.675
    few = [0.5, 0.6, 0.9]
    assert limit_costs(np.array([0.0] * 16 + [*few, np.nan])).tolist() == [0.0] * 16 + [*few, 0.9]
    # the distinct costs have a fence, too: 2 and 4 of 1 to 5, so 24
    assert limit_costs(np.array([1.0] * 20 + [2.0, 3.0, 4.0, 1e9]))[-1] == 4
    assert limit_costs(np.array([2.0, 2.0, np.nan])).tolist() == [2, 2, 2]


def test_chances_are_adjusted_by_hand() -> None:
    # Holm: 3 * 0.01, then 2 * 0.02, then 0.03 no lower than the one before
    assert adjust_chances([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert adjust_chances([0.6, 0.9]) == [1.0, 1.0]
    assert adjust_chances([]) == []


def test_known_effects_are_found() -> None:
    """The mean of x over the thirds is 1/6, 1/2 and 5/6; a choice adds 0, 0.2 or 0.5; nothing else matters."""
    points = draw_points(80, 0)
    rate, idle, kind = estimate(points, 0.9 * points[:, 0] + np.array([0.0, 0.2, 0.5])[points[:, 2].astype(int)])
    assert (rate.worst, rate.best, kind.worst, kind.best) == (2, 0, 2, 0)
    assert rate.low < 0.6 < rate.high
    assert rate.difference == pytest.approx(0.6, abs=0.06)
    assert kind.low < 0.5 < kind.high
    assert max(adjust_chances([rate.chance, idle.chance, kind.chance])[::2]) < ALPHA < idle.chance
    assert idle.low < 0 < idle.high
    assert idle.bound < 3 * NOISE < kind.bound
    assert rate.lead_share > 0.8


def test_decisive_choice_is_not_small_where_it_is_rare() -> None:
    """A sampler that learned gave five of six trials the best choice; PED-ANOVA called that choice unimportant."""
    points = draw_points(48, 1)
    points[8:, 2] = 0
    kind = estimate(points, 1 + 0.3 * (points[:, 2] > 0).astype(np.float64))[2]
    assert kind.bound > 0.2
    assert kind.best == 0
    assert kind.low < 0.3 < kind.high


def test_range_that_each_choice_uses_otherwise_is_not_small() -> None:
    """Low rates suit one choice, high rates the others."""
    points = draw_points(90, 2)
    best = np.where(points[:, 2] == 0, 0.2, 0.8)
    assert estimate(points, (points[:, 0] - best) ** 2)[0].bound > NOISE


def test_effect_of_conditional_dimension_is_of_its_trials() -> None:
    space = [Dimension(2), Dimension(conditions={0: frozenset({1})})]
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.integers(0, 2, 100), rng.random(100)])
    used = points[:, 0] == 1
    costs = np.where(used, 1 + points[:, 1], 3.0) + rng.normal(0, NOISE, 100)
    points[~used, 1] = np.nan
    kind, delta = estimate_effects(space, points, costs)
    assert delta.low < 2 / 3 < delta.high
    assert kind.low < 1.5 < kind.high


def test_conditional_levels_are_tuned_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best trials have the choice that switches the dimension off."""
    space, rng = [Dimension(2), Dimension(), Dimension(conditions={0: frozenset({1})})], np.random.default_rng(4)
    points = np.column_stack([rng.integers(0, 2, 60), rng.random(60), rng.random(60)])
    used = points[:, 0] == 1
    points[~used, 2] = np.nan
    placed: list[Floats] = []
    build = effects._build_tuned_measures

    def keep_places(*arguments: Any) -> Measures:
        measures = build(*arguments)
        placed.append(np.stack(measures.states, 1))
        return measures

    monkeypatch.setattr(effects, "_build_tuned_measures", keep_places)
    estimate_effects(space, points, np.where(used, 3 + np.nan_to_num(points[:, 2]), 1 + points[:, 1]))
    # two levels of the choice, three of the range, three of the conditional range
    assert placed[0][-3:, 0].tolist() == [1, 1, 1]


def test_more_trials_than_the_limit_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "MAX_TRIALS", 30)
    points = draw_points(300, 4)
    assert estimate(points, 2 * points[:, 0])[0].difference == pytest.approx(4 / 3, abs=0.2)


def test_chance_of_equal_levels_by_hand() -> None:
    """One draw: a difference of 2 with variance 2 is chi-square 2; spread between draws adds to the variance."""
    own = np.array([0, 1])
    apart = MeanPosterior(np.array([[0.0, 2.0]]), np.eye(2)[None])
    assert compute_chance_of_equals(apart, own) == pytest.approx(chi2.sf(2, 1))
    # the second level is 1 or 3: variance 1 more
    unsure = MeanPosterior(np.array([[0.0, 1.0], [0.0, 3.0]]), np.repeat(np.eye(2)[None], 2, 0))
    assert compute_chance_of_equals(unsure, own) == pytest.approx(chi2.sf(4 / 3, 1))
    # three independent levels: the sum of squares about their mean, with two degrees of freedom
    three = MeanPosterior(np.array([[0.0, 1.0, 5.0]]), np.eye(3)[None])
    assert compute_chance_of_equals(three, np.arange(3)) == pytest.approx(chi2.sf(14, 2))
    assert compute_chance_of_equals(three, np.array([1])) == 1.0


def test_choice_may_differ_where_it_is_tuned_alone() -> None:
    """Failures of most rates hide what the choices differ by; where rates are good, many trials show it."""
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0.45, 0.55, 48), rng.random(48), np.arange(48) % 3])
    points[:12, 0] = rng.random(12)
    lost = 8.0 * (np.abs(points[:, 0] - 0.5) > 0.1) * rng.uniform(0.5, 1, 48)
    kind = estimate(points, lost + np.array([0.0, 0.15, 0.3])[points[:, 2].astype(int)])[2]
    assert kind.is_tuned
    assert kind.low < 0.3 < kind.high
    assert kind.chance < ALPHA


@pytest.mark.parametrize(("count", "studies"), [(48, 10), pytest.param(24, 100, marks=pytest.mark.slow)])
def test_noise_shows_no_effect(count: int, studies: int) -> None:
    """In studies of noise alone no more than chance allows name a parameter that mattered."""
    false = 0
    for seed in range(studies):
        points = draw_points(count, 100 + seed)
        chances = [effect.chance for effect in estimate(points, np.zeros(count), seed)]
        false += min(adjust_chances(chances)) <= ALPHA
    assert false <= binom.ppf(0.999, studies, ALPHA)
