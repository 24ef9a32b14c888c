"""What a few runs say, against closed answers."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from thalweg.stats import samples
from thalweg.stats.intervals import VarianceSource
from thalweg.stats.samples import SeedNoise, compute_best_of_draws, compute_expected_best

NO_GROUPS = VarianceSource(0.0, 1)


def test_few_seeds_are_less_sure() -> None:
    # t(2, 0.975) = 4.3026527, and 1.96 in the limit
    assert SeedNoise(1.0, 2).least_significant_difference == pytest.approx(4.3026527 * np.sqrt(2))
    assert SeedNoise(1.0, 10**6).least_significant_difference == pytest.approx(2.772, abs=1e-3)


def test_rank_separation_counts_pairs() -> None:
    assert samples.rank_separation([3, 4], [1, 2]) == 1.0
    assert samples.rank_separation([1, 2], [3, 4]) == 0.0
    assert samples.rank_separation([1, 2], [1, 2]) == 0.5


def test_seeds_needed_by_hand() -> None:
    # without groups: |d| > t(S - 1) s / sqrt(S); with d = s / 2 that is first so at S = 18
    assert samples.count_seeds_needed(-0.5, 1.0, NO_GROUPS) == 18
    assert stats.t.ppf(0.975, 17) / np.sqrt(18) < 0.5 < stats.t.ppf(0.975, 16) / np.sqrt(17)
    surer = samples.count_seeds_needed(-0.5, 1.0, NO_GROUPS, power=0.8)
    assert surer is not None
    assert 30 < surer < 40
    assert samples.count_seeds_needed(0.001, 1.0, NO_GROUPS) is None


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_groups_limit_seeds_needed(deviation: float, error: float) -> None:
    edge = float(stats.t.ppf(0.975, 3)) * error
    # seeds as uncertain as groups lend the sum degrees of freedom, which narrows it by 8 % at most
    assert samples.count_seeds_needed(0.9 * edge, deviation, VarianceSource(error**2, 3), max_seeds=200) is None
    assert samples.count_seeds_needed(1.01 * edge, 1e-6 * error, VarianceSource(error**2, 3)) == 2


def test_seeds_needed_have_power() -> None:
    """Simulated: with so many seeds about half, and about four of five, of the intervals leave out zero."""
    draw = np.random.default_rng(1)
    for power in (0.5, 0.8):
        seeds = samples.count_seeds_needed(0.5, 1.0, NO_GROUPS, power)
        assert seeds is not None
        values = 0.5 + draw.standard_normal((4000, seeds))
        reach = stats.t.ppf(0.975, seeds - 1) * values.std(1, ddof=1) / np.sqrt(seeds)
        assert abs((values.mean(1) > reach).mean() - power) < 0.05


def test_seeds_for_equivalence_by_hand() -> None:
    # without groups: effect > (t_0.95 + t_0.9) s / sqrt(S), each with S - 1 degrees of freedom
    seeds = samples.count_seeds_for_equivalence(0.5, 1.0, NO_GROUPS)
    assert seeds == 36
    for number, is_enough in ((36, True), (35, False)):
        reach = np.sum(stats.t.ppf([0.95, 0.9], number - 1)) / np.sqrt(number)
        assert bool(reach < 0.5) is is_enough
    assert samples.count_seeds_for_equivalence(0.1, 1.0, NO_GROUPS) is None
    # groups alone leave as much
    limit = float(np.sum(stats.t.ppf([0.95, 0.9], 9)))
    assert samples.count_seeds_for_equivalence(0.9 * limit, 0.1, VarianceSource(1.0, 9)) is None
    assert samples.count_seeds_for_equivalence(1.1 * limit, 0.1, VarianceSource(1.0, 9)) == 2


def test_seeds_for_equivalence_have_power() -> None:
    """Simulated: with so many seeds the 90 % interval of four of five pairs of equals lies within the effect."""
    draw, seeds = np.random.default_rng(2), samples.count_seeds_for_equivalence(0.5, 1.0, NO_GROUPS)
    assert seeds is not None
    values = draw.standard_normal((4000, seeds))
    reach = stats.t.ppf(0.95, seeds - 1) * values.std(1, ddof=1) / np.sqrt(seeds)
    assert abs((abs(values.mean(1)) + reach < 0.5).mean() - 0.8) < 0.03


def test_best_of_k_is_of_all_orders() -> None:
    costs = [3.0, 1.0, 4.0, 1.5, 9.0]
    so_far = np.array([np.minimum.accumulate(order) for order in permutations(costs)])
    best = compute_best_of_draws(costs)
    assert best.mean == pytest.approx(so_far.mean(0))
    assert best.low.tolist() == np.quantile(so_far, 0.025, axis=0, method="inverted_cdf").tolist()
    assert best.high.tolist() == np.quantile(so_far, 0.975, axis=0, method="inverted_cdf").tolist()
    assert best.mean[-1] == best.low[-1] == best.high[-1] == 1.0


def test_best_of_k_is_unbiased() -> None:
    # the least of 3 of a uniform distribution is 1 / 4 on average; with replacement it would be 0.25 + 0.07 of 6 draws
    rng = np.random.default_rng(0)
    bests = [compute_best_of_draws(rng.random(6)).mean[2] for _ in range(4000)]
    assert np.mean(bests) == pytest.approx(0.25, abs=4 * np.std(bests) / np.sqrt(4000))


def test_expected_gains_diminish() -> None:
    mean = compute_best_of_draws(np.random.default_rng(1).normal(size=40)).mean
    gains = -np.diff(mean)
    assert (np.diff(gains) <= 1e-12).all()


def test_expected_best_is_of_all_draws() -> None:
    tries = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    for count in range(1, 7):
        every = [min(some) for some in combinations(tries, count)]
        assert compute_expected_best(tries, count) == pytest.approx(np.mean(every))


def test_luck_of_many_by_hand() -> None:
    """A single trial has no lead: its loss is noise. With little noise, the loss is the largest of n normal values."""
    assert samples.compute_luck_quantile(1, 1.0, 1e6, 0.05) == pytest.approx(
        stats.norm.ppf(0.05) * np.sqrt(2), abs=0.02
    )
    assert samples.compute_luck_quantile(48, 0.01, 1e6, 0.05) == pytest.approx(
        stats.norm.ppf(0.05 ** (1 / 48)), abs=0.03
    )
    assert samples.compute_luck_quantile(48, 0.01, 1e6, 0.5) == pytest.approx(stats.norm.ppf(0.5 ** (1 / 48)), abs=0.01)


@pytest.mark.parametrize(("trials", "noise", "dof"), [(12, 0.6, 2), (48, 0.35, 7), (96, 1.2, 14)])
def test_luck_exceeds_its_quantile(trials: int, noise: float, dof: int) -> None:
    """Simulated: the loss of the best of equal trials, in estimated deviations, is smaller in 5 % of studies."""
    draw = np.random.default_rng(0)
    luck = draw.standard_normal((20_000, trials)).max(1) + noise * draw.standard_normal(20_000)
    losses = luck / np.sqrt(draw.chisquare(dof, 20_000) / dof)
    assert abs((losses < samples.compute_luck_quantile(trials, noise, dof)).mean() - 0.05) < 0.006
