"""What tells candidates apart for a reader: their values of the searched choices."""

import pandas as pd

from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import choice_key, format_choices, is_missing


def name_choices(tables: StudyTables, trial: int | None, max_length: int) -> str:
    """Name a trial's values of the searched choices, those that the study asks about first: `cnn, brightness 0.3`.

    `trial`: None for the values of params.yaml. The text has whole values up to `max_length`, but at least one; '' if
    no choice was searched.
    """
    rows = tables.trials[tables.trials["number"] == trial] if trial is not None else pd.DataFrame()
    searched = [parameter for parameter in tables.parameters if len(parameter.choices) > 1]
    text = ""
    for parameter in sorted(searched, key=lambda parameter: parameter.role != "scientific"):
        value = tables.setting(parameter.name) if trial is None else next(iter(rows[parameter.name]), None)
        label = _name_choice(parameter, value)
        if label and text and len(f"{text}, {label}") > max_length:
            break
        text = f"{text}, {label}" if text and label else text or label
    return text


def _name_choice(parameter: SearchedParameter, value: object) -> str:
    """Name a choice: a word alone, a number or a truth value after the setting's last name; '' if it is not used."""
    if is_missing(value) or value == "" or isinstance(value, (dict, list)):
        return ""
    labels = dict(zip(map(choice_key, parameter.choices), format_choices(parameter.choices), strict=True))
    label = labels.get(choice_key(value), str(value))
    is_word = all(isinstance(choice, str) for choice in parameter.choices)
    return label if is_word else f"{parameter.name.rpartition('.')[2]} {label}"
