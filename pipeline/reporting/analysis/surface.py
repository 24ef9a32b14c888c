"""A smooth surface over two parameters."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.equal_training import Levels
from thalweg.reporting.analysis.window import window
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

Floats = NDArray[np.float64]

CELLS = 28

SHADES = 5

FINER = 1.5

LEAST = 12

NEAR = 1.25

TOLD = 0.1
"""Cells a side; shades, and the power of their spacing; trials at least; drawn within so many windows of a trial; the
share of the differences that a surface must foretell."""

WIDTHS = tuple(0.04 * 1.3**step for step in range(11))
"""Widths of the window that are tried, as shares of the ranges."""


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


def both(
    tables: StudyTables, found: Levels, across: SearchedParameter, up: SearchedParameter
) -> tuple[pd.DataFrame, Floats, Floats]:
    """The trials that have both parameters, their places [n, 2] in the unit square, and their values [n].

    Values far out are brought to the edge of what is worth drawing; what diverged or broke a limit has none.
    """
    trials = tables.trials[tables.trials["number"].isin(found.values.index)]
    trials = trials.dropna(subset=[across.name, up.name]).sort_values("number")
    values = found.values.reindex(trials["number"])
    seen = window(values, tables.sign)
    at = np.stack([one.position(trials[one.name]).to_numpy(np.float64) for one in (across, up)], 1)
    return trials, at, values.clip(seen.low, seen.high).to_numpy(np.float64)


def surface_of(tables: StudyTables, found: Levels, across: SearchedParameter, up: SearchedParameter) -> Surface | None:
    """The surface over two numeric parameters; None where it takes more trials, or foretells hardly anything."""
    _, at, values = both(tables, found, across, up)
    if len(values) < LEAST or not np.isfinite(values).any():
        return None
    seen = window(pd.Series(values), tables.sign)
    placed = seen.place(pd.Series(values), tables.sign).to_numpy(np.float64)
    surface = smoothed(at, np.log(placed) if seen.log else placed)
    return replace(surface, log=seen.log) if surface.explained >= TOLD else None
