"""What tells candidates apart for a reader: their values of the searched parameters."""

import pandas as pd

from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import choice_key, format_choices, format_number, is_missing


def name_values(tables: StudyTables, trial: int | None, max_length: int) -> str:
    """Name a trial's values of the searched parameters: `cnn, learning_rate 0.03, brightness 0.3`.

    Those that the study asks about come first, then those that surely mattered, choices, and ranges. `trial`: None for
    the values of params.yaml. The text has the values that fit into `max_length`, and at least one; '' if none was
    searched.
    """
    rows = tables.trials[tables.trials["number"] == trial] if trial is not None else pd.DataFrame()
    ranking = rank_importances(tables)
    important = [importance.name for importance in ranking.important_parameters] if ranking else []

    def rank(parameter: SearchedParameter) -> tuple[bool, int, bool]:
        place = important.index(parameter.name) if parameter.name in important else len(important)
        return parameter.role != "scientific", place, parameter.is_range

    text = ""
    searched = [parameter for parameter in tables.parameters if parameter.is_range or len(parameter.choices) > 1]
    for parameter in sorted(searched, key=rank):
        value = tables.setting(parameter.name) if trial is None else next(iter(rows[parameter.name]), None)
        label = _name_value(parameter, tables.own_names.get(parameter.name, parameter.name), value)
        if label and text and len(f"{text}, {label}") > max_length:
            continue
        text = f"{text}, {label}" if text and label else text or label
    return text


def _name_value(parameter: SearchedParameter, own_name: str, value: object) -> str:
    """Name a value: a word alone, a number or a truth value after the setting's last name; '' if it is not used."""
    if is_missing(value) or value == "" or isinstance(value, (dict, list)):
        return ""
    name = own_name.rpartition(".")[2]
    if parameter.is_range:
        return f"{name} {_format_within(parameter, value)}"
    labels = dict(zip(map(choice_key, parameter.choices), format_choices(parameter.choices), strict=True))
    label = labels.get(choice_key(value), str(value))
    return label if all(isinstance(choice, str) for choice in parameter.choices) else f"{name} {label}"


def _format_within(parameter: SearchedParameter, value: object) -> str:
    """Format a value of a range with two digits, or as many as tell it from the ends of the range: not momentum 1."""
    others = [end for end in (parameter.low, parameter.high) if end != value]
    for digits in range(2, 18):
        text = format_number(value, digits)
        if text not in [format_number(end, digits) for end in others]:
            return text
    return format_number(value)
