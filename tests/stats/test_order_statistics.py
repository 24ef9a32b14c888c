"""The best of some draws, against every order counted out by hand."""

from itertools import combinations, permutations

import numpy as np
import pytest

from thalweg.stats.order_statistics import ahead, best_of, expected_best


def test_the_least_of_k_is_that_of_all_orders() -> None:
    costs = [3.0, 1.0, 4.0, 1.5, 9.0]
    so_far = np.array([np.minimum.accumulate(order) for order in permutations(costs)])
    best = best_of(costs)
    assert best.mean == pytest.approx(so_far.mean(0))
    assert best.low.tolist() == np.quantile(so_far, 0.025, axis=0, method="inverted_cdf").tolist()
    assert best.high.tolist() == np.quantile(so_far, 0.975, axis=0, method="inverted_cdf").tolist()
    assert best.mean[-1] == best.low[-1] == best.high[-1] == 1.0


def test_it_is_unbiased_from_few_draws() -> None:
    # the least of 3 of a uniform distribution is 1 / 4 on average; with replacement it would be 0.25 + 0.07 of 6 draws
    rng = np.random.default_rng(0)
    told = [best_of(rng.random(6)).mean[2] for _ in range(4000)]
    assert np.mean(told) == pytest.approx(0.25, abs=4 * np.std(told) / np.sqrt(4000))


def test_each_further_trial_gains_less_than_the_one_before() -> None:
    mean = best_of(np.random.default_rng(1).normal(size=40)).mean
    gains = -np.diff(mean)
    assert (np.diff(gains) <= 1e-12).all()


def test_the_expected_best_of_some_is_the_mean_over_all_ways_to_draw_them() -> None:
    tries = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6]
    for count in range(1, 7):
        every = [min(some) for some in combinations(tries, count)]
        assert expected_best(tries, count) == pytest.approx(np.mean(every))


def test_the_luck_of_a_lead_is_the_share_of_ways_to_deal_the_trials() -> None:
    leader, other = [1.0, 2.0, 3.0, 7.0], [4.0, 5.0, 6.0]
    ways = list(combinations(sorted(leader + other), 4))
    led = [way for way in ways if {1.0, 2.0, 3.0} <= set(way)]
    assert ahead(leader, other) == (3, pytest.approx(len(led) / len(ways)))
