"""Whether the best trials crowd at an end of a range: beyond what draws from all of it would do."""

import numpy as np
import pandas as pd
from scipy.stats import binom

from thalweg.reporting.analysis.good_region import ENOUGH, top
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

EDGE = 0.1
"""The share of a range that is its end."""
LEVEL = 0.05
"""The share of false findings over all ends."""


def chance(parameter: SearchedParameter, side: str) -> float:
    """The chance that a draw from the whole range lies within a tenth of it from one end.

    A whole number k has what is rounded to it: on a log scale log((k + 1/2) / (k - 1/2)), as Optuna draws it.
    """
    if not parameter.whole:
        return EDGE
    whole = np.arange(parameter.low, parameter.high + 1)
    weights = np.log((whole + 0.5) / (whole - 0.5)) if parameter.log else np.ones(len(whole))
    steps = parameter.position(pd.Series(whole))
    inside = (steps < EDGE) if side == "low" else (steps > 1 - EDGE)
    return float(weights[inside].sum() / weights.sum())


def crowded(tables: StudyTables, parameter: SearchedParameter) -> str:
    """The end of a range, `low` or `high`, at which the best trials crowd beyond what draws from all of it would."""
    if len(tables.ranked) < ENOUGH:
        return ""
    known = top(tables).dropna(subset=[parameter.name])
    # several ends are looked at, so each must be the more unlikely
    ends = 2 * sum(one.is_range for one in tables.parameters)
    for side in ("low", "high"):
        count = int(near(known, parameter, side).sum())
        if count >= len(known) / 2 and binom.sf(count - 1, len(known), chance(parameter, side)) <= LEVEL / ends:
            return side
    return ""


def near(trials: pd.DataFrame, parameter: SearchedParameter, side: str) -> pd.Series:
    """Which trials lie within a tenth of a range from one of its ends."""
    places = parameter.position(trials[parameter.name])
    return places < EDGE if side == "low" else places > 1 - EDGE
