"""The search space as the report reads it, and the table of trials with the values of its choices."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from thalweg.config.study import NULL, ParameterConfig
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.text import choice_key


def build_parameters(named: Iterable[tuple[str, ParameterConfig]]) -> list[SearchedParameter]:
    """Return searched parameters, given by dotted path, as the report reads them."""
    keys = {"log", "whole", "role", "points"}

    def name_values(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(NULL if value is None else value for value in values)

    return [
        SearchedParameter(
            name,
            math.nan if p.low is None else p.low,
            math.nan if p.high is None else p.high,
            choices=name_values(p.choices or ()),
            when={parent: name_values(values) for parent, values in p.when.items()},
            **p.model_dump(include=keys),
        )
        for name, p in named
    ]


def list_text_columns(space: Sequence[SearchedParameter]) -> Mapping[str, type]:
    """Return the parameters whose choices are all text, as the types of columns: a name may look like a number."""
    names = [p.name for p in space if p.choices and all(isinstance(choice, str) for choice in p.choices)]
    return dict.fromkeys(names, str)


def restore_choices(trials: pd.DataFrame, space: Sequence[SearchedParameter]) -> pd.DataFrame:
    """Return a table of trials whose cells have the values of their choices, also beside the choice null."""
    for parameter in space:
        if NULL in parameter.choices and parameter.name in trials:  # beside this name, Pandas reads numbers as text
            choices = {choice_key(choice): choice for choice in parameter.choices}
            restored = trials[parameter.name].map(lambda cell, c=choices: c.get(choice_key(cell), cell))
            trials = trials.assign(**{parameter.name: restored})
    return trials
