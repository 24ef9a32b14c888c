"""Advice on what the study asks about: a step for each way in which an answer is incomplete."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.answers import with_answer
from tests.helpers.five_parameters import KIND, compute_rate_position, draw_trials
from thalweg.artifacts.summary import FailedLevel
from thalweg.reporting.advice.questions import advise_on_question
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.sections.importance.isolation_findings import report_isolation
from thalweg.reporting.tables import StudyTables

NOISE = 0.1  # a seed's, and so the smallest effect


def set_questions(tables: StudyTables, is_on: bool) -> StudyTables:
    return replace(tables, params={**tables.params, "confirm": {"seeds": 8, "questions": is_on}})


def advise(tables: StudyTables) -> str:
    verdict = judge_parameter(tables, KIND)
    assert verdict is not None
    assert verdict.kind in ("open", "unanswered")
    return advise_on_question(tables, KIND, verdict)


@pytest.fixture
def lost_study(build_study: Callable[..., StudyTables]) -> StudyTables:
    """Three kinds with 12, 12 and 66 trials; none of the first trained to its end, nor most of the last."""
    trials = draw_trials(90, 5)
    trials["kind"] = np.repeat(["l1", "huber", "l2"], [12, 12, 66])
    trials.loc[(trials["kind"] == "l1") | ((trials["kind"] == "l2") & (trials["number"] % 20 > 0)), "state"] = (
        "diverged"
    )
    values = (1 + compute_rate_position(trials)).where(trials["state"] == "complete")
    return set_questions(build_study(trials, values, noise=NOISE), True)


@pytest.mark.parametrize("answer", [{"huber": (0.02, 0.05)}, {}])
def test_lost_value_needs_more_trials(lost_study: StudyTables, answer: Mapping[str, tuple[float, float]]) -> None:
    """The others are alike, or only one is left; chance alone may have lost this one."""
    tables = with_answer(lost_study, KIND, "l2", answer) if answer else lost_study
    assert "each value of `kind` then gets" in advise(tables)
    assert advise(tables).startswith("Set `study.trials: ")


def test_value_that_was_not_retrained(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(90, 5)
    tables = build_study(trials, 1 + compute_rate_position(trials), noise=NOISE)
    tables = with_answer(tables, KIND, "l2", {"huber": (0.02, 0.05)})
    assert advise(set_questions(tables, True)) == ""
    assert advise(set_questions(tables, False)).startswith("Set `confirm.questions: true`")


@pytest.mark.parametrize(("lead", "step"), [(0.0, "Set `confirm.seeds: 16`"), (0.5, "Choose l1")])
def test_value_that_only_the_test_set_prefers(build_study: Callable[..., StudyTables], lead: float, step: str) -> None:
    """More seeds may turn a lead that is within noise of the validation set, and no other."""
    trials = draw_trials(90, 5)
    tables = build_study(trials, 1 + compute_rate_position(trials), noise=NOISE)
    tables = with_answer(tables, KIND, "l2", {"huber": (0.02, 0.05), "l1": (-0.5, 0.1)})
    l1 = tables.summary.questions[0].others[1].trial
    noise = np.random.default_rng(0).normal(1, 0.01, len(tables.runs))
    runs = tables.runs.assign(validation_mae=noise + lead * (tables.runs["trial"] == l1).to_numpy())
    assert advise(set_questions(replace(tables, runs=runs), True)).startswith(step)


@pytest.mark.parametrize("answer", [{"huber": (0.02, 0.05)}, {}])
def test_value_that_failed_on_a_seed(
    build_study: Callable[..., StudyTables], answer: Mapping[str, tuple[float, float]]
) -> None:
    trials = draw_trials(90, 5)
    tables = build_study(trials, 1 + compute_rate_position(trials), noise=NOISE)
    tables = set_questions(with_answer(tables, KIND, "l2", answer), True)
    (question,) = tables.summary.questions
    failed = replace(question, failed=(FailedLevel(0, 7),))
    tables = replace(tables, summary=replace(tables.summary, questions=(failed,)))
    assert advise(tables).startswith("To save the seeds on which trial 7 fails, set `optimizer.clip`")
    (finding,) = report_isolation(tables, KIND)
    assert "Left out, because it has no result on some fresh seed: l1 (trial 7)." in finding.evidence
    if not answer:
        assert finding.verdict == "It is not known which `kind` is best: the best trial of l1 fails on fresh seeds."
