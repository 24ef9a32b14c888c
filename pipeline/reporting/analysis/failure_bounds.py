"""The ends that the next range of a parameter must not pass, because training fails beyond them."""

from collections.abc import Sequence

import pandas as pd

from thalweg.reporting.analysis import failure_regions, good_region, separation
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.analysis.failing_choice import find_failing_choice
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables, cache_per_study

MAX_LOST_SHARE = 1 / 3  # of the trials near an end: with more, the range does not grow there


@cache_per_study
def find_failure_bounds(tables: StudyTables, name: str) -> dict[str, float]:
    """Return, by end of a range, the value beyond which trials are lost or train at a bad rate; without unknown ends.

    An edge where one choice of a setting fails alone bounds no range: other choices train there.
    """
    edges = [edge for edge in failure_regions.list_edges(tables) if not edge.is_of_choice]
    bounds: dict[str, float] = {}
    for end in ("low", "high"):
        found = _list_bounds(tables, name, end, edges)
        if found:
            bounds[end] = min(found) if end == "high" else max(found)
    return bounds


def _list_bounds(tables: StudyTables, name: str, end: str, edges: Sequence[separation.Separation]) -> list[float]:
    """List the values of a range that edges give, at one of its ends."""
    own = [edge for edge in edges if edge.is_high == (end == "high")]
    bounds = [edge.threshold for edge in own if edge.name == name]
    if name in (separation.LEARNING_RATE, separation.MOMENTUM) and separation.is_accumulating(tables).all():
        # the effective rate is rate / (1 - momentum): each alone is bounded by the other's farther end
        other = {p.name: p.low if end == "high" else p.high for p in tables.parameters if p.is_range}
        thresholds = [edge.threshold for edge in own if edge.name == separation.EFFECTIVE_RATE]
        if name == separation.LEARNING_RATE:
            bounds += [threshold * (1 - other[separation.MOMENTUM]) for threshold in thresholds]
        else:
            bounds += [1 - other[separation.LEARNING_RATE] / threshold for threshold in thresholds]
    return bounds


def describe_failure_beyond(tables: StudyTables, parameter: SearchedParameter, end: str) -> str:
    """Describe that training fails beyond an end, and with which choice alone; "" if that is not known.

    Rates that are merely bad do not count, nor do bounds that no trial came near.
    """
    edges = [
        edge
        for edge in failure_regions.list_lost_edges(tables)
        for bound in _list_bounds(tables, parameter.name, end, [edge])
        if parameter.low <= bound <= parameter.high
    ]
    if not edges and not is_too_fast(tables, parameter.name, end) and not is_failing_near(tables, parameter, end):
        return ""
    near = _select_near(tables, parameter, end)
    is_lost = _is_lost(near)
    choices = [edge.choice for edge in edges]
    choices += [find_failing_choice(tables, near.loc[is_lost, "number"], near.loc[~is_lost, "number"])]
    places = [choice.describe_place() for choice in choices if choice is not None and choice.spares_others]
    return " ".join([f"training fails {'below' if end == 'low' else 'above'} it", *places[:1]])


def is_failing_near(tables: StudyTables, parameter: SearchedParameter, end: str) -> bool:
    """Return whether more than MAX_LOST_SHARE of the trials near an end diverged or broke a limit."""
    return bool(_is_lost(_select_near(tables, parameter, end)).mean() > MAX_LOST_SHARE)


def _select_near(tables: StudyTables, parameter: SearchedParameter, end: str) -> pd.DataFrame:
    trials = tables.trials.dropna(subset=[parameter.name])
    near: pd.DataFrame = trials[good_region.is_near_end(trials, parameter, end)]
    return near


def _is_lost(trials: pd.DataFrame) -> pd.Series:
    return trials["state"].isin(["diverged", "infeasible"])


def is_too_fast(tables: StudyTables, name: str, end: str) -> bool:
    """Return whether more at this end is too fast: the winner already fails on some seed."""
    confirmed = build_confirmed_result(tables)
    return (
        end == "high"
        and name in (separation.LEARNING_RATE, separation.MOMENTUM)
        and confirmed is not None
        and confirmed.is_lost("winner")
    )
