"""The first screen."""

from dataclasses import replace

import pandas as pd

from thalweg.reporting.head import build_head
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables


def test_head_holds_all(counting_study: StudyTables) -> None:
    sections = select_sections(counting_study)
    head = build_head(counting_study, sections)
    assert head.lede == sections[0].build_findings(counting_study)[0].verdict
    assert [number.name for number in head.numbers] == ["winner", "baseline", "the median count"]
    assert head.measure == "Mean absolute error on the test set; lower is better."
    assert head.chart
    assert head.chart.id == "candidates"
    assert head.pictures
    assert len(head.pictures.pictures) == 4
    assert head.commands
    assert not any(command in head.steps[0].text for command in head.commands)  # it stands below
    assert len({step.section for step in head.steps}) == len(head.steps) <= 3


def test_unconfirmed_study_has_its_best(studies_by_case: dict[str, StudyTables]) -> None:
    tables = studies_by_case["one trial"]
    head = build_head(tables, select_sections(tables))
    (number,) = head.numbers
    assert number.note == "trial 0, on the validation set, not confirmed"
    assert (head.chart, head.pictures) == (None, None)


def test_study_without_trials_has_no_numbers(studies_by_case: dict[str, StudyTables]) -> None:
    assert build_head(studies_by_case["no trials"], []).numbers == []


def test_best_simple_answer_is_shown(counting_study: StudyTables) -> None:
    answers = pd.DataFrame([{"answer": "the median count", "mae": 2.4}, {"answer": "a filter", "mae": 1.4}])
    assert build_head(replace(counting_study, references=answers), []).numbers[-1].name == "a filter"
