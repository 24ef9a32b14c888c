"""Calls in processes: they end with a value or a reason, whatever the objective does."""

import threading
import time
from pathlib import Path

import pytest

from tests.helpers.objective_study import DEFAULT, write_study
from thalweg.duel.objective.runs import Call, Outcome, run_call, run_calls
from thalweg.duel.objective.study import Candidate
from thalweg.system.files import UserError

FIRST, SECOND = Candidate(1, {"rate": 0.5, "kind": "a"}), Candidate(0, DEFAULT)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_study(tmp_path)
    return tmp_path


def run(function: str, calls: list[Call], jobs: int = 1, *, has_worked: bool = False) -> list[Outcome]:
    outcomes: list[Outcome] = []
    run_calls(f"train:{function}", calls, jobs, None, outcomes.append, has_worked=has_worked)
    return outcomes


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_call_has_an_outcome(jobs: int) -> None:
    calls = [Call(each, seed) for seed in (5, 6) for each in (FIRST, SECOND)]
    outcomes = run("objective", calls, jobs)
    assert {id(outcome.call) for outcome in outcomes} == {id(call) for call in calls}
    values = {(outcome.call.candidate.trial, outcome.call.seed): outcome.value for outcome in outcomes}
    assert len(set(values.values())) == 4
    assert values[0, 5] == next(each.value for each in run("objective", [calls[1]]))


def test_seed_reaches_the_process() -> None:
    (outcome,) = run("from_attribute", [Call(FIRST, 21)])
    assert outcome.value == 42.0


def test_process_that_ends_has_failed() -> None:
    first, second = run("stops_some", [Call(FIRST, 5), Call(SECOND, 5)])
    assert first.value is not None
    assert (second.value, second.failed) == (None, "its process ended with exit code 7")


def test_slow_call_is_ended() -> None:
    began = time.monotonic()
    outcome = run_call("train:slow", Call(FIRST, 5), 3.0, threading.Event())
    assert outcome is not None
    assert outcome.failed == "it took longer than 3 s"
    assert time.monotonic() - began < 20


def test_broken_objective_ends_all() -> None:
    calls = [Call(FIRST, seed) for seed in range(9)]
    with pytest.raises(UserError, match=r"failed in all of its 3 runs: KeyError: 'missing' \(train.py, line 19\)"):
        run("broken", calls)
    assert len(run("broken", calls[:4], 2, has_worked=True)) == 4


def test_refused_objective_ends_all() -> None:
    with pytest.raises(UserError, match=r"^--objective: `train:three` takes \(first, second, third\) \(train.py, line"):
        run("three", [Call(FIRST, 1)])
