"""PED-ANOVA: how far the best trials' values of each parameter differ from all trials' values.

Watanabe, Bansal and Hutter 2023, "PED-ANOVA: Efficiently quantifying hyperparameter importance in arbitrary subspaces":
the Pearson divergence of two densities, estimated as in Optuna's evaluator (Parzen windows by Scott's rule on a grid),
also for a parameter that only some trials have. Optuna evaluates one choice of the best trials; `compute_importances`
evaluates many at once, for resampling. A test compares the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

MIN_WINDOW_WIDTH = 0.5 / 1.64  # steps; Optuna's
MIN_DENSITY = 1e-12  # Optuna's; keeps the ratio of two densities finite


@dataclass(frozen=True)
class ParameterColumn:
    """A parameter's values by trial [trials]: steps of its range or indices of its choices; -1: not active there."""

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
    """Mark the `count` smallest values [draws, trials], and ties with the last of them, by 1, the others by 0.

    With `weights` [draws, trials] each trial counts that many times.
    """
    order = np.argsort(values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, 1)
    repeats = np.ones_like(values) if weights is None else np.take_along_axis(weights, order, 1)
    last = np.argmax(np.cumsum(repeats, axis=1) >= count - 0.5, axis=1)
    best: Floats = (values <= np.take_along_axis(ranked, last[:, None], 1)).astype(np.float64)
    return best if weights is None else best * weights


def compute_importances(columns: Sequence[ParameterColumn], top: Floats, all_trials: Floats) -> Floats:
    """Compute the importance of each parameter [draws, parameters], not normalised.

    `top` [draws, trials] counts how often a trial is among the best, `all_trials` [draws or 1, trials] among all. For a
    parameter that only some trials have it is the divergence among these times a^2 / b, where a is their share of the
    best and b of all trials (Theorem 4.2 of "Conditional PED-ANOVA", 2026, as Optuna cites it).
    """
    share = top.sum(1) / all_trials.sum(1)
    importances = np.zeros((len(top), len(columns)))
    for index, column in enumerate(columns):
        if column.size < 2:
            continue
        best, of_all = top @ column.one_hot, all_trials @ column.one_hot
        enough = (best.sum(1) > 0) & (of_all.sum(1) > 1)
        a, b = best.sum(1) / top.sum(1), of_all.sum(1) / all_trials.sum(1)
        best_density = estimate_density(best, column.is_ordered) + MIN_DENSITY
        density = estimate_density(of_all, column.is_ordered) + MIN_DENSITY
        divergence = (density * (best_density / density - 1) ** 2).sum(1)
        importances[:, index] = np.where(enough, share**2 * a**2 / np.where(b > 0, b, 1) * divergence, 0.0)
    return importances


def estimate_density(counts: Floats, ordered: bool) -> Floats:
    """Estimate the density [draws, size] of counted values [draws, size], with one more value spread evenly."""
    size, total = counts.shape[1], counts.sum(1, keepdims=True)
    if not ordered:
        kernels = (counts > 0).sum(1, keepdims=True) + 1
        kernel_sums = (total / kernels + counts) / (size / kernels + 1)
        density: Floats = (kernel_sums + 1 / size) / (total + 1)
        return density
    edges = ndtr((np.arange(1 - size, size + 1) - 0.5) / window_width(counts)[:, None])
    # a window's mass in each step by its distance from the middle, and its mass inside the range
    mass, middle = np.diff(edges, axis=1), np.arange(size)
    inside = edges[:, 2 * size - 1 - middle] - edges[:, size - 1 - middle]
    offsets = middle[:, None] - middle[None, :] + size - 1
    kernel_sums = (mass[:, offsets] @ (counts / inside)[:, :, None])[:, :, 0]
    even = np.diff(ndtr((np.arange(size + 1) - size / 2) / size))
    smooth: Floats = (kernel_sums + even / (2 * ndtr(0.5) - 1)) / (total + 1)
    return smooth


def window_width(counts: Floats) -> Floats:
    """Compute the windows' standard deviation [draws], in steps: Scott 1992, by the narrower of two spreads."""
    steps, total = np.arange(counts.shape[1]), np.maximum(counts.sum(1), 1)
    mean = counts @ steps / total
    square = (counts * (steps - mean[:, None]) ** 2).sum(1) / np.maximum(total - 1, 1)
    cumulative = np.cumsum(counts, axis=1)
    lower = np.argmax(cumulative >= np.maximum(total // 4, 1)[:, None], axis=1)
    upper = np.argmax(cumulative > (total * 3 // 4)[:, None], axis=1)
    spread = np.minimum((upper - lower) / 1.34, np.sqrt(square))
    widths: Floats = np.maximum(1.059 * spread * total**-0.2, MIN_WINDOW_WIDTH)
    return widths
