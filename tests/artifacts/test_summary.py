"""summary.json and found.json: what is written comes back, and unknown values are left out."""

from pathlib import Path

import pytest

from thalweg.artifacts import summary
from thalweg.artifacts.summary import (
    Comparison,
    Confirmation,
    Estimate,
    FailedLevel,
    LevelDifference,
    Provenance,
    Question,
    RankedTrial,
    RunnerUp,
    StudyRecord,
    StudySummary,
    Summary,
)
from thalweg.system import files
from thalweg.system.paths import STUDY_RECORD, SUMMARY

ESTIMATE = Estimate(1.5, 1.0, 2.0, 8, 12, 0.25, 7.5)
RIVAL = (Comparison("runner-up 1", ESTIMATE),)
BEST = RankedTrial(3, {"optimizer.learning_rate": 0.1, "loss.terms.count.kind": "l1"}, 1.5)
STUDY = StudySummary(48, 8, 40, 6, 2, BEST, 768)
QUESTION = Question("loss.terms.count.kind", 0, 3, (LevelDifference(2, 5, ESTIMATE, 1.1, 1.9),), (FailedLevel(1, 7),))


def test_summary_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    confirmation = Confirmation(ESTIMATE, ESTIMATE, ESTIMATE)
    answers, others = (Comparison("the median count", ESTIMATE),), (RunnerUp("runner-up 1", ESTIMATE, ESTIMATE),)
    full = Summary(STUDY, confirmation, {"mae": 1.5}, (QUESTION,), RIVAL, answers, others)
    for written in (full, Summary(STUDY, None, {})):
        files.write_json(SUMMARY, summary.to_json(written))
        assert summary.read_summary() == written


def test_study_record_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = StudyRecord(Provenance("0" * 64, {"jax": "0.9"}, "cpu"), STUDY, (BEST,))
    files.write_json(STUDY_RECORD, summary.to_json(written))
    assert summary.read_study_record() == written


def test_unknown_values_are_left_out() -> None:
    assert not {"infeasible", "front", "stop", "settings"} & set(summary.to_json(Summary(STUDY, None, {}))["study"])
