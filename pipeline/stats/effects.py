"""The effect of each parameter on a cost: how much worse its worst level is than its best.

A level is a choice, or a third of a range. Its cost is averaged over the space of all other parameters, not over the
trials, so it does not matter where a sampler looked (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for
assessing hyperparameter importance", there with random forests). A Gaussian process gives these means with their
uncertainty. The same code serves any trials and space: it knows no report.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from thalweg.stats.level_measures import RANGE_LEVELS, Dimension, build_level_measures
from thalweg.stats.response_surface import JITTER, Axis, MeanPosterior, Measures, ResponseSurface

Floats = NDArray[np.float64]

NORMAL_DRAWS = 25
"""Draws of the means from each draw of the kernel."""
MAX_TRIALS = 120
"""More are thinned evenly: the time grows with their cube."""
MAX_CANDIDATES = 40
"""The best trials, at whose other parameters each level is tried."""
FENCE = 10
"""Costs that lie this many interquartile ranges above the upper quartile are cut (after Tukey 1977).

Where most costs are equal, as where most trials reach an accuracy of 1, the quartiles are those of the distinct costs.
"""
ALPHA = 0.05


@dataclass(frozen=True)
class EffectSize:
    """How far the worst and the best level of a parameter are apart.

    - `difference` of their mean costs, with its 95 % interval `low` to `high`.
    - `is_tuned`: these are of levels at the best other values known for each, because the means over the space are not
      surely apart. Trials of a sampler that learns may show only this.
    - `chance`: that levels which all are equal look as different, over the space or tuned.
    - `bound`: any two levels differ by less than this with a probability of 95 %, both on average over the space and
      with the other parameters at what is best for each level.
    """

    difference: float
    low: float
    high: float
    is_tuned: bool
    chance: float
    bound: float


@dataclass(frozen=True)
class Effect(EffectSize):
    """How much a parameter changes the cost: from its `worst` level to its `best`.

    `lead_share`: the share of draws in which it has the largest effect of all.
    """

    worst: int
    best: int
    lead_share: float


def limit_costs(costs: Floats) -> Floats:
    """Cut costs [n] far above the others; a missing one, of a failed trial, becomes the worst that is left."""
    finite = costs[np.isfinite(costs)]
    lower, upper = np.quantile(finite, [0.25, 0.75])
    if lower == upper:
        lower, upper = np.quantile(np.unique(finite), [0.25, 0.75])
    worst = float(finite[finite <= upper + FENCE * (upper - lower)].max())
    result: Floats = np.where(np.isfinite(costs), np.minimum(costs, worst), worst)
    return result


def adjust_chances(chances: Sequence[float]) -> list[float]:
    """Adjust chances for their number (Holm 1979): all that stay below 5 % hold together in 95 % of studies."""
    order, highest = np.argsort(chances, kind="stable"), 0.0
    adjusted = [1.0] * len(chances)
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, chances[index] * (len(chances) - rank)))
        adjusted[index] = highest
    return adjusted


def estimate_effects(dimensions: Sequence[Dimension], points: Floats, costs: Floats) -> list[Effect]:
    """Estimate the effect of each dimension from trials at points [n, dimensions] with finite costs [n].

    A value is a position in 0..1, or the index of a choice; NaN where the trial does not use the dimension.
    """
    keep = np.unique(np.linspace(0, len(costs) - 1, min(MAX_TRIALS, len(costs))).round().astype(int))
    idle = np.array([dimension.idle_value for dimension in dimensions])
    points, costs = np.where(np.isnan(points), idle, points)[keep], costs[keep]
    surface = ResponseSurface([Axis(not dimension.choices) for dimension in dimensions], points, costs)
    measures, owners = build_level_measures(dimensions)
    means = surface.estimate_means(measures)
    tuned = surface.estimate_means(_build_tuned_measures(dimensions, points, costs, surface))
    mean_draws, tuned_draws = _draw_means(means), _draw_means(tuned)
    members = [np.flatnonzero(owners == index) for index in range(len(dimensions))]
    spans = np.stack([np.ptp(mean_draws[:, own], axis=1) for own in members], 1)
    leads = np.bincount(spans.argmax(1), minlength=len(dimensions)) / len(spans)
    return [
        _measure_effect((means, tuned), own, (mean_draws[:, own], tuned_draws[:, own]), float(lead))
        for own, lead in zip(members, leads, strict=True)
    ]


def _measure_effect(
    posteriors: tuple[MeanPosterior, MeanPosterior], own: NDArray[np.intp], drawn: tuple[Floats, Floats], lead: float
) -> Effect:
    """Measure one parameter's effect: its levels `own` on average and tuned, with draws [draws, levels] of both."""
    contrasts = [
        _compare_ends(means.centres[:, own].mean(0), levels) for means, levels in zip(posteriors, drawn, strict=True)
    ]
    is_tuned = contrasts[0][3] <= 0 < contrasts[1][3]
    # twice, because either comparison may show a difference
    chance = min(1.0, 2 * min(compute_chance_of_equals(means, own) for means in posteriors))
    bound = max(float(np.quantile(np.ptp(levels, axis=1), 1 - ALPHA)) for levels in drawn)
    worst, best, difference, low, high = contrasts[is_tuned]
    return Effect(difference, low, high, is_tuned, chance, bound, worst, best, lead)


def _compare_ends(centres: Floats, drawn: Floats) -> tuple[int, int, float, float, float]:
    """Return the worst and the best level by their centres [levels], their difference, and its 95 % interval."""
    worst, best = int(centres.argmax()), int(centres.argmin())
    low, high = np.quantile(drawn[:, worst] - drawn[:, best], [0.025, 0.975])
    return worst, best, float(centres[worst] - centres[best]), float(low), float(high)


def compute_chance_of_equals(means: MeanPosterior, own: NDArray[np.intp]) -> float:
    """Return the chance that the means `own`, were they all equal, lie as far apart as they do (Wald 1943).

    One test of all levels finds more than tests of all their pairs: where many differ, each adds to it.
    """
    if len(own) < 2:
        return 1.0
    centres, others = means.centres[:, own], np.arange(1, len(own))
    covariance = np.cov(centres.T, bias=True) + means.covariances[:, own][:, :, own].mean(0)
    contrasts = np.eye(len(own))[others] - np.eye(len(own))[0]
    difference, spread = contrasts @ centres.mean(0), contrasts @ covariance @ contrasts.T
    spread += np.eye(len(others)) * (JITTER * np.trace(spread) + 1e-300)
    return float(chdtrc(len(others), difference @ np.linalg.solve(spread, difference)))


def _draw_means(means: MeanPosterior) -> Floats:
    """Draw means [draws, k]."""
    rng, draws = np.random.default_rng(0), []
    for centre, covariance in zip(means.centres, means.covariances, strict=True):
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws.append(centre + rng.standard_normal((NORMAL_DRAWS, len(centre))) @ root.T)
    return np.concatenate(draws)


def _build_tuned_measures(
    dimensions: Sequence[Dimension], points: Floats, costs: Floats, surface: ResponseSurface
) -> Measures:
    """Place each level of each dimension at the trial's other values that promise it the lowest cost.

    Only trials that use the dimension offer theirs: the values of others switch it off.
    """
    best_first, chosen = np.argsort(costs, kind="stable"), []
    for index, dimension in enumerate(dimensions):
        is_user = np.all([np.isin(points[:, at], [*allowed]) for at, allowed in dimension.conditions.items()], axis=0)
        order = best_first[np.broadcast_to(is_user, len(points))[best_first]] if np.any(is_user) else best_first
        for level in range(dimension.level_count):
            is_own = _find_levels(dimension, points[:, index]) == level
            candidates = np.unique([*order[:MAX_CANDIDATES], *[row for row in order if is_own[row]][:MAX_CANDIDATES]])
            settings = points[candidates].copy()
            centre = float(level) if dimension.choices else (level + 0.5) / RANGE_LEVELS
            settings[:, index] = np.where(is_own[candidates], settings[:, index], centre)
            chosen.append(settings[int(surface.predict(settings).argmin())])
    columns, identity = np.array(chosen).T, np.eye(len(chosen))
    return Measures(list(columns), [identity] * len(columns), identity)


def _find_levels(dimension: Dimension, values: Floats) -> NDArray[np.intp]:
    """Return the level of each value; -1 for a choice that a trial does not use."""
    if dimension.choices:
        return values.astype(np.intp)
    return np.clip(np.floor(values * RANGE_LEVELS), 0, RANGE_LEVELS - 1).astype(np.intp)
