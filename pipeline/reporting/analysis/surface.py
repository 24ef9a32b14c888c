"""The objective as a smooth surface over two parameters."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.equal_training import EqualTraining
from thalweg.reporting.analysis.window import compute_window
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.surface import Surface, fit_surface

Floats = NDArray[np.float64]

MAP_CELLS = 28
"""Cells a side."""
MAP_SHADES = 5
"""Shades of a map."""
SHADE_POWER = 1.5
"""The power of their spacing."""
MIN_TRIALS = 12
"""Trials at least."""
MIN_EXPLAINED_SHARE = 0.1
"""The share of the differences that a surface must foretell."""


def locate_trials(
    tables: StudyTables, equal_training: EqualTraining, x_parameter: SearchedParameter, y_parameter: SearchedParameter
) -> tuple[pd.DataFrame, Floats, Floats]:
    """The trials that have both parameters, their places [n, 2] in the unit square, and their values [n].

    Values far out are brought to the edge of what is worth drawing; what diverged or broke a limit has none.
    """
    trials = tables.trials[tables.trials["number"].isin(equal_training.values.index)]
    trials = trials.dropna(subset=[x_parameter.name, y_parameter.name]).sort_values("number")
    values = equal_training.values.reindex(trials["number"])
    seen = compute_window(values, tables.sign)
    at = np.stack(
        [one.relative_position(trials[one.name]).to_numpy(np.float64) for one in (x_parameter, y_parameter)], 1
    )
    return trials, at, values.clip(seen.low, seen.high).to_numpy(np.float64)


def fit_trial_surface(
    tables: StudyTables, equal_training: EqualTraining, x_parameter: SearchedParameter, y_parameter: SearchedParameter
) -> Surface | None:
    """The surface over two numeric parameters; None where it takes more trials, or foretells hardly anything."""
    _, at, values = locate_trials(tables, equal_training, x_parameter, y_parameter)
    if len(values) < MIN_TRIALS or not np.isfinite(values).any():
        return None
    seen = compute_window(pd.Series(values), tables.sign)
    placed = seen.clip_values(pd.Series(values), tables.sign).to_numpy(np.float64)
    surface = fit_surface(at, np.log(placed) if seen.is_log else placed)
    return replace(surface, is_log=seen.is_log) if surface.explained >= MIN_EXPLAINED_SHARE else None
