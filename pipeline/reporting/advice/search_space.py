"""What to search next: the one place where ends of ranges are moved, and choices left out."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from thalweg.reporting.analysis import failure_regions, good_region
from thalweg.reporting.analysis.confirmed import confirmed
from thalweg.reporting.analysis.good_region import crowded
from thalweg.reporting.analysis.importance import ranking
from thalweg.reporting.analysis.isolation import scientific
from thalweg.reporting.analysis.pareto_growth import gaining
from thalweg.reporting.analysis.scientific_verdict import verdict
from thalweg.reporting.analysis.seed_noise import differ
from thalweg.reporting.analysis.separation import MOMENTUM, PACE, RATE, Parted, quantities, summed
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, key, listed, missing, names, number

MOST = 4
"""So many parameters are told of in a sentence."""
CLIP = "set `optimizer.clip`, or lengthen `schedule.warmup`"


@dataclass(frozen=True)
class NextParameter:
    """How a parameter is to be searched next: in which range or choices, or at which value it is `fixed`; and why."""

    searched: SearchedParameter
    fixed: Any = None
    why: str = "the one choice"

    @property
    def values(self) -> tuple[Any, ...]:
        """The values that it can still have; none where it has a range."""
        return self.searched.choices if self.fixed is None else (self.fixed,)


def told(tables: StudyTables) -> bool:
    """Whether it is known where good values lie: enough trials, that differ by more than seeds would make them."""
    return len(tables.ranked) >= good_region.ENOUGH and differ(tables) not in ("alike", "untold")


@lru_cache(maxsize=8)
def space(tables: StudyTables) -> tuple[NextParameter, ...]:
    """The searched parameters as they are to be searched next, in their order.

    - A range lies around the good trials, reaches on past an end at which the best crowd, and not into where trials are
      lost. Where nothing tells good trials from others, it is as it was but for the last two.
    - Of choices those are kept that a good trial has. Of those that the study asks about, all but what is surely worse.
    - What makes no difference has a value under `fixed`: the winner's.
    """
    asked = {one.name for one in scientific(tables)}
    return tuple(
        _asked(tables, one) if one.name in asked and not one.is_range else _searched(tables, one)
        for one in tables.parameters
    )


def _asked(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    found = verdict(tables, parameter)
    if found is None:
        return NextParameter(parameter)
    named = dict(zip(names(parameter.choices), parameter.choices, strict=True))
    if found.alike:
        own = _winners(tables, parameter.name)
        same = [named[label] for label in found.alike]
        return NextParameter(parameter, own if key(own) in map(key, same) else same[0], "it makes no difference")
    kept = tuple(choice for label, choice in named.items() if label not in found.drop)
    return NextParameter(replace(parameter, choices=kept), why="the others are worse")


def _searched(tables: StudyTables, parameter: SearchedParameter) -> NextParameter:
    name, side = parameter.name, widened(tables, parameter) if parameter.is_range else ""
    if not side and name in minor(tables):
        return NextParameter(parameter, _winners(tables, name), "as the winner has it: it mattered little")
    known = good_region.good(tables)[name].dropna() if told(tables) else tables.trials[name].iloc[:0]
    if not parameter.is_range:
        had = set(known.map(key))
        kept = tuple(choice for choice in parameter.choices if key(choice) in had)
        return NextParameter(replace(parameter, choices=kept or parameter.choices), why="as all of the best have it")
    return NextParameter(good_region.around(parameter, known, side, bounds(tables, name)))


def minor(tables: StudyTables) -> list[str]:
    """What mattered so little that it is not worth searching on: of what the winner has, and the study does not ask."""
    found, asked = ranking(tables), {one.name for one in scientific(tables)}
    if found is None or not found.mattered:
        return []
    little = [one.name for one in found.idle if one.minor and one.name not in asked]
    return [name for name in little if not missing(_winners(tables, name))]


def _winners(tables: StudyTables, name: str) -> Any:
    return next(iter(tables.trials.loc[tables.trials["number"] == tables.winner, name]), None)


def widened(tables: StudyTables, parameter: SearchedParameter) -> str:
    """The end of a range beyond which to search: where the best crowd, or else where most rates should be; or ''.

    No faster where the winner itself fails on some seed for all its speed; nor to where most rates should be if the
    good ones, once they are told, are not in that half.
    """
    side = crowded(tables, parameter)
    if not side and parameter.name == RATE:
        side = failure_regions.leaning(tables)
        places = parameter.position(good_region.good(tables)[RATE].dropna())
        if side and told(tables) and not (places < 0.5 if side == "low" else places > 0.5).any():
            return ""
    return "" if side and _too_fast(tables, parameter.name, side) else side


def _too_fast(tables: StudyTables, name: str, side: str) -> bool:
    """Whether the winner fails on some seed, which more at this end would make more of."""
    known = confirmed(tables)
    return side == "high" and name in (RATE, MOMENTUM) and known is not None and known.is_lost("winner")


def fails(tables: StudyTables, name: str, side: str) -> bool:
    """Whether training is known to fail beyond one end of what is good, so that a range is not searched further."""
    return side in bounds(tables, name) or _too_fast(tables, name, side)


def bounds(tables: StudyTables, name: str) -> dict[str, float]:
    """By end of a range, the value beyond which every trial would be lost; no end where that is not known."""
    found: dict[str, float] = {}
    for edge in failure_regions.all_of(tables):
        end, at = "high" if edge.high else "low", edge.at if edge.name == name else None
        if edge.name == PACE and name in (RATE, MOMENTUM) and summed(tables).all():
            # the pace is rate / (1 - momentum): each alone is bounded by the other's farther end
            other = {one.name: one.low if edge.high else one.high for one in tables.parameters if one.is_range}
            at = edge.at * (1 - other[MOMENTUM]) if name == RATE else 1 - other[RATE] / edge.at
        if at is not None:
            found[end] = min(found.get(end, at), at) if edge.high else max(found.get(end, at), at)
    return found


def moved(tables: StudyTables, name: str) -> dict[str, str]:
    """By end of a range whether it is to be searched further `out` or `in`; ends that stay are not named."""
    old = next((one for one in tables.parameters if one.name == name and one.is_range), None)
    new = next((one.searched for one in space(tables) if one.searched.name == name and one.fixed is None), None)
    if old is None or new is None:
        return {}
    ways = {"low": old.low - new.low, "high": new.high - old.high}
    return {end: "out" if way > 0 else "in" for end, way in ways.items() if way}


def widens(tables: StudyTables) -> bool:
    """Whether some range is to be searched beyond its end."""
    return any("out" in moved(tables, one.name).values() for one in tables.parameters)


def step(tables: StudyTables) -> str:
    """What to search next, as one sentence for whichever section finds a reason; '' where the space stays as it is."""
    ends, fixed = [], []
    for old, one in zip(tables.parameters, space(tables), strict=True):
        new, shown = one.searched, code(old.name)
        if one.fixed is not None or (len(new.choices) == 1 and new.choices != old.choices):
            fixed.append(f"{shown} at {number(one.values[0])}")
        elif new.is_range and moved(tables, old.name):
            was = f"{number(old.low)} to {number(old.high)}"
            ends.append(f"{shown} from {number(new.low)} to {number(new.high)} (so far {was})")
        elif new.choices != old.choices:
            ends.append(f"{shown} with {listed(names(new.choices))}")
    parts = ([f"search {listed(ends, MOST)}"] if ends else []) + ([f"fix {listed(fixed, MOST)}"] if fixed else [])
    if not parts:
        return ""
    when = "Once the search gains no more" if gaining(tables) and not widens(tables) else "Next"
    return f"{when}, {', and '.join(parts)}: Parameters has the space to paste."


def without(tables: StudyTables, edge: Parted) -> str:
    """What to do about trials that are lost beyond an edge: the space without them, or else what may save them."""
    end = "high" if edge.high else "low"
    own = (RATE, MOMENTUM) if edge.name == PACE else (edge.name,)
    if any(moved(tables, name).get(end) == "in" for name in own):
        return step(tables)
    there = quantities(tables)[edge.name].reindex(good_region.good(tables)["number"])
    good = bool((there > edge.at if edge.high else there < edge.at).any())
    if edge.high and set(own) <= {RATE, MOMENTUM} and (good or edge.name == PACE):
        why = "good ones lie there, too" if good else "no range of either number alone leaves them out"
        return f"To save trials with {edge.shown} above {number(edge.at, 2)}, {CLIP}: {why}."
    return step(tables)


def save(whom: str) -> str:
    """What to do about seeds on which a candidate fails."""
    return f"To save the seeds on which {whom} fails, {CLIP}, and confirm again."


def all_lost(tables: StudyTables) -> str:
    """What to do where every trial diverged."""
    if RATE in {one.name for one in tables.parameters}:
        return f"Lower both ends of {code(RATE)} in `study.space`, or {CLIP}."
    return f"Lower {code(RATE)}, or {CLIP}."


def elsewhere(tables: StudyTables) -> str:
    """Where to search where nothing that is searched makes a difference."""
    narrower = any("in" in moved(tables, one.name).values() for one in tables.parameters)
    return "Search other parameters." if narrower else "Search wider ranges, or other parameters."


def rates(tables: StudyTables, high: bool) -> str:
    """What to do where most trials train at a rate that is too high (or too low)."""
    end, turned = ("low", "Lower") if high else ("high", "Raise")
    if RATE not in {one.name for one in tables.parameters}:
        return f"{turned} {code(RATE)}, or search it."
    ways = moved(tables, RATE)
    return step(tables) if ways.get(end) == "out" or ways.get("high" if high else "low") == "in" else ""


def faster(tables: StudyTables) -> str:
    """What to do where the ground would bear a higher learning rate: the search, where there was one, knows better."""
    if RATE in {one.name for one in tables.parameters}:
        return step(tables) if moved(tables, RATE).get("high") == "out" else ""
    return f"Search {code(RATE)} above {number(tables.setting(RATE))}."
