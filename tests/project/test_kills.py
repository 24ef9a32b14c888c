"""Kills at random moments of every stage, then `dvc repro` to the end: what an undisturbed run gives."""

import itertools
import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.clone import ALL, Clone
from tests.helpers.size import Size, sized
from tests.helpers.victims import TARGETS, Victim

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes as Linux has them")

KILLS = 200
ROUND = 20
"""Kills of one run of the pipeline; then all is deleted, and the next run begins."""
WAYS = [*itertools.product((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), TARGETS)]
STARTUP_SECONDS = 2.0
"""From the start of a stage's process to that of its work, about."""
GRACE_SECONDS = 10.0
"""From an interrupt to the end of what it interrupts."""
TORN = ("validation failed", "structure is corrupted")
"""What DVC says of a dvc.lock that a kill has cut."""
SMALLER = {"diagnose.seeds": 1, "diagnose.landscape": {"points": 5, "examples": 32, "seeds": 2}}
MADE = ("artifacts", "reports", ".thalweg", ".dvc/cache", ".dvc/tmp", "dvc.lock", "dvc.lock.torn")


@sized(KILLS)
def test_kills_lose_nothing(clone: Callable[[], Clone], size: Size) -> None:
    project = clone()
    project.set(SMALLER)
    project.commit("smaller")
    project.repro()
    undisturbed, names = project.read_results(), list_made_files(project)
    seconds = {
        name: told["seconds"] for name, told in json.loads(project.read("reports/timing.json"))["stages"].items()
    }
    draw, left = size.start_draws(), size.count
    ways = itertools.cycle(draw.sample(WAYS, len(WAYS)))
    while left:
        clear(project)
        kills = min(left, ROUND)
        left -= kills
        journals: dict[Path, bytes] = {}
        for stage in sorted((ALL * kills)[:kills], key=ALL.index):
            way, delay = next(ways), draw.uniform(0.0, STARTUP_SECONDS + seconds[stage])
            told = kill_once(project, stage, way, delay)
            assert "Traceback" not in told, (stage, way, delay, told)
            journals |= read_journals(project)
        project.repro()
        results = project.read_results()
        assert [name for name in names if results.get(name) != undisturbed.get(name)] == []
        assert list_made_files(project) == names
        for file, lines in journals.items():
            assert file.read_bytes().startswith(lines), file


def kill_once(project: Clone, stage: str, way: tuple[signal.Signals, str], delay: float) -> str:
    """Send a signal to a `dvc repro` some seconds after a stage has begun; return what was said."""
    number, target = way
    victim = Victim(project)
    if victim.wait_for_stage(stage):
        time.sleep(delay)
    if number == signal.SIGINT:
        victim.wait_for_listener()
    victim.send(number, target)
    if number == signal.SIGINT and not victim.wait_for_end(GRACE_SECONDS):
        victim.send(number, "group")  # DVC alone does not hear an interrupt while a stage runs
    assert victim.wait_for_end(300.0), victim.list_processes()
    told = victim.read_output()
    if any(text in told for text in TORN):
        project.run("thalweg", "check")
    return told


def clear(project: Clone) -> None:
    """Delete all that stages and DVC made."""
    for name in MADE:
        path = project.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    project.git("checkout", "--", ".")


def list_made_files(project: Clone) -> set[str]:
    """Return all files below the folders that stages write to, but for compiled programs."""
    files = [file for top in ("artifacts", "reports", ".thalweg") for file in (project.folder / top).rglob("*")]
    names = {file.relative_to(project.folder).as_posix() for file in files if file.is_file()}
    return {name for name in names if not name.startswith(".thalweg/compiled/")}


def read_stage_times(project: Clone) -> dict[str, Any]:
    times: dict[str, Any] = json.loads(project.read("reports/timing.json"))["stages"]
    return times


def read_journals(project: Clone) -> dict[Path, bytes]:
    """Return the complete lines of each journal."""
    journals = {file: file.read_bytes() for file in project.folder.glob(".thalweg/**/journal.jsonl")}
    return {file: content[: content.rfind(b"\n") + 1] for file, content in journals.items()}
