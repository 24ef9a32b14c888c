"""Few values against few others: what noise lets differ, what seeds settle, whose best is ahead."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from thalweg.stats.intervals import VarianceSource, combine_sources

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SeedNoise:
    """The standard deviation of one trial's value over seeds, and the degrees of freedom that it was estimated with.

    `shared`: without what a seed does to all trials alike, since they share it.
    """

    std: float
    dof: int
    excludes_shared: bool = False

    @property
    def least_significant_difference(self) -> float:
        """Two single values further apart than this differ beyond their noise (95 %): t sqrt(2) deviations."""
        return float(stdtrit(self.dof, 0.975) * np.sqrt(2.0) * self.std)


def rank_separation(inside: ArrayLike, outside: ArrayLike) -> float:
    """The share of pairs in which a value of `inside` is the larger, ties half (the area under the ROC curve)."""
    first, second = np.asarray(inside, np.float64)[:, None], np.asarray(outside, np.float64)[None, :]
    return float(((first > second) + 0.5 * (first == second)).mean())


def count_seeds_needed(
    difference: float, std: float, group_error_and_count: tuple[float, int], power: float = 0.5, max_seeds: int = 1000
) -> int | None:
    """The fewest seeds with which an interval would leave out zero; None where that takes more than `max_seeds`.

    The difference is `difference` wide and varies over seeds with `std`; `group_error_and_count` are the error that the groups of
    examples leave however many seeds there are, and their number. With `power` 0.5 a true difference of that size is
    settled in half of the studies, with 0.8 in four of five.
    """
    error, count = group_error_and_count
    examples = VarianceSource(error**2, max(1, count - 1))
    for seeds in range(2, max_seeds + 1):
        fresh = VarianceSource(std**2 / seeds, seeds - 1)
        reach = max(source.half_widths()[1] for source in combine_sources(fresh, examples))
        if abs(difference) > reach + stdtrit(seeds - 1, power) * np.sqrt(fresh.variance + examples.variance):
            return seeds
    return None


@dataclass(frozen=True)
class BestOfDraws:
    """The least of k of n costs, k = 1 to n: its mean, and the bounds of 95 % of its values, each [n]."""

    mean: Array
    low: Array
    high: Array


def best_of_draws(costs: ArrayLike) -> BestOfDraws:
    """The least of k costs drawn without replacement from those given [n]: over all orders that they could have had.

    With the costs sorted, P(least of k > cost i) = C(n - i, k) / C(n, k). This is the unbiased form (Tang et al. 2020,
    "Showing your work doesn't always work", eq. 6) of the expected validation performance of Dodge et al. 2019, "Show
    your work", which draws with replacement.
    """
    known = np.sort(np.asarray(costs, np.float64))
    count, steps = len(known), np.diff(known)
    left = count - np.arange(1, count + 1)
    beyond = np.ones(count)
    mean, low, high = (np.empty(count) for _ in range(3))
    for drawn in range(count):
        beyond = beyond * np.clip(left - drawn, 0, None) / (count - drawn)
        mean[drawn] = known[0] + steps @ beyond[:-1]
        low[drawn], high[drawn] = (known[np.argmax(beyond <= 1 - q + 1e-12)] for q in (0.025, 0.975))
    return BestOfDraws(mean, low, high)


def expected_best(costs: ArrayLike, count: int) -> float:
    """The mean of the smallest of `count` values drawn from these without replacement, over all such draws."""
    return float(best_of_draws(costs).mean[count - 1])


def precedence_test(leader: ArrayLike, other: ArrayLike) -> tuple[int, float]:
    """How many of the leader's are better than the best of the others, and how likely that or more is by chance.

    The precedence test (Nelson 1963): where both are draws from one distribution, all of the best r are the leader's in
    C(N - r, n - r) of C(N, n) cases, N of both, n of the leader.
    """
    first, second = np.asarray(leader, np.float64), np.asarray(other, np.float64)
    better = int((first < second.min()).sum())
    return better, chance_of_all(better, len(first), len(first) + len(second))


def chance_of_all(drawn: int, part: int, total: int) -> float:
    """The chance that so many, drawn without replacement from a `total`, are all of a `part` of it."""
    return math.prod((max(part - place, 0) / (total - place) for place in range(drawn)), start=1.0)
