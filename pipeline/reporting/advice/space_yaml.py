"""A search space as YAML for params.yaml."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.config.study import NULL, ParameterConfig
from thalweg.config.write import format_inline
from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.settings import format_setting
from thalweg.reporting.tables import StudyTables

MISSING = object()
ENQUEUE = "study.enqueue"
"""The trials that a search begins with."""


def format_space(space: Sequence[NextParameter]) -> list[str]:
    """Format what is still searched as `space:` of params.yaml, which it replaces; [] if every parameter is settled."""
    entries = divide_space(space)[0]
    lines = [f"    {format_inline({name: entry})[1:-1]}" for name, entry in entries.items()]
    return ["  space:", *lines] if lines else []


def build_space_patch(tables: StudyTables, space: Sequence[NextParameter]) -> dict[str, Any]:
    """Return what a search of the space takes in params.yaml, by dotted path; {} if every parameter is settled.

    The whole `study.space`; the value of each parameter that is searched no more; and of each that the file has outside
    the space, the best trial's.
    """
    entries, settled = divide_space(space)
    if not entries:
        return {}
    fixed = {step.searched.name: round_value(step.remaining_values[0]) for step in settled}
    inside = {name: value for name, (_, value) in _find_outside_values(tables, entries).items()}
    return {"study.space": entries} | fixed | inside


def list_settings(space: Sequence[NextParameter]) -> list[tuple[str, str]]:
    """List each parameter that is searched no more as `name: value`, with the reason for the value."""
    settled = divide_space(space)[1]
    return [
        (format_setting(step.searched.name, round_value(step.remaining_values[0])), step.reason) for step in settled
    ]


def list_outside_values(tables: StudyTables, space: Sequence[NextParameter]) -> list[tuple[str, str]]:
    """List each value of params.yaml that the space leaves out as `name: value`, with the best trial's to set there.

    A value that the file lacks, as a size of another network, is ''.
    """
    outside = _find_outside_values(tables, divide_space(space)[0])
    return [
        ("" if value is MISSING else format_setting(name, value), format_setting(name, inside))
        for name, (value, inside) in outside.items()
    ]


def _find_outside_values(tables: StudyTables, entries: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Find the values of params.yaml that a space leaves out, each with the best trial's."""
    best = _find_best_trial(tables)
    setting, outside = dict[str, Any](), dict[str, tuple[Any, Any]]()
    for name, entry in entries.items():
        parameter, value = ParameterConfig.model_validate(entry), tables.setting(name, MISSING)
        if not parameter.is_active(setting):
            continue
        setting[name] = value
        inside = best[name].item() if hasattr(best[name], "item") else best[name]
        inside = inside if isinstance(inside, float) and math.isnan(inside) else round_value(inside)
        if not parameter.has_value(value) and parameter.has_value(inside):
            setting[name] = inside
            outside[name] = (value, inside)
    enqueued = tables.setting(ENQUEUE) or []
    kept = [trial for trial in enqueued if _is_trial_inside(trial, entries)]
    return outside if kept == enqueued else outside | {ENQUEUE: (enqueued, kept)}


def _is_trial_inside(values: Mapping[str, Any], entries: Mapping[str, Any]) -> bool:
    """Return whether a search of the space can begin with a trial of these values."""
    return all(
        name in entries and ParameterConfig.model_validate(entries[name]).has_value(value)
        for name, value in values.items()
    )


def _find_best_trial(tables: StudyTables) -> dict[str, Any]:
    """Return the row of the winner; without one, of the trial with the best value, which may have stopped early."""
    by_value = tables.trials.assign(cost=tables.trials["value"] * tables.sign).sort_values(["cost", "number"])
    is_winner = by_value["number"] == tables.winner
    return dict((by_value[is_winner] if is_winner.any() else by_value).iloc[0])


def divide_space(space: Sequence[NextParameter]) -> tuple[dict[str, dict[str, Any]], list[NextParameter]]:
    """Return the entries of the next space, and the parameters that have one value and need none.

    A parameter whose condition can no longer hold is in neither. One with one value keeps its entry if only some trials
    use it: it may be the size of one network of several.
    """
    entries, settled = dict[str, dict[str, Any]](), list[NextParameter]()
    remaining = dict[str, tuple[Any, ...]]()
    for step in space:  # each after those it depends on
        parameter, values = step.searched, step.remaining_values
        conditions = {
            name: [value for value in allowed if value in remaining[name]] if name in remaining else list(allowed)
            for name, allowed in parameter.when.items()
        }
        remaining[parameter.name] = values if all(conditions.values()) else ()
        when = {name: list(map(round_value, allowed)) for name, allowed in conditions.items() if name in entries}
        if not all(conditions.values()):
            continue
        if len(values) == 1 and not when:
            settled.append(step)
            continue
        range_keys = {"low": round_value(parameter.low), "high": round_value(parameter.high)}
        range_keys |= {name: True for name in ("log", "whole") if getattr(parameter, name)}
        range_keys |= {"points": parameter.points} if parameter.points is not None else {}
        entry: dict[str, Any] = {"choices": list(map(round_value, values))} if values else range_keys
        entry |= {"when": when} if when else {}
        entry |= {"role": "scientific"} if parameter.role == "scientific" and len(values) != 1 else {}
        entries[parameter.name] = entry
    return entries, settled


def round_value(value: Any) -> Any:
    """Round a number to six digits, to a whole one if it is; leave other values. The name `null` becomes None."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, (str, bool)):
        return None if value == NULL else value
    number = float(f"{value:g}")
    return int(number) if number.is_integer() and abs(number) < 1e6 else number
