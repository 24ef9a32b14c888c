"""PED-ANOVA: how far the best trials' values of each parameter differ from those of all trials.

Watanabe, Bansal and Hutter 2023, "PED-ANOVA: Efficiently quantifying hyperparameter importance in arbitrary subspaces":
the Pearson divergence of two densities, estimated as Optuna's evaluator does (Parzen windows by Scott's rule on a
grid), which also says how a parameter counts that only some trials have. Optuna evaluates one choice of the best
trials, `importances` many at once, which redrawing needs; a test holds one against the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

MIN_WINDOW_WIDTH = 0.5 / 1.64
"""Optuna's: the least width of a window, in steps."""
MIN_DENSITY = 1e-12
"""Optuna's: what a density is at least."""


@dataclass(frozen=True)
class ParameterColumn:
    """A parameter's values by trial [trials]: steps of its range or places among its choices; -1: plays no part."""

    name: str
    positions: NDArray[np.int64]
    size: int
    is_ordered: bool

    @property
    def one_hot(self) -> Floats:
        """[trials, size]: 1 at each trial's value."""
        marks: Floats = (self.positions[:, None] == np.arange(self.size)).astype(np.float64)
        return marks


def mark_best(values: Floats, count: int, weights: Floats | None = None) -> Floats:
    """1 for the `count` smallest of values [draws, trials], and what equals the last of them; else 0.

    With `weights` [draws, trials] a trial stands for so many.
    """
    order = np.argsort(values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, 1)
    many = np.ones_like(values) if weights is None else np.take_along_axis(weights, order, 1)
    last = np.argmax(np.cumsum(many, axis=1) >= count - 0.5, axis=1)
    chosen: Floats = (values <= np.take_along_axis(ranked, last[:, None], 1)).astype(np.float64)
    return chosen if weights is None else chosen * weights


def compute_importances(columns: Sequence[ParameterColumn], top: Floats, all_trials: Floats) -> Floats:
    """The importance of each parameter [draws, parameters], not normalized.

    `top` [draws, trials] counts how often a trial is among the best, `all_trials` [draws or 1, trials] among all. For a
    parameter that only some trials have it is the divergence among these, times a^2 / b, with its share a of the best
    and b of all trials (Theorem 4.2 of "Conditional PED-ANOVA", 2026, as Optuna cites it).
    """
    share = top.sum(1) / all_trials.sum(1)
    found = np.zeros((len(top), len(columns)))
    for place, one in enumerate(columns):
        if one.size < 2:
            continue
        first, of_all = top @ one.one_hot, all_trials @ one.one_hot
        enough = (first.sum(1) > 0) & (of_all.sum(1) > 1)
        a, b = first.sum(1) / top.sum(1), of_all.sum(1) / all_trials.sum(1)
        there, usual = (
            estimate_density(first, one.is_ordered) + MIN_DENSITY,
            estimate_density(of_all, one.is_ordered) + MIN_DENSITY,
        )
        apart = (usual * (there / usual - 1) ** 2).sum(1)
        found[:, place] = np.where(enough, share**2 * a**2 / np.where(b > 0, b, 1) * apart, 0.0)
    return found


def estimate_density(counts: Floats, ordered: bool) -> Floats:
    """The density [draws, size] of values that were counted [draws, size], with one further value spread evenly."""
    size, total = counts.shape[1], counts.sum(1, keepdims=True)
    if not ordered:
        kernels = (counts > 0).sum(1, keepdims=True) + 1
        seen = (total / kernels + counts) / (size / kernels + 1)
        found: Floats = (seen + 1 / size) / (total + 1)
        return found
    edges = ndtr((np.arange(1 - size, size + 1) - 0.5) / window_width(counts)[:, None])
    # a window's mass in a step at some distance from its middle, and that which lies inside the range
    mass, middle = np.diff(edges, axis=1), np.arange(size)
    inside = edges[:, 2 * size - 1 - middle] - edges[:, size - 1 - middle]
    apart = middle[:, None] - middle[None, :] + size - 1
    seen = (mass[:, apart] @ (counts / inside)[:, :, None])[:, :, 0]
    even = np.diff(ndtr((np.arange(size + 1) - size / 2) / size))
    smooth: Floats = (seen + even / (2 * ndtr(0.5) - 1)) / (total + 1)
    return smooth


def window_width(counts: Floats) -> Floats:
    """The standard deviation [draws] of the windows, in steps: Scott 1992, by the narrower of two spreads."""
    steps, total = np.arange(counts.shape[1]), np.maximum(counts.sum(1), 1)
    mean = counts @ steps / total
    square = (counts * (steps - mean[:, None]) ** 2).sum(1) / np.maximum(total - 1, 1)
    until = np.cumsum(counts, axis=1)
    lower = np.argmax(until >= np.maximum(total // 4, 1)[:, None], axis=1)
    upper = np.argmax(until > (total * 3 // 4)[:, None], axis=1)
    spread = np.minimum((upper - lower) / 1.34, np.sqrt(square))
    widths: Floats = np.maximum(1.059 * spread * total**-0.2, MIN_WINDOW_WIDTH)
    return widths
