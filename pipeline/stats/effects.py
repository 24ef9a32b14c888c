"""The effect of each parameter on a cost: how much worse its worst level is than its best.

A level is a choice, or a third of a range. Its cost is averaged over the space of all other parameters, not over the
trials, so it does not matter where a sampler looked (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for
assessing hyperparameter importance", there with random forests). A Gaussian process gives these means with their
uncertainty. The same code serves any trials and space: it knows no report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from thalweg.stats.level_measures import RANGE_LEVELS, Dimension, build_level_measures
from thalweg.stats.response_surface import Axis, MeanPosterior, Measures, ResponseSurface

Floats = NDArray[np.float64]

WIDENING = 1.3
"""What intervals are widened by. No process is as smooth everywhere as the one fitted: without it, intervals hold the
truth in 80 to 90 % of studies of TPE (benchmarks/calibration)."""
NORMAL_DRAWS = 25
"""Draws of the means from each draw of the kernel."""
MAX_TRIALS = 120
"""More are thinned evenly: the time grows with their cube."""
MAX_CANDIDATES = 40
"""The best trials, at whose other parameters each level is tried."""
FENCE = 10
"""Costs that lie this many interquartile ranges above the upper quartile are cut (after Tukey 1977)."""
ALPHA = 0.05


@dataclass(frozen=True)
class Effect:
    """How much a parameter changes the cost.

    - `worst`, `best`: levels by their mean cost; `difference` of the two, with its 95 % interval `low` to `high`.
    - `chance`: that two levels as far apart are equal, times the number of pairs.
    - `tuned_chance`: the same where the other parameters are at what is best for each level.
    - `bound`: any two levels differ by less than this with a probability of 95 %, both on average over the space and
      with the other parameters at what is best for each level.
    - `lead_share`: the share of draws in which it has the largest effect of all.
    """

    worst: int
    best: int
    difference: float
    low: float
    high: float
    chance: float
    tuned_chance: float
    bound: float
    lead_share: float


def limit_costs(costs: Floats) -> Floats:
    """Cut costs [n] far above the others; a missing one, of a failed trial, becomes the worst that is left."""
    finite = costs[np.isfinite(costs)]
    lower, upper = np.quantile(finite, [0.25, 0.75])
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
    centres = posteriors[0].centres.mean(0)[own]
    worst, best = int(centres.argmax()), int(centres.argmin())
    low, high = np.quantile(drawn[0][:, worst] - drawn[0][:, best], [0.025, 0.975])
    pairs = list(combinations(own, 2))
    chance, tuned_chance = (
        min([1.0, *(len(pairs) * _chance_of_equals(means, *pair) for pair in pairs)]) for means in posteriors
    )
    bound = max(float(np.quantile(np.ptp(levels, axis=1), 1 - ALPHA)) for levels in drawn)
    difference = float(centres[worst] - centres[best])
    return Effect(worst, best, difference, float(low), float(high), chance, tuned_chance, bound, lead)


def _chance_of_equals(means: MeanPosterior, first: int, second: int) -> float:
    """Return the chance, two-sided, that two means differ in the other direction than they seem to."""
    difference = means.centres[:, first] - means.centres[:, second]
    covariances = means.covariances
    variance = covariances[:, first, first] + covariances[:, second, second] - 2 * covariances[:, first, second]
    middle = float(difference.mean())
    scaled = (middle + (difference - middle) * WIDENING) / (WIDENING * np.sqrt(np.maximum(variance, 1e-300)))
    below = float(ndtr(-scaled).mean())
    return 2 * min(below, 1 - below)


def _draw_means(means: MeanPosterior) -> Floats:
    """Draw means [draws, k], farther from their centre by WIDENING."""
    rng, draws = np.random.default_rng(0), []
    for centre, covariance in zip(means.centres, means.covariances, strict=True):
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws.append(centre + rng.standard_normal((NORMAL_DRAWS, len(centre))) @ root.T)
    drawn, middle = np.concatenate(draws), means.centres.mean(0)
    result: Floats = middle + WIDENING * (drawn - middle)
    return result


def _build_tuned_measures(
    dimensions: Sequence[Dimension], points: Floats, costs: Floats, surface: ResponseSurface
) -> Measures:
    """Place each level of each dimension at the trial's other values that promise it the lowest cost."""
    order, chosen = np.argsort(costs, kind="stable"), []
    for index, dimension in enumerate(dimensions):
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
