"""Intervals of a mean over few seeds and over groups of test examples.

All are 95 % intervals by Student's t, with Hall's correction for skewness ("On the removal of skewness by
transformation", 1992). tests/stats/test_calibration.py measures how often they contain the truth.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from thalweg.stats.interval import Interval

UNBOUNDED = (-math.inf, math.inf)
MAX_BLOCKS = 100  # of examples that are left out in turn; more would cost time and add nothing
MIN_SKEWNESS_VALUES = 8  # fewer say nothing about their skewness
MAX_SKEWNESS = 0.35  # few values can look too skewed; the mean of eight values of skewness 1 has this


@dataclass(frozen=True)
class VarianceSource:
    """One source of a mean's uncertainty: its variance, degrees of freedom and skewness."""

    variance: float
    dof: float
    skewness: float = 0.0

    def half_widths(self, family: int = 2, comparisons: int = 1) -> tuple[float, float]:
        """Return how far the interval extends below and above the mean.

        The intervals of all differences of a `family` of candidates hold together in 95 % of studies (Tukey, Kramer),
        and so do those of as many `comparisons` of two (Bonferroni).
        """
        return self._scale_quantile(_compute_quantile(family, self.dof, comparisons))

    def equivalence_half_widths(self) -> tuple[float, float]:
        """Return how far the 90 % interval extends below and above the mean."""
        return self._scale_quantile(float(stdtrit(self.dof, 0.95)))

    def _scale_quantile(self, t: float) -> tuple[float, float]:
        error = np.sqrt(self.variance)
        return float(error * _skewed_quantile(t, self.skewness)), float(-error * _skewed_quantile(-t, self.skewness))


@cache
def _compute_quantile(family: int, dof: float, comparisons: int) -> float:
    """Return the two-sided 95 % quantile of the largest difference of a family, in standard errors: t for two."""
    if family == 2:
        return float(stdtrit(dof, 1 - 0.025 / comparisons))
    from scipy.stats import studentized_range  # half a second, which most stages do not need

    return float(studentized_range.ppf(0.95, family, dof)) / math.sqrt(2)


def combine_sources(
    first: VarianceSource, second: VarianceSource, shared: VarianceSource | None = None
) -> VarianceSource:
    """Return the sum of two sources less the `shared` variance that counts in both, or the larger source alone.

    Degrees of freedom are Satterthwaite's (1946), at least those of the source with fewer.
    """
    shared = shared or VarianceSource(0.0, 1)
    variance = first.variance + second.variance - shared.variance
    if not variance > max(first.variance, second.variance):
        return max(first, second, key=lambda source: source.variance)
    dof = 1 / sum((source.variance / variance) ** 2 / source.dof for source in (first, second, shared))
    skewness = sum(source.skewness * (source.variance / variance) ** 1.5 for source in (first, second))
    return VarianceSource(variance, max(dof, min(first.dof, second.dof)), skewness)


def t_interval(values: ArrayLike, comparisons: int = 1) -> Interval | None:
    """Compute the interval of the mean of independent values [n], NaN left out; None for fewer than two.

    With `comparisons` it holds together with as many others (Bonferroni), as `judge_together` needs.
    """
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    if len(finite) < 2:
        return None
    mean = float(finite.mean())
    source = VarianceSource(float(finite.var(ddof=1)) / len(finite), len(finite) - 1, _mean_skewness(finite - mean))
    return _build_interval(mean, source, len(finite), comparisons=comparisons)


def judge_together(build_intervals: Mapping[str, Callable[[int], Interval]]) -> dict[str, Interval]:
    """Compute intervals of several differences so that in 95 % of studies none wrongly leaves out zero (Holm 1979).

    `build_intervals` takes the number of comparisons with which an interval is to hold together. First that is the
    number of all. Differences that are then clear keep this interval, and the others are judged among themselves, until
    none more is clear ("A simple sequentially rejective multiple test procedure").
    """
    found: dict[str, Interval] = {}
    while left := {name: build for name, build in build_intervals.items() if name not in found}:
        intervals = {name: build(len(left)) for name, build in left.items()}
        found |= {name: each for name, each in intervals.items() if each.low > 0 or each.high < 0} or intervals
    return {name: found[name] for name in build_intervals}


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share from `trials` > 0 independent draws (Wilson 1927)."""
    share, z = successes / trials, float(ndtri(0.975))
    scale = 2 * (trials + z**2)
    centre = (2 * trials * share + z**2) / scale
    half_width = z / scale * math.sqrt(4 * trials * share * (1 - share) + z**2)
    return (centre - half_width if successes else 0.0), (centre + half_width if successes < trials else 1.0)


def cluster_robust_interval(
    values: ArrayLike, groups: ArrayLike, bounds: tuple[float, float] = UNBOUNDED
) -> Interval | None:
    """Compute the interval of the mean of values [n] that correlate within groups; None for fewer than two groups.

    The variance is CR2, unbiased where values are independent, with the degrees of freedom of Bell and McCaffrey 2002
    ("Bias reduction in standard errors for linear regression with multi-stage samples"). If each value is its own group
    it equals `t_interval`. With two `bounds` of the values the interval is exact near them (`_build_bounded_interval`).
    """
    table = pd.DataFrame({"value": np.asarray(values, np.float64), "group": np.asarray(groups)}).dropna()
    if table["group"].nunique() < 2:
        return None
    mean = float(table["value"].mean())
    totals = (table["value"] - mean).groupby(table["group"]).agg(["sum", "size"])
    sizes = totals["size"].to_numpy(np.float64)
    source = _cluster_variance((-totals["sum"] / (len(table) - sizes)).to_numpy(), sizes)
    return _build_bounded_interval(mean, source, len(totals), len(totals), bounds)


def assign_blocks(groups: NDArray[np.str_]) -> NDArray[np.intp]:
    """Assign each example [N] to a block: its group, or with more than `MAX_BLOCKS` groups several in turn."""
    _, index = np.unique(groups, return_inverse=True)
    return index % MAX_BLOCKS


def leave_one_out_weights(block: NDArray[np.intp]) -> NDArray[np.float64]:
    """Build weights [B, N] that leave out one block of examples each."""
    weights: NDArray[np.float64] = (block[None, :] != np.arange(block.max() + 1)[:, None]).astype(np.float64)
    return weights


def two_way_interval(
    by_seed: NDArray[np.float64],
    leave_out_means: NDArray[np.float64],
    sizes: NDArray[np.intp],
    family: int = 2,
    bounds: tuple[float, float] = UNBOUNDED,
    comparisons: int = 1,
) -> Interval:
    """Compute the mean over seeds, with an interval for fresh seeds and fresh groups of examples at once.

    `by_seed` [S] is the metric of each seed's network, or the difference of two that share a seed. `leave_out_means`
    [S, B] is the same without one block of examples each; `sizes` [B] counts the examples of each block. The variance
    is the seeds' (s^2 / S) plus the blocks' (CR2, as in `cluster_robust_interval`), less that of their interaction,
    which counts in both (two-way clustering, Cameron, Gelbach and Miller 2011). Fewer than two blocks add nothing.
    For a difference of two among a `family` of candidates the intervals of all differences hold together. Those of as
    many `comparisons` do so, too (Bonferroni). With two `bounds` of the metric the interval is exact near them
    (`_build_bounded_interval`).

    If only single examples are noisy, it contains the truth in 98 % of studies with 12 groups, in 99 % with 4 or fewer.
    """
    count, mean = len(by_seed), float(np.mean(by_seed))
    source = _two_way_variance(by_seed, leave_out_means, sizes)
    if family > 2 or comparisons > 1:
        return _build_interval(mean, source, count, family, comparisons)
    return _build_bounded_interval(mean, source, count, len(sizes), bounds)


def independent_seeds_interval(
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
    sizes: NDArray[np.intp],
) -> Interval:
    """Compute the interval of the mean of `first` less that of `second`, which share blocks of examples and no seed.

    Each is (by_seed, leave_out_means), as for `two_way_interval`. The variance is that of both means over seeds (Welch
    1947), plus that of their difference by blocks, less both interactions. `n` is the smaller number of seeds.
    """
    (one, one_left_out), (other, other_left_out) = first, second
    seeds = combine_sources(_seed_variance(one), _seed_variance(-other))
    blocks = _block_variance((one_left_out.mean(0) - other_left_out.mean(0))[None], sizes)
    interactions = [_interaction_variance(left_out, sizes) for left_out in (one_left_out, other_left_out)]
    source = combine_sources(seeds, blocks, combine_sources(*interactions))
    return _build_interval(float(one.mean() - other.mean()), source, min(len(one), len(other)))


def compute_equivalence_interval(
    by_seed: NDArray[np.float64], leave_out_means: NDArray[np.float64], sizes: NDArray[np.intp]
) -> Interval:
    """Compute the 90 % interval of a mean over seeds, for fresh seeds and groups; arguments as for `two_way_interval`.

    A mean is surely within a margin of zero if this interval lies within the margin. This is two one-sided tests at 5 %
    (Schuirmann 1987, "A comparison of the two one-sided tests procedure and the power approach"; Lakens 2017).
    """
    mean = float(np.mean(by_seed))
    low, high = _two_way_variance(by_seed, leave_out_means, sizes).equivalence_half_widths()
    return Interval(mean, mean - low, mean + high, len(by_seed))


def group_variance(leave_out_means: NDArray[np.float64], sizes: NDArray[np.intp]) -> VarianceSource:
    """Compute the variance of a mean that groups of examples leave for any number of seeds.

    `leave_out_means` [S, B] and `sizes` [B] as for `two_way_interval`; 0 if seeds and single examples explain all. Its
    degrees of freedom are those of the blocks (`_cluster_variance`).
    """
    blocks, interaction = _block_variance(leave_out_means, sizes), _interaction_variance(leave_out_means, sizes)
    return VarianceSource(max(0.0, blocks.variance - interaction.variance), blocks.dof)


def two_way_residuals(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a table's values [R, C] less the effects of its rows and columns."""
    residuals: NDArray[np.float64] = table - table.mean(0) - table.mean(1)[:, None] + table.mean()
    return residuals


def compare_with_zero(interval: Interval, sign: int) -> Literal["better", "worse", "same"]:
    """Say on which side of zero an interval of differences lies ("same": it contains zero); sign 1: less is better."""
    low, high = sorted((sign * interval.low, sign * interval.high))
    return "better" if high < 0 else "worse" if low > 0 else "same"


def _build_interval(mean: float, source: VarianceSource, count: int, family: int = 2, comparisons: int = 1) -> Interval:
    low, high = source.half_widths(family, comparisons)
    return Interval(mean, mean - low, mean + high, count)


def _build_bounded_interval(
    mean: float, source: VarianceSource, count: int, group_count: int, bounds: tuple[float, float]
) -> Interval:
    """Build the interval of a mean of values within `bounds`.

    With two bounds, the mean is a share of the distance between them. Its interval is that of Clopper and Pearson for
    the effective number of independent examples, share * (1 - share) / variance, corrected for the degrees of freedom
    (Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data"). Where nothing varies, that is the number of groups: 60 of 60 leave 0.94 to 1. The
    interval covers Student's, cut to the bounds.
    """
    interval = _build_interval(mean, source, count).clip_to_bounds(bounds)
    low, high = bounds
    if not np.isfinite([low, high, mean]).all() or group_count < 2:
        return interval
    share = (mean - low) / (high - low)
    variance = source.variance / (high - low) ** 2
    number = float(group_count)
    if variance > 0 and 0 < share < 1:
        correction = stdtrit(group_count - 1, 0.975) / stdtrit(source.dof, 0.975)
        number = float(share * (1 - share) / variance * correction**2)
    events = share * number
    lowest = betaincinv(events, number - events + 1, 0.025) if events > 0 else 0.0
    highest = betaincinv(events + 1, number - events, 0.975) if events < number else 1.0
    exact = Interval(mean, low + float(lowest) * (high - low), low + float(highest) * (high - low), count)
    return interval.span_both(exact)


def _two_way_variance(
    by_seed: NDArray[np.float64], leave_out_means: NDArray[np.float64], sizes: NDArray[np.intp]
) -> VarianceSource:
    """Compute the variance of a mean over seeds by seeds and blocks; arguments as for `two_way_interval`."""
    blocks, interaction = _block_variance(leave_out_means, sizes), _interaction_variance(leave_out_means, sizes)
    return combine_sources(_seed_variance(by_seed), blocks, interaction)


def _seed_variance(by_seed: NDArray[np.float64]) -> VarianceSource:
    """Compute the variance of the mean over seeds by the seeds."""
    count, skewness = len(by_seed), _mean_skewness(by_seed - np.mean(by_seed))
    return VarianceSource(float(np.var(by_seed, ddof=1)) / count, count - 1, skewness)


def _block_variance(leave_out_means: NDArray[np.float64], sizes: NDArray[np.intp]) -> VarianceSource:
    """Compute the variance of the mean over seeds by blocks of examples."""
    if len(sizes) < 2:
        return VarianceSource(0.0, 1)
    means = leave_out_means.mean(0)
    # where the metric is a mean, this is its value on all examples
    whole = np.average(means, weights=sizes.sum() - sizes)
    return _cluster_variance(means - whole, sizes)


def _interaction_variance(leave_out_means: NDArray[np.float64], sizes: NDArray[np.intp]) -> VarianceSource:
    """Compute the variance of the mean by the interaction of seeds and blocks."""
    seeds = len(leave_out_means)
    if len(sizes) < 2 or seeds < 2:
        return VarianceSource(0.0, 1)
    whole = np.average(leave_out_means, axis=1, weights=sizes.sum() - sizes)
    shifts = leave_out_means - whole[:, None]
    spread = np.sqrt(((shifts - shifts.mean(0)) ** 2).sum(0) / (seeds * (seeds - 1)))
    blocks = _cluster_variance(spread, sizes)
    return VarianceSource(blocks.variance, (seeds - 1) * blocks.dof)


def _cluster_variance(shifts: NDArray[np.float64], sizes: NDArray[Any]) -> VarianceSource:
    """Compute the CR2 variance of a mean from its shifts [G] when each group is left out, and its degrees of freedom.

    With weights w = sizes / their sum, the residuals of a group have the sum -(1 - w) shift, up to a factor, and CR2
    divides its square by 1 - w. If M is the covariance of these terms, the degrees of freedom are tr(M)^2 / tr(M^2):
    G - 1 for groups of one size. They are the fewer of two models: independent values, or values alike within a group
    (Imbens and Kolesar 2016, "Robust standard errors in small samples").
    """
    weights = sizes / sizes.sum()
    rest = 1 - weights
    independent = np.diag(weights) - np.outer(weights, weights)
    models = [moments / np.sqrt(np.outer(rest, rest)) for moments in (independent, independent @ independent.T)]
    dof = min(float(np.trace(moments) ** 2 / (moments**2).sum()) for moments in models)
    return VarianceSource(float((rest * shifts**2).sum()), dof, -_mean_skewness(shifts))


def _mean_skewness(deviations: NDArray[np.float64]) -> float:
    """Compute the skewness of a mean from its values' deviations; 0 for too few."""
    largest = float(max(np.abs(deviations), default=0.0))
    if len(deviations) < MIN_SKEWNESS_VALUES or not largest > 0:
        return 0.0
    # divided by the largest, so that the cube of a tiny one does not underflow
    scaled = deviations / largest
    return float((scaled**3).sum() / (scaled**2).sum() ** 1.5)


def _skewed_quantile(t: float, skewness: float) -> float:
    """Correct a quantile of t for a mean's skewness, by the inverse of Hall's cubic transformation of 1992."""
    skew = float(np.clip(skewness, -MAX_SKEWNESS, MAX_SKEWNESS))
    return t if abs(skew) < 1e-4 else float(3 / skew * (np.cbrt(1 + skew * (t - skew / 6)) - 1))
