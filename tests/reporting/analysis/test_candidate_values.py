"""The searched values that tell candidates apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from thalweg.reporting.analysis.candidate_values import name_values
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

SPACE = [
    SearchedParameter("optimizer.learning_rate", 0.001, 0.1, log=True),
    SearchedParameter("augment.online.brightness", choices=(0.0, 0.3)),
    SearchedParameter("model.kind", choices=("cnn", "own_model.Model"), role="scientific"),
    SearchedParameter("model.norm", choices=(True, False), when={"model.kind": ("cnn",)}),
    SearchedParameter("model.depth", choices=(2,)),
]


@pytest.fixture
def tables(counting_study: StudyTables) -> StudyTables:
    """Trial 0 is a cnn with a norm, trial 1 an own model without one; params.yaml has an own model."""
    changes: dict[str, Any] = {
        "optimizer.learning_rate": 0.02,
        "augment.online.brightness": 0.3,
        "model.kind": np.where(counting_study.trials["number"] == 0, "cnn", "own_model.Model"),
        "model.norm": np.where(counting_study.trials["number"] == 0, "True", ""),
        "model.depth": 2,
    }
    trials = counting_study.trials.assign(**changes)
    file = {"model": {"kind": "own_model.Model"}, "augment": {"online": {"brightness": 0.0}}}
    file |= {"optimizer": {"learning_rate": 0.01}}
    return replace(counting_study, trials=trials, space=SPACE, params=counting_study.params | file)


def test_scientific_choices_come_first_and_ranges_last(tables: StudyTables) -> None:
    assert name_values(tables, 0, 99) == "cnn, brightness 0.3, norm True, learning_rate 0.02"
    assert name_values(tables, 1, 99) == "own_model.Model, brightness 0.3, learning_rate 0.02"
    assert name_values(tables, None, 99) == "own_model.Model, brightness 0, learning_rate 0.01"


def test_what_mattered_comes_before_choices(tables: StudyTables) -> None:
    """The value follows the learning rate alone."""
    rate = 10 ** np.random.default_rng(0).uniform(-3, -1, len(tables.trials))
    trials = tables.trials.assign(**{"optimizer.learning_rate": rate, "value": np.abs(np.log10(rate) + 1)})
    trials = trials.assign(state="complete")
    space = [replace(parameter, role="nuisance") for parameter in tables.space]
    named = name_values(replace(tables, trials=trials, curves=tables.curves.iloc[:0], space=space), 0, 99)
    assert named.startswith("learning_rate ")


def test_choices_are_shortened_to_whole_values(tables: StudyTables) -> None:
    assert name_values(tables, 0, 20) == "cnn, brightness 0.3"
    assert name_values(tables, 0, 2) == "cnn"
    assert name_values(tables, 0, 15) == "cnn, norm True"  # brightness 0.3 does not fit


def test_study_of_ranges_alone_names_their_values(tables: StudyTables) -> None:
    rate, momentum = SPACE[0], SearchedParameter("optimizer.momentum", 0.0, 0.98)
    values = {rate.name: [0.03164, 0.1], momentum.name: [0.9, 0.976]}
    trials = tables.trials.head(2).assign(**{name: np.array(column) for name, column in values.items()})
    file = {"optimizer": {"learning_rate": 0.01, "momentum": 0.0}}
    ranges = replace(tables, trials=trials, space=[rate, momentum], params=file)
    assert name_values(ranges, 0, 99) == "learning_rate 0.032, momentum 0.9"
    assert name_values(ranges, 1, 99) == "learning_rate 0.1, momentum 0.976"  # not 0.98, the end of the range
    assert name_values(ranges, None, 99) == "learning_rate 0.01, momentum 0"
    assert name_values(ranges, 0, 20) == "learning_rate 0.032"
    asked = replace(ranges, space=[rate, replace(momentum, role="scientific")])
    assert name_values(asked, 0, 99) == "momentum 0.9, learning_rate 0.032"


def test_study_of_nothing_names_no_value(tables: StudyTables) -> None:
    assert name_values(replace(tables, space=[]), 0, 99) == ""
