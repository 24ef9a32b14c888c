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

MAP_CELLS = 28  # on each side
MAP_SHADES = 5
SHADE_POWER = 1.5  # of the spacing of shades
MIN_TRIALS = 12  # fewer give no surface
MIN_EXPLAINED_SHARE = 0.1  # of the differences that a surface must predict


def locate_trials(
    tables: StudyTables, equal_training: EqualTraining, x_parameter: SearchedParameter, y_parameter: SearchedParameter
) -> tuple[pd.DataFrame, Floats, Floats]:
    """Return the trials that have both parameters, their positions [n, 2] in the unit square, and their values [n].

    Far values are moved to the edge of the window; a diverged trial, or one that broke a limit, has NaN.
    """
    trials = tables.trials[tables.trials["number"].isin(equal_training.values.index)]
    trials = trials.dropna(subset=[x_parameter.name, y_parameter.name]).sort_values("number")
    values = equal_training.values.reindex(trials["number"])
    window = compute_window(values, tables.sign)
    columns = [p.relative_position(trials[p.name]).to_numpy(np.float64) for p in (x_parameter, y_parameter)]
    return trials, np.stack(columns, 1), values.clip(window.low, window.high).to_numpy(np.float64)


def fit_trial_surface(
    tables: StudyTables, equal_training: EqualTraining, x_parameter: SearchedParameter, y_parameter: SearchedParameter
) -> Surface | None:
    """Fit the surface over two numeric parameters; None with too few trials, or if it predicts hardly anything."""
    _, positions, values = locate_trials(tables, equal_training, x_parameter, y_parameter)
    if len(values) < MIN_TRIALS or not np.isfinite(values).any():
        return None
    window = compute_window(pd.Series(values), tables.sign)
    clipped = window.clip_values(pd.Series(values), tables.sign).to_numpy(np.float64)
    surface = fit_surface(positions, np.log(clipped) if window.is_log else clipped)
    return replace(surface, is_log=window.is_log) if surface.explained >= MIN_EXPLAINED_SHARE else None
