"""A search space as the lines of a program that asks Optuna for values."""

import json
import keyword
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.space_yaml import divide_space, round_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

MAX_PLAIN = 1e15
"""Whole numbers up to here have no decimal point."""
ON_STEP = 1e-6
"""How far, in steps, an end may be from a value that the study can have, to count as that value."""


def format_suggestions(tables: StudyTables, space: Sequence[NextParameter]) -> list[str]:
    """Format each parameter as the lines that draw it, or that set the value it keeps, with the reason.

    A parameter that can be used no more is left out.
    """
    entries, settled = divide_space(space)
    kept = {step.searched.name: step for step in settled}
    own_names = {step.searched.name: tables.own_names.get(step.searched.name, step.searched.name) for step in space}
    parameters = {step.searched.name: step.searched for step in space}
    variables, lines = _name_variables(own_names), list[str]()
    for step in space:
        name = step.searched.name
        is_partial = not step.searched.when and bool(tables.trials[name].isna().any())
        if name in kept:
            notes = ["where it is used" if is_partial else "", kept[name].reason]
            value = _format_choice(step.searched, round_value(step.remaining_values[0]))
            lines.append(f"{variables[name]} = {value}{_format_note(notes)}")
        elif name in entries:
            origin = next((each.low for each in tables.space if each.name == name), step.searched.low)
            draw = _format_draw(own_names[name], _place_on_steps(entries[name], step.searched, origin), step.searched)
            line = f"{variables[name]} = {draw}{_format_note(['where it is used' if is_partial else ''])}"
            condition = _format_condition(variables, parameters, entries[name].get("when", {}))
            lines += [f"if {condition}:", f"    {line}"] if condition else [line]
    return lines


def _place_on_steps(entry: Mapping[str, Any], searched: SearchedParameter, origin: float) -> Mapping[str, Any]:
    """Move the ends of a range outwards to values that the study can have, which lie in steps from `origin` on."""
    if searched.step is None or "choices" in entry:
        return entry
    low, high = ((float(entry[end]) - origin) / searched.step for end in ("low", "high"))
    places = {"low": math.floor(low + ON_STEP), "high": math.ceil(high - ON_STEP)}
    return {**entry, **{end: round_value(origin + place * searched.step) for end, place in places.items()}}


def _format_draw(name: str, entry: Mapping[str, Any], searched: SearchedParameter) -> str:
    if "choices" in entry:
        listed = ", ".join(_format_choice(searched, choice) for choice in entry["choices"])
        return f"trial.suggest_categorical({_format_value(name)}, [{listed}])"
    ends = f"{_format_value(entry['low'])}, {_format_value(entry['high'])}"
    more = ", log=True" if "log" in entry else ""
    more += "" if searched.step is None else f", step={_format_value(round_value(searched.step))}"
    return f"trial.suggest_{'int' if searched.whole else 'float'}({_format_value(name)}, {ends}{more})"


def _format_condition(
    variables: Mapping[str, str], parameters: Mapping[str, SearchedParameter], when: Mapping[str, Sequence[Any]]
) -> str:
    """Format the values of other parameters for which one is used; '' if it always is."""
    parts = []
    for name, allowed in when.items():
        values = [_format_choice(parameters[name], value) for value in allowed]
        equals = "is" if values[0] == "None" else "=="
        test = f"{equals} {values[0]}" if len(values) == 1 else f"in ({', '.join(values)})"
        parts.append(f"{variables[name]} {test}")
    return " and ".join(parts)


def _name_variables(own_names: Mapping[str, str]) -> dict[str, str]:
    """Return a variable of Python for each parameter, no two alike, and none of them `trial`."""
    variables = dict[str, str]()
    for name, own in own_names.items():
        variable = re.sub(r"\W", "_", own) or "_"
        variable = f"_{variable}" if variable[0].isdigit() else variable
        while keyword.iskeyword(variable) or variable in ("trial", *variables.values()):
            variable += "_"
        variables[name] = variable
    return variables


def _format_choice(parameter: SearchedParameter, choice: Any) -> str:
    """Format a choice as Python reads it, also one that tables hold as text."""
    return parameter.literals.get(choice) or _format_value(choice)


def _format_value(value: Any) -> str:
    """Format a value as Python reads it; signs that cannot be seen are escaped."""
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_PLAIN:
        return str(int(value))
    is_shown = isinstance(value, str) and value.isprintable()
    return json.dumps(value, ensure_ascii=False) if is_shown else repr(value)


def _format_note(notes: Sequence[str]) -> str:
    text = "; ".join(filter(None, notes))
    return f"  # {text}" if text else ""
