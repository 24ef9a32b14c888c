"""A search space as YAML for params.yaml."""

import math
from collections.abc import Sequence
from typing import Any

from thalweg.config.study import NULL, ParameterConfig
from thalweg.config.write import format_inline
from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.tables import StudyTables

MISSING = object()


def format_space(space: Sequence[NextParameter]) -> list[str]:
    """Format what is still searched as `space:` of params.yaml, which it replaces; [] if every parameter is settled."""
    entries = divide_space(space)[0]
    lines = [f"    {format_inline({name: entry})[1:-1]}" for name, entry in entries.items()]
    return ["  space:", *lines] if lines else []


def list_settings(space: Sequence[NextParameter]) -> list[tuple[str, str]]:
    """List each parameter that is searched no more as `name: value`, with the reason for the value."""
    settled = divide_space(space)[1]
    return [
        (_format_setting(step.searched.name, round_value(step.remaining_values[0])), step.reason) for step in settled
    ]


def list_outside_values(tables: StudyTables, space: Sequence[NextParameter]) -> list[tuple[str, str]]:
    """List each value of params.yaml that the space leaves out as `name: value`, with the best trial's to set there.

    A value that the file lacks, as a size of another network, is ''.
    """
    best = _find_best_trial(tables)
    setting, outside = dict[str, Any](), list[tuple[str, str]]()
    for name, entry in divide_space(space)[0].items():
        parameter, value = ParameterConfig.model_validate(entry), tables.setting(name, MISSING)
        if not parameter.is_active(setting):
            continue
        setting[name] = value
        inside = best[name].item() if hasattr(best[name], "item") else best[name]
        inside = inside if isinstance(inside, float) and math.isnan(inside) else round_value(inside)
        if not parameter.has_value(value) and parameter.has_value(inside):
            setting[name] = inside
            outside.append(("" if value is MISSING else _format_setting(name, value), _format_setting(name, inside)))
    return outside


def _find_best_trial(tables: StudyTables) -> dict[str, Any]:
    """Return the row of the winner; without one, of the trial with the best value, which may have stopped early."""
    by_value = tables.trials.assign(cost=tables.trials["value"] * tables.sign).sort_values(["cost", "number"])
    is_winner = by_value["number"] == tables.winner
    return dict((by_value[is_winner] if is_winner.any() else by_value).iloc[0])


def _format_setting(name: str, value: Any) -> str:
    return format_inline({name: value})[1:-1]


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
        range_keys |= {"log": True} if parameter.log else {}
        entry: dict[str, Any] = {"choices": list(map(round_value, values))} if values else range_keys
        entry |= {"when": when} if when else {}
        entry |= {"role": "scientific"} if parameter.role == "scientific" and len(values) != 1 else {}
        entries[parameter.name] = entry
    return entries, settled


def round_value(value: Any) -> Any:
    """Round a number to six digits, to a whole one if it is; leave other values. The name `null` becomes None."""
    if isinstance(value, (str, bool)):
        return None if value == NULL else value
    number = float(f"{value:g}")
    return int(number) if number.is_integer() and abs(number) < 1e6 else number
