"""Candidates on common seeds: the value of the one that other seeds would choose, and intervals of pairs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.stats.interval import Interval
from thalweg.stats.intervals import t_interval


def choose_by_other_seeds(values: NDArray[np.float64], sign: int) -> NDArray[np.float64]:
    """Return at each seed the value of the candidate that is best on all other seeds; `values` [candidates, seeds]."""
    others = sign * (values.sum(1, keepdims=True) - values)
    chosen: NDArray[np.float64] = values[others.argmin(0), np.arange(values.shape[1])]
    return chosen


def build_pair_interval(by_seed: ArrayLike, comparisons: int) -> Interval:
    """Compute the interval of a difference by seed, one of all pairs of `comparisons` + 1 candidates (Bonferroni)."""
    interval = t_interval(by_seed, comparisons * (comparisons + 1) // 2)
    assert interval is not None
    return interval
