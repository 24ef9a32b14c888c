"""The best of several draws, and how likely it is that one sample's best are ahead of all of another's."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """The least of k of n costs, k = 1 to n: its mean, and the bounds of 95 % of its values, each [n]."""

    mean: Array
    low: Array
    high: Array


def best_of(costs: ArrayLike) -> Best:
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
    return Best(mean, low, high)


def expected_best(tries: ArrayLike, count: int) -> float:
    """The mean of the smallest of `count` values drawn from these without replacement, over all such draws."""
    return float(best_of(tries).mean[count - 1])


def ahead(leader: ArrayLike, other: ArrayLike) -> tuple[int, float]:
    """How many of the leader's are better than the best of the others, and how likely that or more is by chance.

    The precedence test (Nelson 1963): where both are draws from one distribution, all of the best r are the leader's in
    C(N - r, n - r) of C(N, n) cases, N of both, n of the leader.
    """
    first, second = np.asarray(leader, np.float64), np.asarray(other, np.float64)
    better = int((first < second.min()).sum())
    many, chance = len(first) + len(second), 1.0
    for place in range(better):
        chance *= (len(first) - place) / (many - place)
    return better, chance
