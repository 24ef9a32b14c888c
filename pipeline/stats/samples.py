"""Comparisons of small samples: seed noise, seeds needed, the best of several draws."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, ndtr, ndtri, stdtrit

from thalweg.stats.intervals import VarianceSource, combine_sources

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SeedNoise:
    """The standard deviation of one trial's value over seeds, and the degrees of freedom of this estimate.

    `excludes_shared`: it leaves out the effect of a seed on all trials, because trials share their seeds. This effect
    has a standard deviation of `shared_limit` at most (90 % confidence).
    """

    std: float
    dof: int
    excludes_shared: bool = False
    shared_limit: float = 0.0

    @property
    def least_significant_difference(self) -> float:
        """The least difference of two single values that exceeds their noise (95 %): t sqrt(2) deviations."""
        return float(stdtrit(self.dof, 0.975) * np.sqrt(2.0) * self.std)


def rank_separation(inside: ArrayLike, outside: ArrayLike) -> float:
    """Compute the share of pairs in which the `inside` value is larger, ties half (the area under the ROC curve)."""
    first, second = np.asarray(inside, np.float64)[:, None], np.asarray(outside, np.float64)[None, :]
    return float(((first > second) + 0.5 * (first == second)).mean())


def count_seeds_needed(
    difference: float, std: float, groups: VarianceSource, power: float = 0.5, max_seeds: int = 1000
) -> int | None:
    """Count the fewest seeds with which an interval would exclude zero; None if that takes more than `max_seeds`.

    A difference varies over seeds with `std`; `groups` is the variance that groups of examples leave for any number of
    seeds. With `power` 0.5 half of the studies detect a true difference of this size, with 0.8 four of five.
    """
    for number in range(2, max_seeds + 1):
        seeds = VarianceSource(std**2 / number, number - 1)
        half_width = combine_sources(seeds, groups).half_widths()[1]
        if abs(difference) > half_width + stdtrit(number - 1, power) * np.sqrt(seeds.variance + groups.variance):
            return number
    return None


def count_seeds_for_equivalence(
    effect: float, std: float, groups: VarianceSource, power: float = 0.8, max_seeds: int = 100
) -> int | None:
    """Count the fewest seeds with which two equals are shown to differ by less than `effect`, with a chance of `power`.

    Arguments as for `count_seeds_needed`. Two one-sided tests at 5 % show it
    (`intervals.compute_equivalence_interval`). None if that takes more than `max_seeds`: groups may leave more
    uncertain than the effect.
    """
    for number in range(2, max_seeds + 1):
        seeds = VarianceSource(std**2 / number, number - 1)
        source = combine_sources(seeds, groups)
        reach = stdtrit(source.dof, (1 + power) / 2) * np.sqrt(source.variance)
        if effect > source.equivalence_half_widths()[1] + reach:
            return number
    return None


@dataclass(frozen=True)
class BestOfDraws:
    """The smallest of k out of n costs, k = 1 to n: its mean, and the bounds of 95 % of its values, each [n]."""

    mean: Array
    low: Array
    high: Array


def compute_best_of_draws(costs: ArrayLike) -> BestOfDraws:
    """Compute the distribution of the smallest of k costs [n] drawn without replacement, over all orders of the costs.

    With the costs sorted, P(least of k > cost i) = C(n - i, k) / C(n, k). This is the unbiased form (Tang et al. 2020,
    "Showing your work doesn't always work", eq. 6) of the expected validation performance of Dodge et al. 2019, "Show
    your work", which draws with replacement.
    """
    ranked = np.sort(np.asarray(costs, np.float64))
    count, steps = len(ranked), np.diff(ranked)
    larger = count - np.arange(1, count + 1)
    beyond = np.ones(count)
    mean, low, high = (np.empty(count) for _ in range(3))
    for drawn in range(count):
        beyond = beyond * np.clip(larger - drawn, 0, None) / (count - drawn)
        mean[drawn] = ranked[0] + steps @ beyond[:-1]
        low[drawn], high[drawn] = (ranked[np.argmax(beyond <= 1 - q + 1e-12)] for q in (0.025, 0.975))
    return BestOfDraws(mean, low, high)


def compute_expected_best(costs: ArrayLike, count: int) -> float:
    """Compute the mean of the smallest of `count` costs, over all draws without replacement."""
    return float(compute_best_of_draws(costs).mean[count - 1])


def compute_luck_quantile(trials: int, noise: float, dof: float, level: float = 0.05) -> float:
    """Compute a quantile of what the best of `trials` equal trials loses on fresh seeds, in estimated deviations.

    Such a trial's lead is luck alone: the largest of n normal values, with the quantile function Phi^-1(u^(1/n))
    (David and Nagaraja 2003, "Order statistics"). `noise` is the standard deviation of everything else that the loss
    depends on, in deviations of a trial's own noise. These were estimated with `dof` degrees of freedom.
    """
    shares = (np.arange(100) + 0.5) / 100
    luck, scales = ndtri(shares ** (1 / trials)), np.sqrt(chdtri(dof, 1 - shares) / dof)
    low, high = -50.0, 50.0
    for _ in range(40):  # bisection: the chance of a smaller loss rises with it
        middle = (low + high) / 2
        if ndtr((middle * scales[:, None] - luck) / noise).mean() < level:
            low = middle
        else:
            high = middle
    return low


def compute_chance_of_many(count: int, drawn: int, marked: int, total: int) -> float:
    """Compute the chance that `count` or more of `drawn`, without replacement from `total`, are among the `marked`.

    The hypergeometric distribution: C(marked, k) C(total - marked, drawn - k) / C(total, drawn) for k of them.
    """
    ways = sum(math.comb(marked, k) * math.comb(total - marked, drawn - k) for k in range(count, drawn + 1))
    return ways / math.comb(total, drawn)
