"""What runs in a project: seen from other processes, with the end that they ask for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system import running

WORK = """
import sys
from thalweg.system import running
with running.announce_stage("study"), running.announce_training():
    running.update_stage("training", "3 of 8 trials", 12.5)
    print("runs", flush=True)
    for line in sys.stdin:
        print(running.is_stop_asked(), flush=True)
"""


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    """A process that says for each line of its input whether it was asked to stop."""
    monkeypatch.chdir(tmp_path)
    started = subprocess.Popen(
        [sys.executable, "-c", WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert read_line(started) == "runs"
    return started


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str]) -> str:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()
    return read_line(process)


def test_stage_is_seen_from_another_process(process: subprocess.Popen[str]) -> None:
    (stage,) = running.list_running()
    assert (stage.process, stage.stage, stage.trains) == (process.pid, "study", True)
    assert (stage.part, stage.progress, stage.seconds_left) == ("training", "3 of 8 trials", 12.5)
    process.communicate()
    assert running.list_running() == []
    assert list(running.FOLDER.iterdir()) == []


def test_stage_learns_that_it_shall_stop(process: subprocess.Popen[str]) -> None:
    assert ask(process) == "False"
    running.ask_to_stop(process.pid)
    assert ask(process) == "True"
    process.communicate()


def test_killed_stage_does_not_run(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
    assert json.loads((running.FOLDER / f"{process.pid}.json").read_text())["stage"] == "study"
    assert running.list_running() == []
    assert list(running.FOLDER.iterdir()) == []


def test_next_stage_removes_what_a_kill_left(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
    own = running.FOLDER / f"{os.getpid()}.stop"  # of a process that had this number
    own.touch()
    with running.announce_stage("confirm"):
        assert not running.is_stop_asked()
        assert [file.stem for file in running.FOLDER.iterdir()] == [own.stem] * 2
    assert list(running.FOLDER.iterdir()) == []


def test_nothing_runs_without_a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    running.update_stage("training", "", None)
    assert not running.is_stop_asked()
    assert running.list_running() == []


def test_stage_trains_only_while_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running.announce_stage("diagnose"):
        with running.announce_training():
            assert not running.is_stop_asked()
            assert running.list_running()[0].trains
        assert not running.list_running()[0].trains
