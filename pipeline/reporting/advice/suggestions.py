"""A search space as the lines of a program that asks Optuna for values."""

import json
import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.space_yaml import divide_space, round_value
from thalweg.reporting.parameter import PythonText
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import choice_key


def format_suggestions(tables: StudyTables, space: Sequence[NextParameter]) -> list[str]:
    """Format each parameter as the lines that draw it, or that set the value it keeps, with the reason.

    A parameter that can be used no more is left out.
    """
    entries, settled = divide_space(space)
    kept = {step.searched.name: step for step in settled}
    own_names = {step.searched.name: tables.own_names.get(step.searched.name, step.searched.name) for step in space}
    variables, lines = _name_variables(own_names), list[str]()
    for step in space:
        name = step.searched.name
        is_partial = not step.searched.when and bool(tables.trials[name].isna().any())
        if name in kept:
            notes = ["where it is used" if is_partial else "", kept[name].reason]
            choices = {choice_key(choice): choice for choice in step.searched.choices}
            value = step.remaining_values[0]  # of a table, which holds plain text
            value = _format_value(round_value(choices.get(choice_key(value), value)))
            lines.append(f"{variables[name]} = {value}{_format_note(notes)}")
        elif name in entries:
            draw = _format_draw(own_names[name], entries[name], step.searched.whole)
            line = f"{variables[name]} = {draw}{_format_note(['where it is used' if is_partial else ''])}"
            condition = _format_condition(variables, entries[name].get("when", {}))
            lines += [f"if {condition}:", f"    {line}"] if condition else [line]
    return lines


def _format_draw(name: str, entry: Mapping[str, Any], whole: bool) -> str:
    if "choices" in entry:
        listed = ", ".join(map(_format_value, entry["choices"]))
        return f"trial.suggest_categorical({_format_value(name)}, [{listed}])"
    ends, log = f"{_format_value(entry['low'])}, {_format_value(entry['high'])}", ", log=True" if "log" in entry else ""
    return f"trial.suggest_{'int' if whole else 'float'}({_format_value(name)}, {ends}{log})"


def _format_condition(variables: Mapping[str, str], when: Mapping[str, Sequence[Any]]) -> str:
    """Format the values of other parameters for which one is used; '' if it always is."""
    parts = []
    for name, allowed in when.items():
        values = [_format_value(value) for value in allowed]
        test = f"== {values[0]}" if len(values) == 1 else f"in ({', '.join(values)})"
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


def _format_value(value: Any) -> str:
    """Format a value as Python reads it; signs that cannot be seen are escaped."""
    if isinstance(value, PythonText):
        return str(value)
    is_shown = isinstance(value, str) and value.isprintable()
    return json.dumps(value, ensure_ascii=False) if is_shown else repr(value)


def _format_note(notes: Sequence[str]) -> str:
    text = "; ".join(filter(None, notes))
    return f"  # {text}" if text else ""
