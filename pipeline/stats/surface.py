"""A smooth surface over two quantities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAR_WIDTHS = 1.25
"""A place is near where a value lies within so many windows."""
KERNEL_WIDTHS = tuple(0.04 * 1.3**step for step in range(11))
"""Widths of the window that are tried, as shares of the ranges."""


@dataclass(frozen=True)
class Surface:
    """Gaussian-kernel regression (Nadaraya 1964, Watson 1964) of values [n] at places [n, 2] in the unit square.

    - `width` is the window's standard deviation, of `WIDTHS` the one with the least error where each trial in turn is
      foretold by the others.
    - `explained` is the share of the values' variance that is foretold so; 0 or less: no better than their mean.
    - `log`: the values are logarithms.
    """

    points: Floats
    values: Floats
    width: float
    explained: float
    is_log: bool = False

    def __call__(self, places: Floats) -> Floats:
        """The surface at places [m, 2]."""
        weight = np.exp(-_squared_distances(places, self.points) / (2 * self.width**2))
        smooth: Floats = weight @ self.values / np.maximum(weight.sum(1), 1e-300)
        return smooth

    def is_near(self, places: Floats) -> NDArray[np.bool_]:
        """Which of places [m, 2] have a trial within the window's width."""
        close: NDArray[np.bool_] = _squared_distances(places, self.points).min(1) <= (NEAR_WIDTHS * self.width) ** 2
        return close


def _squared_distances(places: Floats, others: Floats) -> Floats:
    along, up = (places[:, i, None] - others[None, :, i] for i in (0, 1))
    apart: Floats = along**2 + up**2
    return apart


def fit_surface(points: Floats, values: Floats) -> Surface:
    """The surface with the window that foretells best."""
    apart, total = _squared_distances(points, points), len(values)
    mean = (values.sum() - values) / (total - 1)
    chance = float(((values - mean) ** 2).mean())
    errors = []
    for width in KERNEL_WIDTHS:
        weight = np.exp(-apart / (2 * width**2))
        np.fill_diagonal(weight, 0.0)
        sums = weight.sum(1)
        # where no other trial is near enough to count there is nothing but their mean
        told = np.where(sums > 1e-12, weight @ values / np.maximum(sums, 1e-300), mean)
        errors.append(float(((values - told) ** 2).mean()))
    best = int(np.argmin(errors))
    return Surface(points, values, KERNEL_WIDTHS[best], 1 - errors[best] / chance if chance > 0 else 0.0)
