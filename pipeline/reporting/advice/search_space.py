"""What to search next: the one place where ends of ranges are moved, and choices left out."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from thalweg.reporting.analysis import failure_regions, good_region
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.analysis.good_region import find_crowded_end
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.analysis.seed_noise import compare_with_noise
from thalweg.reporting.analysis.separation import (
    EFFECTIVE_RATE,
    LEARNING_RATE,
    MOMENTUM,
    Separation,
    is_accumulating,
    list_quantities,
)
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import choice_key, format_choices, format_code, format_number, is_missing, join_items

MAX_NAMED_PARAMETERS = 4
"""So many parameters are told of in a sentence."""
CLIP_ADVICE = "set `optimizer.clip`, or lengthen `schedule.warmup`"


@dataclass(frozen=True)
class NextParameter:
    """How a parameter is to be searched next: in which range or choices, or at which value it is `fixed`; and why."""

    searched: SearchedParameter
    fixed: Any = None
    reason: str = "the one choice"

    @property
    def remaining_values(self) -> tuple[Any, ...]:
        """The values that it can still have; none where it has a range."""
        return self.searched.choices if self.fixed is None else (self.fixed,)


def is_region_known(tables: StudyTables) -> bool:
    """Whether it is known where good values lie: enough trials, that differ by more than seeds would make them."""
    return len(tables.ranked) >= good_region.MIN_COMPLETE_TRIALS and compare_with_noise(tables) not in (
        "alike",
        "untold",
    )


@lru_cache(maxsize=8)
def build_next_space(tables: StudyTables) -> tuple[NextParameter, ...]:
    """The searched parameters as they are to be searched next, in their order.

    - A range lies around the good trials, reaches on past an end at which the best crowd, and not into where trials are
      lost. Where nothing tells good trials from others, it is as it was but for the last two.
    - Of choices those are kept that a good trial has. Of those that the study asks about, all but what is surely worse.
    - What makes no difference has a value under `fixed`: the winner's.
    """
    asked = {one.name for one in list_scientific(tables)}
    return tuple(
        _narrow_scientific(tables, one) if one.name in asked and not one.is_range else _narrow_nuisance(tables, one)
        for one in tables.parameters
    )


def _narrow_scientific(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    found = judge_parameter(tables, parameter)
    if found is None:
        return NextParameter(parameter)
    named = dict(zip(format_choices(parameter.choices), parameter.choices, strict=True))
    if found.equal_values:
        own = _get_winner_value(tables, parameter.name)
        same = [named[label] for label in found.equal_values]
        return NextParameter(
            parameter, own if choice_key(own) in map(choice_key, same) else same[0], "it makes no difference"
        )
    kept = tuple(choice for label, choice in named.items() if label not in found.worse_values)
    return NextParameter(replace(parameter, choices=kept), reason="the others are worse")


def _narrow_nuisance(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    name, side = parameter.name, find_widened_end(tables, parameter) if parameter.is_range else ""
    if not side and name in list_minor_parameters(tables):
        return NextParameter(parameter, _get_winner_value(tables, name), "as the winner has it: it mattered little")
    known = (
        good_region.select_good_trials(tables)[name].dropna()
        if is_region_known(tables)
        else tables.trials[name].iloc[:0]
    )
    if not parameter.is_range:
        had = set(known.map(choice_key))
        kept = tuple(choice for choice in parameter.choices if choice_key(choice) in had)
        return NextParameter(replace(parameter, choices=kept or parameter.choices), reason="as all of the best have it")
    return NextParameter(good_region.build_next_range(parameter, known, side, find_failure_bounds(tables, name)))


def list_minor_parameters(tables: StudyTables) -> list[str]:
    """What mattered so little that it is not worth searching on: of what the winner has, and the study does not ask."""
    found, asked = rank_importances(tables), {one.name for one in list_scientific(tables)}
    if found is None or not found.important:
        return []
    little = [one.name for one in found.unimportant if one.is_minor and one.name not in asked]
    return [name for name in little if not is_missing(_get_winner_value(tables, name))]


def _get_winner_value(tables: StudyTables, name: str) -> Any:
    return next(iter(tables.trials.loc[tables.trials["number"] == tables.winner, name]), None)


def find_widened_end(tables: StudyTables, parameter: SearchedParameter) -> str:
    """The end of a range beyond which to search: where the best crowd, or else where most rates should be; or ''.

    No faster where the winner itself fails on some seed for all its speed; nor to where most rates should be if the
    good ones, once they are told, are not in that half.
    """
    side = find_crowded_end(tables, parameter)
    if not side and parameter.name == LEARNING_RATE:
        side = failure_regions.find_rate_bias(tables)
        places = parameter.relative_position(good_region.select_good_trials(tables)[LEARNING_RATE].dropna())
        if side and is_region_known(tables) and not (places < 0.5 if side == "low" else places > 0.5).any():
            return ""
    return "" if side and _is_too_fast(tables, parameter.name, side) else side


def _is_too_fast(tables: StudyTables, name: str, end: str) -> bool:
    """Whether the winner fails on some seed, which more at this end would make more of."""
    known = build_confirmed_result(tables)
    return end == "high" and name in (LEARNING_RATE, MOMENTUM) and known is not None and known.is_lost("winner")


def is_failing_beyond(tables: StudyTables, name: str, end: str) -> bool:
    """Whether training is known to fail beyond one end of what is good, so that a range is not searched further."""
    return end in find_failure_bounds(tables, name) or _is_too_fast(tables, name, end)


def find_failure_bounds(tables: StudyTables, name: str) -> dict[str, float]:
    """By end of a range, the value beyond which every trial would be lost; no end where that is not known."""
    found: dict[str, float] = {}
    for edge in failure_regions.list_edges(tables):
        end, at = "high" if edge.is_high else "low", edge.threshold if edge.name == name else None
        if edge.name == EFFECTIVE_RATE and name in (LEARNING_RATE, MOMENTUM) and is_accumulating(tables).all():
            # the pace is rate / (1 - momentum): each alone is bounded by the other's farther end
            other = {one.name: one.low if edge.is_high else one.high for one in tables.parameters if one.is_range}
            at = (
                edge.threshold * (1 - other[MOMENTUM])
                if name == LEARNING_RATE
                else 1 - other[LEARNING_RATE] / edge.threshold
            )
        if at is not None:
            found[end] = min(found.get(end, at), at) if edge.is_high else max(found.get(end, at), at)
    return found


def find_moved_ends(tables: StudyTables, name: str) -> dict[str, str]:
    """By end of a range whether it is to be searched further `out` or `in`; ends that stay are not named."""
    old = next((one for one in tables.parameters if one.name == name and one.is_range), None)
    new = next(
        (one.searched for one in build_next_space(tables) if one.searched.name == name and one.fixed is None), None
    )
    if old is None or new is None:
        return {}
    ways = {"low": old.low - new.low, "high": new.high - old.high}
    return {end: "out" if way > 0 else "in" for end, way in ways.items() if way}


def has_widened_range(tables: StudyTables) -> bool:
    """Whether some range is to be searched beyond its end."""
    return any("out" in find_moved_ends(tables, one.name).values() for one in tables.parameters)


def advise_search(tables: StudyTables) -> str:
    """What to search next, as one sentence for whichever section finds a reason; '' where the space stays as it is."""
    ends, fixed = [], []
    for old, one in zip(tables.parameters, build_next_space(tables), strict=True):
        new, shown = one.searched, format_code(old.name)
        if one.fixed is not None or (len(new.choices) == 1 and new.choices != old.choices):
            fixed.append(f"{shown} at {format_number(one.remaining_values[0])}")
        elif new.is_range and find_moved_ends(tables, old.name):
            was = f"{format_number(old.low)} to {format_number(old.high)}"
            ends.append(f"{shown} from {format_number(new.low)} to {format_number(new.high)} (so far {was})")
        elif new.choices != old.choices:
            ends.append(f"{shown} with {join_items(format_choices(new.choices))}")
    parts = ([f"search {join_items(ends, MAX_NAMED_PARAMETERS)}"] if ends else []) + (
        [f"fix {join_items(fixed, MAX_NAMED_PARAMETERS)}"] if fixed else []
    )
    if not parts:
        return ""
    when = "Once the search gains no more" if is_search_gaining(tables) and not has_widened_range(tables) else "Next"
    return f"{when}, {', and '.join(parts)}: Parameters has the space to paste."


def advise_lost_trials(tables: StudyTables, edge: Separation) -> str:
    """What to do about trials that are lost beyond an edge: the space without them, or else what may save them."""
    end = "high" if edge.is_high else "low"
    own = (LEARNING_RATE, MOMENTUM) if edge.name == EFFECTIVE_RATE else (edge.name,)
    if any(find_moved_ends(tables, name).get(end) == "in" for name in own):
        return advise_search(tables)
    there = list_quantities(tables)[edge.name].reindex(good_region.select_good_trials(tables)["number"])
    good = bool((there > edge.threshold if edge.is_high else there < edge.threshold).any())
    if edge.is_high and set(own) <= {LEARNING_RATE, MOMENTUM} and (good or edge.name == EFFECTIVE_RATE):
        why = "good ones lie there, too" if good else "no range of either number alone leaves them out"
        return f"To save trials with {edge.quoted_name} above {format_number(edge.threshold, 2)}, {CLIP_ADVICE}: {why}."
    return advise_search(tables)


def advise_lost_seeds(candidate: str) -> str:
    """What to do about seeds on which a candidate fails."""
    return f"To save the seeds on which {candidate} fails, {CLIP_ADVICE}, and confirm again."


def advise_all_diverged(tables: StudyTables) -> str:
    """What to do where every trial diverged."""
    if LEARNING_RATE in {one.name for one in tables.parameters}:
        return f"Lower both ends of {format_code(LEARNING_RATE)} in `study.space`, or {CLIP_ADVICE}."
    return f"Lower {format_code(LEARNING_RATE)}, or {CLIP_ADVICE}."


def advise_other_search(tables: StudyTables) -> str:
    """Where to search where nothing that is searched makes a difference."""
    narrower = any("in" in find_moved_ends(tables, one.name).values() for one in tables.parameters)
    return "Search other parameters." if narrower else "Search wider ranges, or other parameters."


def advise_rate_range(tables: StudyTables, is_too_high: bool) -> str:
    """What to do where most trials train at a rate that is too high (or too low)."""
    end, turned = ("low", "Lower") if is_too_high else ("high", "Raise")
    if LEARNING_RATE not in {one.name for one in tables.parameters}:
        return f"{turned} {format_code(LEARNING_RATE)}, or search it."
    ways = find_moved_ends(tables, LEARNING_RATE)
    return advise_search(tables) if ways.get(end) == "out" or ways.get("high" if is_too_high else "low") == "in" else ""


def advise_higher_rate(tables: StudyTables) -> str:
    """What to do where the ground would bear a higher learning rate: the search, where there was one, knows better."""
    if LEARNING_RATE in {one.name for one in tables.parameters}:
        return advise_search(tables) if find_moved_ends(tables, LEARNING_RATE).get("high") == "out" else ""
    return f"Search {format_code(LEARNING_RATE)} above {format_number(tables.setting(LEARNING_RATE))}."
