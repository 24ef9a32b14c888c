"""A smooth surface over two quantities."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAR_WIDTHS = 1.25  # a point with a value within this many window widths is near
KERNEL_WIDTHS = tuple(0.04 * 1.3**step for step in range(11))  # window widths to try, as shares of the ranges


@dataclass(frozen=True)
class Surface:
    """Gaussian-kernel regression (Nadaraya 1964, Watson 1964) of values [n] at points [n, 2] in the unit square.

    - `width` is the window's standard deviation: of `KERNEL_WIDTHS` the one with the least leave-one-out error.
    - `explained` is the share of the values' variance that leave-one-out explains; 0 or less: no better than the mean.
    - `is_log`: the values are logarithms.
    """

    points: Floats
    values: Floats
    width: float
    explained: float
    is_log: bool = False

    def __call__(self, points: Floats) -> Floats:
        """Evaluate the surface at points [m, 2]."""
        weight = np.exp(-_squared_distances(points, self.points) / (2 * self.width**2))
        smooth: Floats = weight @ self.values / np.maximum(weight.sum(1), 1e-300)
        return smooth

    def is_near(self, points: Floats) -> NDArray[np.bool_]:
        """Say which of points [m, 2] have a trial within `NEAR_WIDTHS` widths of the window."""
        near: NDArray[np.bool_] = _squared_distances(points, self.points).min(1) <= (NEAR_WIDTHS * self.width) ** 2
        return near


def _squared_distances(points: Floats, others: Floats) -> Floats:
    across, up = (points[:, i, None] - others[None, :, i] for i in (0, 1))
    return across**2 + up**2


def fit_surface(points: Floats, values: Floats) -> Surface:
    """Fit the surface with the window that predicts best."""
    distances, total = _squared_distances(points, points), len(values)
    mean = (values.sum() - values) / (total - 1)
    baseline = float(((values - mean) ** 2).mean())
    errors = []
    for width in KERNEL_WIDTHS:
        weight = np.exp(-distances / (2 * width**2))
        np.fill_diagonal(weight, 0.0)
        sums = weight.sum(1)
        # with no other trial near enough to count, predict the mean of the others
        predicted = np.where(sums > 1e-12, weight @ values / np.maximum(sums, 1e-300), mean)
        errors.append(float(((values - predicted) ** 2).mean()))
    best = int(np.argmin(errors))
    return Surface(points, values, KERNEL_WIDTHS[best], 1 - errors[best] / baseline if baseline > 0 else 0.0)
