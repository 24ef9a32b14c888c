"""A space as lines for Optuna, which a study with these lines draws from."""

from dataclasses import replace
from typing import Any

import optuna
import pandas as pd
import pytest

from thalweg.reporting.advice.next_space import NextParameter
from thalweg.reporting.advice.suggestions import format_suggestions
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

RATE = SearchedParameter("opt.lr", 1e-4, 0.1, log=True)
DEPTH = SearchedParameter("depth", 1, 8, whole=True)
KIND = SearchedParameter("kind", choices=("svc", "forest", "null"))
C = SearchedParameter("c", 0.5, 2.0, when={"kind": ("svc",)})
ODD = SearchedParameter('a "b"', choices=(True, 8))


def build(study: StudyTables, *steps: NextParameter) -> list[str]:
    trials = pd.DataFrame({step.searched.name: [1.0] for step in steps})
    return format_suggestions(replace(study, trials=trials), steps)


def draw(lines: list[str]) -> dict[str, Any]:
    """Run the lines as a user's objective does."""
    values: dict[str, Any] = {"trial": optuna.create_study().ask()}
    exec("\n".join(lines), values)
    return {name: value for name, value in values.items() if name not in ("trial", "__builtins__")}


@pytest.fixture(autouse=True)
def quiet_optuna() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def test_lines_draw_the_space(counting_study: StudyTables) -> None:
    lines = build(counting_study, *map(NextParameter, (RATE, DEPTH, KIND, C, ODD)))
    assert lines[0] == 'opt_lr = trial.suggest_float("opt.lr", 0.0001, 0.1, log=True)'
    assert lines[1] == 'depth = trial.suggest_int("depth", 1, 8)'
    assert lines[2] == 'kind = trial.suggest_categorical("kind", ["svc", "forest", None])'
    assert lines[3:5] == ['if kind == "svc":', '    c = trial.suggest_float("c", 0.5, 2)']
    drawn = draw(lines)
    assert 1e-4 <= drawn["opt_lr"] <= 0.1
    assert drawn["a__b_"] in (True, 8)
    assert ("c" in drawn) == (drawn["kind"] == "svc")


def test_any_name_gives_lines_that_run(counting_study: StudyTables) -> None:
    names = ["lambda", "1st", "a b", "a.b", "a_b", "trial", "größe", "\u202edlo", "params_value", "params_"]
    steps = [NextParameter(SearchedParameter(name, 1.0, 2.0)) for name in names]
    lines = build(replace(counting_study, own_names={"params_value": "value", "params_": ""}), *steps)
    assert len(draw(lines)) == len(names)
    assert all(line.isprintable() for line in lines)
    study = optuna.create_study()
    trial = study.ask()
    exec("\n".join(lines), {"trial": trial})
    assert set(study.trials[0].params) == {*names[:8], "value", ""}


def test_steps_of_a_range_are_kept(counting_study: StudyTables) -> None:
    """The next range begins and ends at values that the study can have: 16, 40, 64, … and 0.1, 0.3, …"""
    width = SearchedParameter("width", 16, 256, whole=True, step=24)
    rate = SearchedParameter("dropout", 0.1, 0.9, step=0.2)
    study = replace(counting_study, space=[width, rate])
    steps = [NextParameter(replace(width, low=50, high=118)), NextParameter(replace(rate, low=0.3, high=0.65))]
    large = NextParameter(SearchedParameter("n", 1, 5_000_000, whole=True))
    assert build(study, large) == ['n = trial.suggest_int("n", 1, 5000000)']
    assert build(study, *steps) == [
        'width = trial.suggest_int("width", 40, 136, step=24)',
        'dropout = trial.suggest_float("dropout", 0.3, 0.7, step=0.2)',
    ]


def test_choices_that_are_no_scalars_are_python(counting_study: StudyTables) -> None:
    literals = {"[64, 32]": "[64, 32]", "[64]": "[64]", "null": "None"}
    layers = SearchedParameter("layers", choices=(*literals, "None"), literals=literals)
    line, condition, _ = build(
        counting_study, NextParameter(layers), NextParameter(replace(C, when={"layers": ("null",)}))
    )
    assert line == 'layers = trial.suggest_categorical("layers", [[64, 32], [64], None, "None"])'
    assert condition == "if layers is None:"
    assert build(counting_study, NextParameter(layers, "[64]", "x")) == ["layers = [64]  # x"]


def test_settled_values_have_their_reason(counting_study: StudyTables) -> None:
    steps = [NextParameter(KIND, "svc", "it mattered little"), NextParameter(C)]
    lines = build(counting_study, *steps)
    assert lines == ['kind = "svc"  # it mattered little', 'c = trial.suggest_float("c", 0.5, 2)']


def test_what_is_used_no_more_is_left_out(counting_study: StudyTables) -> None:
    assert build(counting_study, NextParameter(KIND, "forest", "x"), NextParameter(C)) == ['kind = "forest"  # x']


def test_unknown_conditions_are_said(counting_study: StudyTables) -> None:
    trials = pd.DataFrame({"depth": [1.0, None]})
    lines = format_suggestions(replace(counting_study, trials=trials), [NextParameter(DEPTH)])
    assert lines == ['depth = trial.suggest_int("depth", 1, 8)  # where it is used']
