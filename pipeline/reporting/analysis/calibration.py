"""How well confidence agrees with accuracy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.groups import assign_groups
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import cluster_robust_interval, wilson_interval

CONFIDENCE_BINS = 15  # of equal width, as in the metric `calibration_error`
BOOTSTRAPS = 1000
MIN_EXAMPLES = 50  # fewer say nothing about calibration
NEGLIGIBLE_GAP = 0.01  # between confidence and accuracy
MIN_GROUPS = 4  # fewer give no useful interval of the error
MAX_INTERVAL_WIDTH = 0.1  # a wider interval cannot show good calibration


@dataclass(frozen=True)
class Reliability:
    """Agreement of confidence and accuracy.

    - `bins`, non-empty ones: mean confidence, share right with 95 % interval (Wilson 1927), number of examples.
    - `calibration_error`: the expected calibration error with its interval.
    - `overconfidence`: mean confidence minus accuracy.
    """

    bins: pd.DataFrame
    calibration_error: Interval
    overconfidence: Interval | None


def compute_reliability(predictions: pd.DataFrame) -> Reliability | None:
    """Compute calibration from columns truth, prediction, confidence and group; None if confidence is unknown.

    The expected calibration error is the mean over examples of |accuracy - confidence| of their bin (Guo et al. 2017,
    equation 3). Chance inflates such a sum of absolute values. The basic bootstrap (Davison and Hinkley 1997, section
    5.2) over groups of examples removes this, so the interval may lie below the error. `overconfidence` has the cluster
    robust interval of confidence - right, which chance does not inflate.
    """
    if "confidence" not in predictions:
        return None
    table = predictions.dropna(subset="confidence")
    if len(table) < MIN_EXAMPLES:
        return None
    confidence = table["confidence"].to_numpy(np.float64)
    right = (table["truth"].astype(str) == table["prediction"].astype(str)).to_numpy(np.float64)
    bin_index = np.searchsorted(np.arange(1, CONFIDENCE_BINS) / CONFIDENCE_BINS, confidence)
    groups = assign_groups(table)
    rows = []
    for index in np.unique(bin_index):
        inside = bin_index == index
        interval = wilson_interval(int(right[inside].sum()), int(inside.sum()))
        rows.append((confidence[inside].mean(), right[inside].mean(), *interval, int(inside.sum())))
    bins = pd.DataFrame(rows, columns=["confidence", "right", "low", "high", "examples"])
    gaps = _sum_gaps(right - confidence, bin_index, pd.factorize(groups)[0])
    overconfidence = cluster_robust_interval(confidence - right, groups)
    return Reliability(
        bins,
        _bootstrap_error(gaps).clip_to_bounds((0.0, 1.0)),
        overconfidence and overconfidence.clip_to_bounds((-1.0, 1.0)),
    )


def _sum_gaps(
    gaps: NDArray[np.float64], bin_index: NDArray[np.intp], group_index: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Sum gaps by group and bin; the last column counts the group's examples. [groups, CONFIDENCE_BINS + 1]."""
    sums = np.zeros((int(group_index.max()) + 1, CONFIDENCE_BINS + 1))
    np.add.at(sums, (group_index, bin_index), gaps)
    np.add.at(sums, (group_index, np.full(len(group_index), CONFIDENCE_BINS)), 1.0)
    return sums


def _bootstrap_error(sums: NDArray[np.float64]) -> Interval:
    """Return the expected calibration error with its interval, from `_sum_gaps`; deterministic.

    Resamples groups around gaps shrunk by one factor, so that their squares match the gaps without noise. Subtracts the
    resulting bias at both ends. The lower end is 0 if noise alone (2.5 %) would show as large an error.
    """
    rng, count = np.random.default_rng(0), len(sums)
    totals = sums.sum(0)
    gaps = totals[:-1] / totals[-1]
    noise = np.empty((BOOTSTRAPS, len(gaps)))
    for start in range(0, BOOTSTRAPS, 100):
        resampled = rng.integers(0, count, (100, count)) + count * np.arange(100)[:, None]
        resampled_sums = np.bincount(resampled.ravel(), minlength=100 * count).reshape(100, count) @ sums
        noise[start : start + 100] = resampled_sums[:, :-1] / resampled_sums[:, -1:] - gaps
    shrunk = gaps * np.sqrt(max(0.0, 1 - noise.var(axis=0).sum() / max((gaps**2).sum(), 1e-300)))
    bias = np.abs(shrunk + noise).sum(1) - np.abs(shrunk).sum()
    error, (low, high) = float(np.abs(gaps).sum()), np.quantile(bias, [0.025, 0.975])
    lower = 0.0 if error <= np.quantile(np.abs(noise).sum(1), 0.975) else error - float(high)
    return Interval(error, max(0.0, lower), max(0.0, error - float(low)), count)
