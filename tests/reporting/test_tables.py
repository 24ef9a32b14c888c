"""Views of a study's tables, on a study of six trials that is read by eye."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

TRIALS = pd.DataFrame(
    {
        "number": [0, 1, 2, 3, 4, 5],
        "state": ["complete", "complete", "pruned", "complete", "diverged", "complete"],
        "value": [0.5, 0.2, 0.1, 0.2, np.nan, 0.9],
        "optimizer.learning_rate": [0.1, 0.3, 0.3, 0.2, 9.0, 0.1],
        "optimizer.momentum": [0.9, np.nan, 0.5, 0.5, 0.5, 0.5],
    }
)
SPACE = [SearchedParameter("optimizer.learning_rate", 0.01, 10.0), SearchedParameter("optimizer.momentum", 0.0, 0.99)]
FILE = {"optimizer": {"learning_rate": 0.1, "momentum": 0.9}, "training": {"epochs": 4}, "confirm": {"epochs": None}}
BuildTables = Callable[..., StudyTables]


@pytest.fixture
def build_tables(counting_study: StudyTables) -> BuildTables:
    plain: dict[str, Any] = {"trials": TRIALS, "space": SPACE, "params": FILE, "runs": pd.DataFrame()}
    return lambda **changed: replace(counting_study, **plain | changed)


@pytest.mark.parametrize(("direction", "order"), [("min", [1, 3, 0, 5]), ("max", [5, 0, 1, 3])])
def test_complete_trials_are_ranked(
    build_tables: BuildTables, direction: Literal["min", "max"], order: list[int]
) -> None:
    """Equal values by number; the trial that was stopped early does not count, though its value is the best."""
    tables = build_tables(direction=direction)
    assert tables.ranked["number"].tolist() == order
    assert tables.winner == order[0]


def test_confirmed_winner_is_the_winner(build_tables: BuildTables) -> None:
    runs = pd.DataFrame({"candidate": ["winner", "baseline"], "trial": [3, np.nan], "validation_mae": [0.1, 0.2]})
    assert build_tables(runs=runs).winner == 3
    without = build_tables(runs=runs.assign(trial=np.nan))
    assert without.winner is None
    assert not without.has_winner
    assert build_tables(trials=TRIALS.iloc[:0]).winner is None


def test_trial_with_the_values_of_the_file(build_tables: BuildTables) -> None:
    tables = build_tables()
    assert [number for number in range(6) if tables.has_file_values(number)] == [0]
    assert tables.baseline_trial == 0
    assert build_tables(trials=TRIALS.drop(index=0)).baseline_trial is None
    # an unused parameter has no value that could differ
    assert build_tables(params=FILE | {"optimizer": {"learning_rate": 0.3, "momentum": 0.9}}).has_file_values(1)


def test_null_in_the_file_is_the_choice_null(build_tables: BuildTables) -> None:
    clip = "optimizer.clip"
    trials, space = (
        TRIALS.assign(**{clip: pd.Series(["null", 1.0] * 3)}),
        [SearchedParameter(clip, choices=("null", 1.0))],
    )
    tables = build_tables(trials=trials, space=space, params={"optimizer": {"clip": None}})
    assert [number for number in range(6) if tables.has_file_values(number)] == [0, 2, 4]


def test_candidates_compare_on_the_test_set_if_any(build_tables: BuildTables) -> None:
    runs = pd.DataFrame({"candidate": ["winner"], "trial": [3], "validation_rmse": [0.2], "validation_mae": [0.1]})
    assert build_tables(runs=runs).split == "validation"
    assert build_tables(runs=runs.assign(test_mae=np.nan)).split == "validation"
    assert build_tables(runs=runs.assign(test_mae=0.1)).split == "test"
    assert build_tables(runs=runs).metrics == ["mae", "rmse"]


@pytest.mark.parametrize(
    ("confirmed", "is_searched", "are_same"),
    [(None, False, True), (4, False, True), (8, False, False), (4, True, False)],
)
def test_same_epochs_compare(
    build_tables: BuildTables, confirmed: int | None, is_searched: bool, are_same: bool
) -> None:
    epochs = SearchedParameter("training.epochs", 2.0, 8.0)
    trials = TRIALS.assign(**{epochs.name: 4}) if is_searched else TRIALS
    tables = build_tables(trials=trials, space=[*SPACE, epochs], params=FILE | {"confirm": {"epochs": confirmed}})
    assert tables.has_same_epochs == are_same


def test_seeds_of_the_setting_with_the_fewest(build_tables: BuildTables) -> None:
    curves = pd.DataFrame({"trial": [0, 0, 0, 1, 1], "seed": [1, 2, 3, 1, 2]})
    tables = build_tables(curves=curves, params=FILE | {"study": {"seeds": 1}})
    assert (tables.repeat_count, tables.seeds_per_trial) == (0, 1)
    study = replace(tables.summary.study, trials=9, settings=6)
    repeated = replace(tables, summary=replace(tables.summary, study=study))
    assert (repeated.repeat_count, repeated.seeds_per_trial) == (3, 2)


def test_setting_and_bounds_have_defaults(build_tables: BuildTables) -> None:
    tables = build_tables(bounds={"mae": (0.0, np.inf)})
    assert tables.setting("training.epochs") == 4
    assert tables.setting("training.epochs.first", 7) == 7
    assert tables.bounds_of("mae") == (0.0, np.inf)
    assert tables.bounds_of("bias") == (-np.inf, np.inf)
