"""Kills, edits, a full disk and a second run during `dvc repro`: at last, what an undisturbed run gives."""

import itertools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.clone import ALL, SMALLER, Clone
from tests.helpers.size import Size, sized
from tests.helpers.victims import TARGETS, Victim

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes as Linux has them")

ROUND = 20
"""Disturbances of one run of the pipeline; then all is deleted, and the next run begins."""
WAYS = [*itertools.product((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), TARGETS)]
STARTUP_SECONDS = 2.0
"""From the start of a stage's process to that of its work, about."""
GRACE_SECONDS = 10.0
"""From an interrupt to the end of the interrupted process."""
TORN = ("validation failed", "structure is corrupted")
"""DVC's messages for a dvc.lock that a kill or a full disk has cut."""
IS_ACTIVE = ("another run of this study is active", "Unable to acquire lock", "is busy")
"""Messages of the second of two runs."""
DURING_STARTUP = 'File "<frozen site>"'
"""A frame of Python's own start, before any of our code could hear an interrupt."""
OUR_FRAME = re.compile(r'File "[^"]*/(pipeline|thalweg|models)/')
DISK_BYTES = 2**30


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed run leaves: results, the names of all files, and the seconds of each stage."""

    results: dict[str, bytes]
    names: frozenset[str]
    seconds: dict[str, float]

    def compare(self, project: Clone) -> None:
        results = project.read_results()
        assert [name for name in self.results | results if results.get(name) != self.results.get(name)] == []
        assert project.list_made_files() == self.names


@pytest.fixture(scope="module")
def project(clone: Callable[[], Clone]) -> Clone:
    changed = clone()
    changed.set(SMALLER)
    changed.commit("smaller")
    return changed


@pytest.fixture(scope="module")
def undisturbed_results(project: Clone) -> Undisturbed:
    return measure(project)


def measure(project: Clone) -> Undisturbed:
    project.repro()
    stages = json.loads(project.read("reports/timing.json"))["stages"]
    seconds = {name: stage["seconds"] for name, stage in stages.items()}
    return Undisturbed(project.read_results(), project.list_made_files(), seconds)


def plan_rounds(count: int) -> Iterator[list[str]]:
    """Return the stages to disturb, spread evenly: a list in the order of the pipeline for each round."""
    for done in range(0, count, ROUND):
        yield sorted((ALL[(done + number) % len(ALL)] for number in range(min(ROUND, count - done))), key=ALL.index)


@sized(200)
def test_kills_lose_nothing(project: Clone, undisturbed_results: Undisturbed, size: Size) -> None:
    draw = size.start_draws()
    ways = itertools.cycle(draw.sample(WAYS, len(WAYS)))
    for stages in plan_rounds(size.count):
        project.clear()
        journals: dict[Path, bytes] = {}
        for stage in stages:
            way, delay = next(ways), draw.uniform(0.0, STARTUP_SECONDS + undisturbed_results.seconds[stage])
            output = kill_once(project, stage, way, delay)
            assert "Traceback" not in output or DURING_STARTUP in output, (stage, way, delay, output)
            mend_lock(project, output)
            journals |= read_journals(project)
        project.repro()
        undisturbed_results.compare(project)
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
    return victim.read_output()


def mend_lock(project: Clone, output: str) -> None:
    if any(text in output for text in TORN):
        project.run("thalweg", "check")


def read_journals(project: Clone) -> dict[Path, bytes]:
    """Return the complete lines of each journal."""
    journals = {file: file.read_bytes() for file in project.folder.glob(".thalweg/**/journal.jsonl")}
    return {file: content[: content.rfind(b"\n") + 1] for file, content in journals.items()}


@sized(80, slow=2)
def test_edits_are_never_recorded_as_used(project: Clone, undisturbed_results: Undisturbed, size: Size) -> None:
    """The seed changes each result, so a false record brings the results of the other seed."""
    draw, seed = size.start_draws(), 0
    project.clear()
    project.set({"seed": 1})
    expected = {0: undisturbed_results, 1: measure(project)}
    for stages in plan_rounds(size.count):
        project.clear()
        for stage in stages:
            victim = Victim(project)
            if victim.wait_for_stage(stage):
                victim.wait_for_listener()
                time.sleep(draw.uniform(0.0, undisturbed_results.seconds[stage] / 2))
            seed = 1 - seed
            project.set({"seed": seed})
            assert victim.wait_for_end(600.0)
            assert "Traceback" not in victim.read_output()
        for _ in range(2):
            project.repro()
            assert project.read_results() == expected[seed].results
            seed = 1 - seed
            project.set({"seed": seed})


@sized(20, slow=0)
def test_second_run_changes_nothing(project: Clone, undisturbed_results: Undisturbed, size: Size) -> None:
    draw = size.start_draws()
    for stage in [draw.choice(ALL) for _ in range(size.count)]:
        project.clear()
        first = Victim(project)
        first.wait_for_stage(stage)
        time.sleep(draw.uniform(0.0, STARTUP_SECONDS))
        second = Victim(project)
        for victim in (first, second):
            assert victim.wait_for_end(900.0)
            output = victim.read_output()
            assert "Traceback" not in output
            assert victim.exit_code() == 0 or any(text in output for text in IS_ACTIVE), output
        project.repro()
        undisturbed_results.compare(project)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs"]
    if subprocess.run(["mount", *options, str(tmp_path)], capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a file system; tests/stages/test_full_disk.py injects the errors")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@sized(40, slow=0)
def test_full_disk_loses_nothing(
    small_disk: Path, project: Clone, undisturbed_results: Undisturbed, size: Size
) -> None:
    draw, filler = size.start_draws(), small_disk / "filler"
    project = project.copy_to(small_disk / "project")
    project.clear()
    empty = count_free(small_disk)
    project.repro()
    used = empty - count_free(small_disk)
    for stages in plan_rounds(size.count):
        project.clear()
        empty = count_free(small_disk)
        for room in sorted(draw.uniform(0.0, used) for _ in stages):
            with filler.open("wb") as file:  # leave so much room for all that this round writes
                os.posix_fallocate(file.fileno(), 0, min(count_free(small_disk), empty - int(room)))
            done = project.attempt("dvc", "repro")
            filler.unlink()
            output = done.stdout + done.stderr
            assert done.returncode == 0 or "No space left" in output or "disk is full" in output, output
            assert not OUR_FRAME.search(output), output
            mend_lock(project, output)
        project.repro()
        undisturbed_results.compare(project)


def count_free(disk: Path) -> int:
    usage = os.statvfs(disk)
    return usage.f_bavail * usage.f_frsize
