"""Where the best trials lie: at an end of a range or not, and the range to search next."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import choice_key

MIN_RANGE_WIDTH = 0.1  # of the next range, as a share of the present one
WIDENING_SHARE = 0.5  # how far the next range exceeds an end at most, as a share of the present one
WIDENING_FACTOR = 10.0  # the same on a log scale, where half of a wide range would be far
SNAP_SHARE = 0.05  # a new end this close to the old one becomes the old one
MIN_BEST_TRIALS = 5
MIN_COMPLETE_TRIALS = 10  # fewer do not show where good values lie
END_SHARE = 0.1  # the share of a range that counts as its end
ALPHA = 0.05  # false positives over all ends


def jitter_trials(trials: pd.Series, room: float) -> pd.Series:
    """Return positions that keep marks apart, in the middle `room` of 0 to 1, by trial number.

    The golden ratio spreads neighbours evenly, and always in the same way.
    """
    return (1 - room) / 2 + room * ((trials * 0.6180339887) % 1)


def select_best_tenth(tables: StudyTables) -> pd.DataFrame:
    """Return the best tenth of the complete trials, but at least five."""
    return tables.ranked.head(max(MIN_BEST_TRIALS, len(tables.ranked) // 10))


@cache_per_study
def select_near_best(tables: StudyTables) -> pd.DataFrame:
    """Return the complete trials within seed noise of the best, best first; none if the noise is unknown."""
    noise, ranked = estimate_seed_noise(tables), tables.ranked
    if noise is None or ranked.empty:
        return ranked.head(0)
    distance = (ranked["value"] - ranked["value"].iloc[0]).abs()
    close: pd.DataFrame = ranked[distance <= noise.least_significant_difference]
    return close


def select_good_trials(tables: StudyTables) -> pd.DataFrame:
    """Return the trials within noise of the best; the best tenth if the noise is unknown or they are few."""
    close = select_near_best(tables)
    return close if len(close) >= MIN_BEST_TRIALS else select_best_tenth(tables)


def chance_at_end(parameter: SearchedParameter, end: str) -> float:
    """Return the chance that a draw from the whole range lies within a tenth of it from one end.

    A whole number k stands for all values that round to it: log((k + 1/2) / (k - 1/2)) on a log scale, as in Optuna.
    """
    if not parameter.whole:
        return END_SHARE
    values = np.arange(parameter.low, parameter.high + 1)
    weights = np.log((values + 0.5) / (values - 0.5)) if parameter.log else np.ones(len(values))
    positions = parameter.relative_position(pd.Series(values))
    inside = (positions < END_SHARE) if end == "low" else (positions > 1 - END_SHARE)
    return float(weights[inside].sum() / weights.sum())


def find_crowded_end(tables: StudyTables, parameter: SearchedParameter) -> str:
    """Return the end, `low` or `high`, where more of the best trials lie than chance allows; "" if neither.

    Only of a parameter that mattered: a sampler that learns may crowd anywhere in a range that does not matter.
    """
    ranking = rank_importances(tables)
    if len(tables.ranked) < MIN_COMPLETE_TRIALS or ranking is None or not ranking.has_important(parameter.name):
        return ""
    best = select_best_tenth(tables).dropna(subset=[parameter.name])
    # both ends of every range are tested, so each must be less likely
    ends = 2 * sum(other.is_range for other in tables.parameters)
    for end in ("low", "high"):
        count = int(is_near_end(best, parameter, end).sum())
        if count >= len(best) / 2 and bdtrc(count - 1, len(best), chance_at_end(parameter, end)) <= ALPHA / ends:
            return end
    return ""


def is_near_end(trials: pd.DataFrame, parameter: SearchedParameter, end: str) -> pd.Series:
    """Return which trials lie within a tenth of the range from one end."""
    positions = parameter.relative_position(trials[parameter.name])
    return positions < END_SHARE if end == "low" else positions > 1 - END_SHARE


def narrow_parameter(
    parameter: SearchedParameter,
    good_trials: pd.DataFrame,
    is_important: bool,
    widened_end: str = "",
    failure_bounds: Mapping[str, float] | None = None,
) -> SearchedParameter:
    """Return a parameter with the range or the choices of good trials, if it matters; else as it is.

    Ends move all the same where `widened_end` and `failure_bounds` say so. It is a function of trials and a parameter
    alone, so a search could narrow its space by it, too.
    """
    good_values = good_trials[parameter.name].dropna() if is_important else good_trials[parameter.name].iloc[:0]
    if parameter.is_range:
        return build_next_range(parameter, good_values, widened_end, failure_bounds)
    good_keys = set(good_values.map(choice_key))
    remaining = tuple(choice for choice in parameter.choices if choice_key(choice) in good_keys)
    return replace(parameter, choices=remaining or parameter.choices)


def build_next_range(
    parameter: SearchedParameter,
    good_values: pd.Series,
    widened_end: str = "",
    failure_bounds: Mapping[str, float] | None = None,
) -> SearchedParameter:
    """Return a range around `good_values`; the old range if they are fewer than two.

    It extends their range by (n + 1) / (n - 1): the sample range of n uniform draws is shorter than the whole by this
    factor (David and Nagaraja 2003, section 2.3). At `widened_end` (`low` or `high`) it exceeds the old range by half
    of it, on a log scale by a factor of 10 at most. It stops at `failure_bounds` (values by end), but never excludes a
    good value.
    """
    positions = parameter.relative_position(good_values.dropna())
    has_width = len(positions) > 1
    low, high = _extend_range(positions) if has_width else (0.0, 1.0)
    growth = WIDENING_SHARE
    if parameter.log:
        growth = min(growth, math.log(WIDENING_FACTOR) / math.log(parameter.high / parameter.low))
    low, high = -growth if widened_end == "low" else low, 1 + growth if widened_end == "high" else high
    for end, value in (failure_bounds or {}).items():
        position = float(parameter.relative_position(pd.Series([value])).iloc[0])
        if end == "low":
            low = max(low, min(position, float(positions.min()) if has_width else position))
        else:
            high = min(high, max(position, float(positions.max()) if has_width else position))
    low, high = (low, high) if low < high else (0.0, 1.0)
    ends = _round_ends(low, high, parameter)
    return replace(parameter, low=ends[0], high=ends[1])


def _extend_range(positions: pd.Series) -> tuple[float, float]:
    low, high, count = float(positions.min()), float(positions.max()), len(positions)
    margin = max((high - low) / (count - 1), (MIN_RANGE_WIDTH - (high - low)) / 2)
    low, high = low - margin, high + margin
    return 0.0 if low < SNAP_SHARE else low, 1.0 if high > 1 - SNAP_SHARE else high


def _round_ends(low: float, high: float, parameter: SearchedParameter) -> tuple[float, float]:
    """Round the ends outwards, as values. A range within 0..1 stays there (shares); a non-negative one stays so.

    If rounding would reach 1 (a momentum), round `high` towards the old end, with enough digits to exceed it.
    """
    old_ends = parameter.low, parameter.high
    ends = [parameter.value_at(low), parameter.value_at(high)]
    if not parameter.log and old_ends[0] >= 0:
        ends[0] = max(ends[0], 0.0)
        ends[1] = min(ends[1], (1 + old_ends[1]) / 2) if old_ends[1] <= 1 else ends[1]
    if parameter.whole:
        # the power of a quotient misses whole numbers in its last digits
        first, last = math.floor(float(f"{ends[0]:.9g}")), math.ceil(float(f"{ends[1]:.9g}"))
        return max(first, 1) if old_ends[0] >= 1 else first, last
    outward = [_round_digits(ends[0], math.floor), _round_digits(ends[1], math.ceil)]
    if not parameter.log and old_ends[1] < 1 <= outward[1]:
        finer = (_round_digits(ends[1], math.floor, digits) for digits in range(2, 6))
        outward[1] = next((end for end in finer if end > old_ends[1]), old_ends[1])
    return (
        old_ends[0] if low >= 0 and outward[0] < old_ends[0] else outward[0],
        old_ends[1] if high <= 1 and outward[1] > old_ends[1] else outward[1],
    )


def _round_digits(value: float, rounding: Any, digits: int = 2) -> float:
    """Round to significant digits, up or down."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - digits)
    return float(f"{rounding(round(value / unit, 6)) * unit:.{digits}g}")


def is_inside_space(trials: pd.DataFrame, space: Sequence[SearchedParameter]) -> pd.Series:
    """Return which trials lie in a space; a parameter that a trial does not use is ignored."""
    is_inside = pd.Series(True, index=trials.index)
    for parameter in space:
        values = trials[parameter.name]
        if parameter.is_range:
            fits = values.astype(float).between(parameter.low, parameter.high)
        else:
            fits = values.map(choice_key).isin([choice_key(choice) for choice in parameter.choices])
        is_inside &= fits | values.isna() | (values.astype(str) == "")
    return is_inside
