"""What both studies searched, side by side: the space of each parameter, and how much it mattered."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from thalweg.diff.study import Study
from thalweg.reporting.analysis.importance import Importance, rank_importances
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_choices, format_number


@dataclass(frozen=True)
class Effect:
    """How much a parameter changed the objective, from its worst level to its best, with its 95 % interval.

    `mattered`: yes, little, or not clear.
    """

    difference: float
    low: float
    high: float
    best: str
    mattered: Literal["yes", "little", "not clear"]


@dataclass(frozen=True)
class ParameterPair:
    """A parameter that either study searched: its space in words ('': not searched), its effect (null: not known)."""

    name: str
    space_a: str
    space_b: str
    effect_a: Effect | None
    effect_b: Effect | None


def pair_parameters(a: Study, b: Study) -> tuple[ParameterPair, ...]:
    """List what either study searched; what mattered most comes first."""
    (space_a, space_b), (effects_a, effects_b) = (
        [{parameter.name: describe_space(parameter) for parameter in study.space} for study in (a, b)],
        [rank_effects(study) for study in (a, b)],
    )
    ranked = dict.fromkeys([*effects_a, *effects_b, *space_a, *space_b])
    return tuple(
        ParameterPair(name, space_a.get(name, ""), space_b.get(name, ""), effects_a.get(name), effects_b.get(name))
        for name in ranked
    )


def describe_space(parameter: SearchedParameter) -> str:
    """Describe a range or choices: `0.001 to 0.1, log`, `relu or gelu`."""
    if not parameter.is_range:
        text = ", ".join(format_choices(parameter.choices))
    else:
        text = f"{format_number(parameter.low)} to {format_number(parameter.high)}"
        text += ", log" if parameter.log else ""
        text += ", whole" if parameter.whole else ""
        text += f", {parameter.points} points" if parameter.points else ""
    when = [f"{name} is {' or '.join(format_choices(values))}" for name, values in parameter.when.items()]
    return f"{text}, if {' and '.join(when)}" if when else text


def rank_effects(study: Study) -> dict[str, Effect]:
    """Return the effects of a study's parameters by name, the largest first; none where they are not known."""
    if study.judged is None or study.summary is None:
        return {}
    ranking = rank_importances(build_tables(study))
    return {} if ranking is None else {each.name: _build_effect(each) for each in ranking.parameters}


def _build_effect(importance: Importance) -> Effect:
    mattered: Literal["yes", "little", "not clear"] = (
        "yes" if importance.is_important else "little" if importance.is_minor else "not clear"
    )
    return Effect(importance.difference, importance.low, importance.high, importance.best, mattered)


def build_tables(study: Study) -> StudyTables:
    """Build the tables of a report of what a study searched, and nothing else."""
    assert study.judged is not None
    assert study.summary is not None
    nothing = pd.DataFrame()
    return StudyTables(
        params=study.params,
        trials=study.trials,
        curves=study.curves,
        summary=study.summary,
        runs=study.runs,
        predictions=nothing,
        pictures=[],
        baseline_curves=nothing,
        verdicts=nothing,
        manifest=study.manifest,
        provenance={},
        space=list(study.space),
        output_kind="number",
        objective=study.judged.objective,
        direction="min" if study.judged.sign > 0 else "max",
    )
