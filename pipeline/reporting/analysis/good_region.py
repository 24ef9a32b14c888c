"""Where the best trials lie: whether they crowd at an end of a range, and as a space to search next."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import choice_key

MIN_RANGE_WIDTH = 0.1
WIDENING_SHARE = 0.5
SNAP_SHARE = 0.05
"""In shares of the range searched: the least width of a range to search next, how far it reaches past an end, and how
near to an end it ends there."""
MIN_BEST_TRIALS = 5
"""Trials that are enough to be the best."""
MIN_COMPLETE_TRIALS = 10
"""Complete ones from which the best say where good values lie."""
END_SHARE = 0.1
"""The share of a range that is its end."""
ALPHA = 0.05
"""The share of false findings over all ends."""


def jitter_trials(trials: pd.Series, room: float) -> pd.Series:
    """Where marks stand beside each other, in the middle `room` of 0 to 1, by number of trial.

    The golden ratio spreads neighbours evenly, and the same in each report.
    """
    return (1 - room) / 2 + room * ((trials * 0.6180339887) % 1)


def select_best_tenth(tables: StudyTables) -> pd.DataFrame:
    """The best tenth of the complete trials, five at least."""
    return tables.ranked.head(max(MIN_BEST_TRIALS, len(tables.ranked) // 10))


def select_near_best(tables: StudyTables) -> pd.DataFrame:
    """Complete trials that a single run cannot tell from the best, best first; none where the noise is not known."""
    noise, ranked = estimate_seed_noise(tables), tables.ranked
    if noise is None or ranked.empty:
        return ranked.head(0)
    near: pd.DataFrame = ranked[(ranked["value"] - ranked["value"].iloc[0]).abs() <= noise.least_significant_difference]
    return near


def select_good_trials(tables: StudyTables) -> pd.DataFrame:
    """The trials that are close to the best; the best tenth where the noise is unknown or they are few."""
    near = select_near_best(tables)
    return near if len(near) >= MIN_BEST_TRIALS else select_best_tenth(tables)


def chance_at_end(parameter: SearchedParameter, end: str) -> float:
    """The chance that a draw from the whole range lies within a tenth of it from one end.

    A whole number k has what is rounded to it: on a log scale log((k + 1/2) / (k - 1/2)), as Optuna draws it.
    """
    if not parameter.whole:
        return END_SHARE
    whole = np.arange(parameter.low, parameter.high + 1)
    weights = np.log((whole + 0.5) / (whole - 0.5)) if parameter.log else np.ones(len(whole))
    steps = parameter.relative_position(pd.Series(whole))
    inside = (steps < END_SHARE) if end == "low" else (steps > 1 - END_SHARE)
    return float(weights[inside].sum() / weights.sum())


def find_crowded_end(tables: StudyTables, parameter: SearchedParameter) -> str:
    """The end of a range, `low` or `high`, at which the best trials crowd beyond what draws from all of it would."""
    if len(tables.ranked) < MIN_COMPLETE_TRIALS:
        return ""
    known = select_best_tenth(tables).dropna(subset=[parameter.name])
    # several ends are looked at, so each must be the more unlikely
    ends = 2 * sum(one.is_range for one in tables.parameters)
    for side in ("low", "high"):
        count = int(is_near_end(known, parameter, side).sum())
        if count >= len(known) / 2 and binom.sf(count - 1, len(known), chance_at_end(parameter, side)) <= ALPHA / ends:
            return side
    return ""


def is_near_end(trials: pd.DataFrame, parameter: SearchedParameter, end: str) -> pd.Series:
    """Which trials lie within a tenth of a range from one of its ends."""
    places = parameter.relative_position(trials[parameter.name])
    return places < END_SHARE if end == "low" else places > 1 - END_SHARE


def build_next_range(
    parameter: SearchedParameter,
    good_values: pd.Series,
    widened_end: str = "",
    failure_bounds: Mapping[str, float] | None = None,
) -> SearchedParameter:
    """A range around the `good_values` values of its parameter; as it was where they are fewer than two.

    It reaches from the smallest to the largest and on by (n + 1) / (n - 1) of their distance, by which the sample range
    of n falls short of the range that they were drawn from evenly (David and Nagaraja 2003, section 2.3). Past the end
    that is `widened_end` (`low` or `high`) it reaches half the old range further. It ends at `failure_bounds`, values by end, but
    never leaves a good value out.
    """
    known = parameter.relative_position(good_values.dropna())
    enough = len(known) > 1
    low, high = _extend_range(known) if enough else (0.0, 1.0)
    low, high = (
        (-WIDENING_SHARE if widened_end == "low" else low),
        (1 + WIDENING_SHARE if widened_end == "high" else high),
    )
    for end, value in (failure_bounds or {}).items():
        place = float(parameter.relative_position(pd.Series([value])).iloc[0])
        if end == "low":
            low = max(low, min(place, float(known.min()) if enough else place))
        else:
            high = min(high, max(place, float(known.max()) if enough else place))
    low, high = (low, high) if low < high else (0.0, 1.0)
    ends = _round_ends(low, high, parameter)
    return replace(parameter, low=ends[0], high=ends[1])


def _extend_range(places: pd.Series) -> tuple[float, float]:
    low, high, count = float(places.min()), float(places.max()), len(places)
    room = max((high - low) / (count - 1), (MIN_RANGE_WIDTH - (high - low)) / 2)
    low, high = low - room, high + room
    return 0.0 if low < SNAP_SHARE else low, 1.0 if high > 1 - SNAP_SHARE else high


def _round_ends(low: float, high: float, parameter: SearchedParameter) -> tuple[float, float]:
    """The ends as values, rounded outwards; a range within 0..1 stays there (shares), and what is positive.

    Where 1 itself would be too much (a momentum), `high` is rounded towards the old end, in as many digits as pass it.
    """
    old = parameter.low, parameter.high
    ends = [parameter.value_at(low), parameter.value_at(high)]
    if not parameter.log and old[0] >= 0:
        ends[0] = max(ends[0], 0.0)
        ends[1] = min(ends[1], (1 + old[1]) / 2) if old[1] <= 1 else ends[1]
    if parameter.whole:
        # a power of a quotient misses whole numbers by its last digits
        first, last = math.floor(float(f"{ends[0]:.9g}")), math.ceil(float(f"{ends[1]:.9g}"))
        return max(first, 1) if old[0] >= 1 else first, last
    outward = [_round_digits(ends[0], math.floor), _round_digits(ends[1], math.ceil)]
    if not parameter.log and old[1] < 1 <= outward[1]:
        outward[1] = next((end for n in range(2, 6) if (end := _round_digits(ends[1], math.floor, n)) > old[1]), old[1])
    return (
        old[0] if low >= 0 and outward[0] < old[0] else outward[0],
        old[1] if high <= 1 and outward[1] > old[1] else outward[1],
    )


def _round_digits(value: float, rounding: Any, digits: int = 2) -> float:
    """With so many significant digits, up or down."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
    return float(f"{rounding(round(value / unit, 6)) * unit:.{digits}g}")


def is_inside_space(trials: pd.DataFrame, space: Sequence[SearchedParameter]) -> pd.Series:
    """Which trials lie in a space; a parameter that plays no part in a trial is no bar."""
    within = pd.Series(True, index=trials.index)
    for parameter in space:
        values = trials[parameter.name]
        if parameter.is_range:
            fits = values.astype(float).between(parameter.low, parameter.high)
        else:
            fits = values.map(choice_key).isin([choice_key(choice) for choice in parameter.choices])
        within &= fits | values.isna() | (values.astype(str) == "")
    return within
