"""Whether probabilities are what they say."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from thalweg.reporting.analysis.groups import assign_groups
from thalweg.stats.intervals import Interval, cluster_robust_interval

CONFIDENCE_BINS = 15
"""Bins of equal width, as `calibration_error` has them."""
BOOTSTRAPS = 1000
"""Resamples."""
MIN_EXAMPLES = 50
"""Examples below which nothing is said."""
NEGLIGIBLE_GAP = 0.01
"""A difference between confidence and accuracy that is of no account."""
MIN_GROUPS = 4
"""Groups from which its error is worth something."""
MAX_INTERVAL_WIDTH = 0.1
"""An interval wider than that says nothing good."""


@dataclass(frozen=True)
class Reliability:
    """By bin of confidence that has examples: their number, mean confidence, share right with its 95 % interval (Wilson
    1927); the expected calibration error with its interval, and by how much confidence is above accuracy on average."""

    bins: pd.DataFrame
    calibration_error: Interval
    overconfidence: Interval | None


def compute_reliability(predictions: pd.DataFrame) -> Reliability | None:
    """How far confidence is from accuracy, from columns truth, prediction, confidence and group; None where unknown.

    The expected calibration error is the mean over examples of |accuracy - confidence| of their bin (Guo et al. 2017,
    equation 3). It is a sum of sizes, which chance makes too large: its interval, the basic bootstrap's (Davison and
    Hinkley 1997, section 5.2) over groups of examples, takes that off, and may lie below it. `over` is the cluster
    robust interval of confidence - right, in which chance has no preferred sign.
    """
    if "confidence" not in predictions:
        return None
    table = predictions.dropna(subset="confidence")
    if len(table) < MIN_EXAMPLES:
        return None
    confidence = table["confidence"].to_numpy(np.float64)
    right = (table["truth"].astype(str) == table["prediction"].astype(str)).to_numpy(np.float64)
    place = np.searchsorted(np.arange(1, CONFIDENCE_BINS) / CONFIDENCE_BINS, confidence)
    alike = assign_groups(table)
    rows = []
    for one in np.unique(place):
        inside = place == one
        ends = binomtest(int(right[inside].sum()), int(inside.sum())).proportion_ci(method="wilson")
        rows.append((confidence[inside].mean(), right[inside].mean(), *ends, int(inside.sum())))
    bins = pd.DataFrame(rows, columns=["confidence", "right", "low", "high", "examples"])
    gaps = _sum_gaps(right - confidence, place, pd.factorize(alike)[0])
    over = cluster_robust_interval(confidence - right, alike)
    return Reliability(
        bins, _bootstrap_error(gaps).clip_to_bounds((0.0, 1.0)), over and over.clip_to_bounds((-1.0, 1.0))
    )


def _sum_gaps(
    gaps: NDArray[np.float64], bin_index: NDArray[np.intp], group_index: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Sums of gaps by group and bin, and the number of examples of each group, [groups, BINS + 1]."""
    sums = np.zeros((int(group_index.max()) + 1, CONFIDENCE_BINS + 1))
    np.add.at(sums, (group_index, bin_index), gaps)
    np.add.at(sums, (group_index, np.full(len(group_index), CONFIDENCE_BINS)), 1.0)
    return sums


def _bootstrap_error(sums: NDArray[np.float64]) -> Interval:
    """The expected calibration error and its interval, from `_sums` [groups, BINS + 1]; the same for the same sums.

    Groups are resampled about gaps that are made smaller by one factor, so that their squares are what they would be
    without noise; what the error then is off by is taken off at both ends. The lower end is 0 where noise alone (2.5 %)
    would show as large an error.
    """
    draw, count = np.random.default_rng(0), len(sums)
    of_all = sums.sum(0)
    gaps = of_all[:-1] / of_all[-1]
    noise = np.empty((BOOTSTRAPS, len(gaps)))
    for start in range(0, BOOTSTRAPS, 100):
        drawn = draw.integers(0, count, (100, count)) + count * np.arange(100)[:, None]
        total = np.bincount(drawn.ravel(), minlength=100 * count).reshape(100, count) @ sums
        noise[start : start + 100] = total[:, :-1] / total[:, -1:] - gaps
    smaller = gaps * np.sqrt(max(0.0, 1 - noise.var(axis=0).sum() / max((gaps**2).sum(), 1e-300)))
    off = np.abs(smaller + noise).sum(1) - np.abs(smaller).sum()
    seen, (low, high) = float(np.abs(gaps).sum()), np.quantile(off, [0.025, 0.975])
    lowest = 0.0 if seen <= np.quantile(np.abs(noise).sum(1), 0.975) else seen - float(high)
    return Interval(seen, max(0.0, lowest), max(0.0, seen - float(low)), count)
