"""What a few runs say beyond their mean: how noisy they are, their clumps, how many more would settle a difference."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from thalweg.stats.intervals import Source, together

DRAWS = 20_000
"""Samples by which a gap is called wide or not."""


@dataclass(frozen=True)
class Noise:
    """The standard deviation of one trial's value over seeds, and the degrees of freedom that it was estimated with.

    `shared`: without what a seed does to all trials alike, since they share it.
    """

    deviation: float
    freedom: int
    shared: bool = False

    @property
    def least(self) -> float:
        """Two single values further apart than this differ beyond their noise (95 %): t sqrt(2) deviations."""
        return float(stdtrit(self.freedom, 0.975) * np.sqrt(2.0) * self.deviation)


def rank_separation(inside: ArrayLike, outside: ArrayLike) -> float:
    """The share of pairs in which a value of `inside` is the larger, ties half (the area under the ROC curve)."""
    first, second = np.asarray(inside, np.float64)[:, None], np.asarray(outside, np.float64)[None, :]
    return float(((first > second) + 0.5 * (first == second)).mean())


@dataclass(frozen=True)
class Gap:
    """The widest gap between neighbours that leaves two values or more on each side, as a share of the range."""

    share: float
    below: NDArray[np.float64]
    above: NDArray[np.float64]


def widest_gap(values: ArrayLike) -> Gap | None:
    """Where a sample [n] would be parted into two clumps; None below six values, or where all are equal."""
    known = np.sort(np.asarray(values, np.float64))
    known = known[np.isfinite(known)]
    if len(known) < 6 or known[0] == known[-1]:
        return None
    gaps = np.diff(known)[1:-1]
    place = int(gaps.argmax()) + 2
    return Gap(float(gaps[place - 2] / (known[-1] - known[0])), known[:place], known[place:])


@cache
def gap_limit(count: int, looks: int) -> float:
    """The share of the range above which a gap speaks for two clumps; in one clump 5 % of studies have a wider one.

    `looks` samples of `count` values are looked at, so each must be the more unlikely (Šidák 1967). One clump is taken
    to be flat, which of all single clumps has the widest gaps inside (Hartigan and Hartigan 1985), or lognormal with a
    skewness of 1.75, whose tail has gaps: the larger of the two limits, both by `DRAWS` samples.
    """
    draw = np.random.default_rng(0)
    return max(
        _limit(draw.random((DRAWS, count)), looks), _limit(np.exp(0.5 * draw.standard_normal((DRAWS, count))), looks)
    )


def _limit(draw: NDArray[np.float64], looks: int) -> float:
    known = np.sort(draw, axis=1)
    widest = np.diff(known, axis=1)[:, 1:-1].max(1) / (known[:, -1] - known[:, 0])
    return float(np.quantile(widest, 0.95 ** (1 / looks)))


def seeds_to_settle(
    gap: float, deviation: float, groups: tuple[float, int], power: float = 0.5, most: int = 1000
) -> int | None:
    """The fewest seeds with which an interval would leave out zero; None where that takes more than `most`.

    The difference is `gap` wide and varies over seeds with `deviation`; `groups` are the error that the groups of
    examples leave however many seeds there are, and their number. With `power` 0.5 a true difference of that size is
    settled in half of the studies, with 0.8 in four of five.
    """
    error, count = groups
    examples = Source(error**2, max(1, count - 1))
    for seeds in range(2, most + 1):
        fresh = Source(deviation**2 / seeds, seeds - 1)
        reach = max(source.ends()[1] for source in together(fresh, examples))
        if abs(gap) > reach + stdtrit(seeds - 1, power) * np.sqrt(fresh.variance + examples.variance):
            return seeds
    return None
