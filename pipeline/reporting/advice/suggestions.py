"""A search space as the lines of a program that asks Optuna for values."""

import json
import re
from collections.abc import Sequence
from typing import Any

from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.space_yaml import round_value
from thalweg.reporting.tables import StudyTables


def format_suggestions(tables: StudyTables, space: Sequence[NextParameter]) -> list[str]:
    """Format each parameter as the line that draws it, or that sets the value it keeps, with the reason."""
    return [_format_line(tables, step) for step in space]


def _format_line(tables: StudyTables, step: NextParameter) -> str:
    parameter, values = step.searched, step.remaining_values
    name = re.sub(r"\W", "_", parameter.name)
    partial = "where it is used" if tables.trials[parameter.name].isna().any() else ""
    if len(values) == 1:
        notes = [partial, step.reason]
        return f"{name} = {_format_value(values[0])}{_format_note(notes)}"
    if values:
        listed = ", ".join(map(_format_value, values))
        return f"{name} = trial.suggest_categorical({json.dumps(parameter.name)}, [{listed}]){_format_note([partial])}"
    kind, log = "int" if parameter.whole else "float", ", log=True" if parameter.log else ""
    ends = f"{_format_value(parameter.low)}, {_format_value(parameter.high)}"
    return f"{name} = trial.suggest_{kind}({json.dumps(parameter.name)}, {ends}{log}){_format_note([partial])}"


def _format_value(value: Any) -> str:
    """Format a value as Python reads it."""
    rounded = round_value(value)
    return json.dumps(rounded, ensure_ascii=False) if isinstance(rounded, str) else repr(rounded)


def _format_note(notes: Sequence[str]) -> str:
    text = "; ".join(filter(None, notes))
    return f"  # {text}" if text else ""
