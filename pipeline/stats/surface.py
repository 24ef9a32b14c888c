"""A smooth surface over two quantities, and whether their product tells more than each alone."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Floats = NDArray[np.float64]

NEAR = 1.25
"""A place is near where a value lies within so many windows."""
WIDTHS = tuple(0.04 * 1.3**step for step in range(11))
"""Widths of the window that are tried, as shares of the ranges."""
LEAST = 24
"""Values that it takes to tell a product."""
REDRAWN = 200
"""How often values are drawn again."""
DEGREE = 3
"""The degree up to which each acts alone."""


@dataclass(frozen=True)
class Surface:
    """Gaussian-kernel regression (Nadaraya 1964, Watson 1964) of values [n] at places [n, 2] in the unit square.

    - `width` is the window's standard deviation, of `WIDTHS` the one with the least error where each trial in turn is
      foretold by the others.
    - `explained` is the share of the values' variance that is foretold so; 0 or less: no better than their mean.
    - `log`: the values are logarithms.
    """

    at: Floats
    values: Floats
    width: float
    explained: float
    log: bool = False

    def __call__(self, places: Floats) -> Floats:
        """The surface at places [m, 2]."""
        weight = np.exp(-_squares(places, self.at) / (2 * self.width**2))
        smooth: Floats = weight @ self.values / np.maximum(weight.sum(1), 1e-300)
        return smooth

    def near(self, places: Floats) -> NDArray[np.bool_]:
        """Which of places [m, 2] have a trial within the window's width."""
        close: NDArray[np.bool_] = _squares(places, self.at).min(1) <= (NEAR * self.width) ** 2
        return close


def _squares(places: Floats, others: Floats) -> Floats:
    along, up = (places[:, i, None] - others[None, :, i] for i in (0, 1))
    apart: Floats = along**2 + up**2
    return apart


def smoothed(at: Floats, values: Floats) -> Surface:
    """The surface with the window that foretells best."""
    apart, total = _squares(at, at), len(values)
    mean = (values.sum() - values) / (total - 1)
    chance = float(((values - mean) ** 2).mean())
    errors = []
    for width in WIDTHS:
        weight = np.exp(-apart / (2 * width**2))
        np.fill_diagonal(weight, 0.0)
        sums = weight.sum(1)
        # where no other trial is near enough to count there is nothing but their mean
        told = np.where(sums > 1e-12, weight @ values / np.maximum(sums, 1e-300), mean)
        errors.append(float(((values - told) ** 2).mean()))
    best = int(np.argmin(errors))
    return Surface(at, values, WIDTHS[best], 1 - errors[best] / chance if chance > 0 else 0.0)


def best_along(surface: Surface, share: float, sign: int) -> float:
    """Where along the first quantity the surface is best, the second at one place."""
    line = np.linspace(0, 1, 101)
    places = np.stack([line, np.full_like(line, share)], 1)
    values = np.where(surface.near(places), surface(places) * sign, np.inf)
    return float(line[int(np.argmin(values))])


def moved(surface: Surface, few: float, much: float, sign: int) -> tuple[float, float]:
    """By how much of its range the best of the first quantity moves, from few of the second to much: 95 % of redraws.

    The trials are drawn again with replacement, the window is kept; always the same draws.
    """
    draw, count, moves = np.random.default_rng(0), len(surface.values), []
    for _ in range(REDRAWN):
        again = draw.integers(0, count, count)
        other = replace(surface, at=surface.at[again], values=surface.values[again])
        moves.append(best_along(other, much, sign) - best_along(other, few, sign))
    low, high = np.quantile(moves, [0.025, 0.975])
    return float(low), float(high)


def product(at: Floats, values: Floats) -> float | None:
    """The chance of so large a product of two places [n, 2] in the unit square, where each acts on values [n] alone.

    Least squares on powers of each up to DEGREE and on their product; its error allows for noise that differs from
    trial to trial (HC3: MacKinnon and White 1985), its chance is Student's t, two-sided. None where trials are too few,
    or too much on one line to part the two.
    """
    centred = 2 * at - 1
    powers = [centred[:, [i]] ** power for i in (0, 1) for power in range(1, DEGREE + 1)]
    design = np.hstack([np.ones((len(at), 1)), *powers, centred[:, :1] * centred[:, 1:]])
    if len(values) < LEAST or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    inverse = np.linalg.pinv(design)
    fitted = inverse @ values
    leverage = np.minimum((design * inverse.T).sum(1), 1 - 1e-9)
    errors = (values - design @ fitted) / (1 - leverage)
    deviation = float(np.sqrt(((inverse[-1] * errors) ** 2).sum()))
    if not deviation > 0:
        return None
    return float(2 * stdtr(len(values) - design.shape[1], -abs(fitted[-1]) / deviation))
