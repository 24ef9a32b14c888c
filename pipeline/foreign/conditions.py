"""Which choices make a parameter active: Optuna does not record it, but its trials show it."""

from collections.abc import Sequence
from dataclasses import replace

from thalweg.foreign.study import ForeignTrial
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.text import choice_key

MIN_TRIALS = 3
"""Trials that use a parameter, and trials that do not: fewer may agree with a choice by chance."""


def find_conditions(
    space: Sequence[SearchedParameter], trials: Sequence[ForeignTrial]
) -> tuple[SearchedParameter, ...]:
    """Return the parameters with `when`, each after the one it depends on.

    A parameter depends on a choice if all that use it have that choice's parameter, and no value of it occurs both with
    and without the parameter. Trials without any value, as of a run that broke off, do not count.
    """
    drawn = [trial for trial in trials if trial.params and trial.state not in ("failed", "running", "waiting")]
    found = [_find_condition(parameter, space, drawn) for parameter in space]
    by_name, ordered = {parameter.name: parameter for parameter in found}, dict[str, SearchedParameter]()

    def add_parameter(parameter: SearchedParameter) -> None:
        for name in parameter.when:
            add_parameter(by_name[name])
        ordered.setdefault(parameter.name, parameter)

    for parameter in found:
        add_parameter(parameter)
    return tuple(ordered.values())


def _find_condition(
    parameter: SearchedParameter, space: Sequence[SearchedParameter], trials: Sequence[ForeignTrial]
) -> SearchedParameter:
    users = [trial for trial in trials if parameter.name in trial.params]
    others = [trial for trial in trials if parameter.name not in trial.params]
    for parent in (each for each in space if len(each.choices) > 1 and each.name != parameter.name):
        idle = [trial for trial in others if parent.name in trial.params]
        if min(len(users), len(idle)) < MIN_TRIALS or any(parent.name not in trial.params for trial in users):
            continue
        used, unused = ({choice_key(trial.params[parent.name]) for trial in part} for part in (users, idle))
        if not used & unused:
            allowed = tuple(choice for choice in parent.choices if choice_key(choice) in used)
            return replace(parameter, when={parent.name: allowed})
    return parameter
