"""The choices that tell candidates apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from thalweg.reporting.analysis.candidate_choices import name_choices
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
        "augment.online.brightness": 0.3,
        "model.kind": np.where(counting_study.trials["number"] == 0, "cnn", "own_model.Model"),
        "model.norm": np.where(counting_study.trials["number"] == 0, "True", ""),
        "model.depth": 2,
    }
    trials = counting_study.trials.assign(**changes)
    file = {"model": {"kind": "own_model.Model"}, "augment": {"online": {"brightness": 0.0}}}
    return replace(counting_study, trials=trials, space=SPACE, params=counting_study.params | file)


def test_scientific_choices_come_first(tables: StudyTables) -> None:
    assert name_choices(tables, 0, 99) == "cnn, brightness 0.3, norm True"
    assert name_choices(tables, 1, 99) == "own_model.Model, brightness 0.3"
    assert name_choices(tables, None, 99) == "own_model.Model, brightness 0"


def test_choices_are_shortened_to_whole_values(tables: StudyTables) -> None:
    assert name_choices(tables, 0, 20) == "cnn, brightness 0.3"
    assert name_choices(tables, 0, 2) == "cnn"


def test_study_without_choices_has_none(tables: StudyTables) -> None:
    assert name_choices(replace(tables, space=SPACE[:1]), 0, 99) == ""
