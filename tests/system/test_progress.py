"""How far a stage is: the time left, the bar on a terminal, and the lines elsewhere."""

import itertools
import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.system import interrupts, progress, timing
from thalweg.system.progress import Part, _Display, show_part, show_stage, track


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def part(clock: FakeClock) -> Part:
    return Part("training", 10, "epoch", clock)


def test_nothing_is_measured_yet(part: Part, clock: FakeClock) -> None:
    clock.move(5)
    assert part.estimate_seconds_left() is None


def test_first_segment_gives_time_left(part: Part, clock: FakeClock) -> None:
    clock.move(4)
    part.advance(2)
    assert part.estimate_seconds_left() == 16  # 2 s a unit, 8 units
    clock.move(3)
    assert part.estimate_seconds_left() == 13
    clock.move(60)
    assert part.estimate_seconds_left() == 0


def test_speed_is_the_mean(part: Part, clock: FakeClock) -> None:
    for seconds in (1, 3):
        clock.move(seconds)
        part.advance(1)
    assert part.estimate_seconds_left() == 16


def test_earlier_run_took_no_time(part: Part, clock: FakeClock) -> None:
    clock.move(50)  # reads what the earlier run left
    part.skip(5)
    assert part.estimate_seconds_left() is None
    clock.move(3)
    part.advance(1)
    assert part.estimate_seconds_left() == 12


def test_work_that_falls_away_is_expected_again(part: Part, clock: FakeClock) -> None:
    clock.move(4)
    part.advance(2)
    part.skip(2)  # as where half of the lanes diverge
    assert part.estimate_seconds_left() == 6


def test_compilation_is_no_work(part: Part, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.move(9)
    monkeypatch.setattr(timing, "COMPILE_SECONDS", [*timing.COMPILE_SECONDS, 8.0])
    part.advance(1)
    assert part.estimate_seconds_left() == 9


def test_end_leaves_nothing(part: Part, clock: FakeClock) -> None:
    clock.move(4)
    part.advance(10)
    assert part.estimate_seconds_left() == 0


@pytest.mark.parametrize(
    ("total", "unit", "note", "text"),
    [(10, "epoch", "", "2 of 10 epochs"), (0, "", "", ""), (10, "epoch", "1 of 4 trials", "1 of 4 trials")],
)
def test_description(total: float, unit: str, note: str, text: str) -> None:
    part = Part("training", total, unit)
    part.advance(2)
    part.note = note
    assert part.describe() == text


def test_line_at_least_every_ten_seconds(clock: FakeClock) -> None:
    stream = StringIO()
    display = _Display("study", stream, clock)
    times, printed = [clock.now], 0
    for _ in range(240):  # two minutes of a thread's ticks, while the stage is silent
        clock.move(progress.TICK_SECONDS)
        display.show()
        if len(stream.getvalue().splitlines()) > printed:
            printed += 1
            times.append(clock.now)
    assert max(after - before for before, after in itertools.pairwise(times)) < 10
    assert stream.getvalue().splitlines()[:2] == ["study, 9 s so far", "study, 18 s so far"]


def test_lines_say_part_and_time_left(clock: FakeClock) -> None:
    stream = StringIO()
    display = _Display("confirm", stream, clock)
    with show_part("training on fresh seeds", 300, "epoch") as part:
        clock.move(10)
        display.show()
        part._clock, part._began = clock, clock.now - 10
        part.advance(100)
        clock.move(10)
        display.show()
    clock.move(10)
    display.show()
    assert stream.getvalue().splitlines() == [
        "confirm: training on fresh seeds, 0 of 300 epochs, 10 s so far",
        "confirm: training on fresh seeds, 100 of 300 epochs, about 10 s left",
        "confirm, 30 s so far",
    ]


def test_expected_time_of_a_stage(clock: FakeClock) -> None:
    stream = StringIO()
    display = _Display("confirm", stream, clock, expected_seconds=25)
    for _ in range(3):
        clock.move(10)
        display.show()
    lines = ["confirm, about 15 s left", "confirm, about 5 s left", "confirm, 30 s so far"]
    assert stream.getvalue().splitlines() == lines


def test_innermost_part_counts() -> None:
    with show_part("outer", 4, "step") as outer:
        with show_part("inner", 2, "step") as inner:
            progress.advance(1)
        progress.skip(3)
    progress.advance(1)  # no part is shown
    assert (outer.done, inner.done) == (3, 1)
    assert progress._parts == []


def test_track_counts_what_its_caller_has_done() -> None:
    shown = track(["a", "bc"], "reading", 3, "letter", size=len)
    done = [(item, progress._parts[-1].done) for item in shown]
    assert done == [("a", 0), ("bc", 1)]
    assert progress._parts == []


def test_part_of_an_error_is_over() -> None:
    with pytest.raises(ValueError, match="broken"), show_part("reading"):
        raise ValueError("broken")
    assert progress._parts == []


def test_thread_ends_with_stage() -> None:
    with show_stage("study"):
        assert "progress" in {thread.name for thread in threading.enumerate()}
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_short_stage_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with show_stage("study"), show_part("training", 3, "epoch"):
        progress.advance(3)
    assert capsys.readouterr() == ("", "")


def test_closed_error_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with show_stage("study"), show_part("training", 3, "epoch"):
        progress.advance(3)


SCRIPT = """
import signal, time
from thalweg.system import interrupts, progress
interrupts.exit_at_interrupt()
progress.TICK_SECONDS = 0.02
with progress.show_stage("study"), progress.show_part("training", 40, "epoch"):
    for step in range(4):
        time.sleep(0.1)
        progress.advance(10)
        if step == 2:
            print("note: a line of its own")
    {end}
progress.print_line("study: over")
"""
pseudo_terminals = pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="the system has no pseudo-terminals")


def run_in_terminal(end: str = "pass", output_file: int | None = None) -> tuple[int, str]:
    """Run a stage that does `end` last, in a terminal of 80 columns; return its exit code and what it wrote there.

    Standard output goes to `output_file`, if one is given.
    """
    parent, child = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", SCRIPT.format(end=end)]
    process = subprocess.Popen(command, stdout=output_file or child, stderr=child, stdin=child, env=environment)
    os.close(child)
    output = b""
    with suppress(OSError):  # Linux gives an error where the other end is closed
        while block := os.read(parent, 65536):
            output += block
    os.close(parent)
    return process.wait(), output.decode()


@pseudo_terminals
def test_terminal_has_bars() -> None:
    code, text = run_in_terminal()
    assert code == 0
    assert all(part in text for part in ("study", "  training", "20 of 40 epochs", " left"))
    assert "\x1b[?25l" not in text  # a killed process could not show the cursor again
    # the bars are gone at the end, and lines stay whole
    kept = [line.rsplit("\x1b[2K")[-1].strip() for line in text.splitlines()]
    assert "note: a line of its own" in kept
    assert kept[-1].endswith("study: over")


@pseudo_terminals
def test_piped_output_keeps_its_lines(tmp_path: Path) -> None:
    with (tmp_path / "out.txt").open("wb") as file:
        code, text = run_in_terminal(output_file=file.fileno())
    assert code == 0
    assert "20 of 40 epochs" in text
    assert (tmp_path / "out.txt").read_text().splitlines() == ["note: a line of its own", "study: over"]


@pseudo_terminals
def test_interrupt_below_bars_is_quiet() -> None:
    code, text = run_in_terminal("signal.raise_signal(signal.SIGINT); time.sleep(20)")
    assert code == interrupts.EXIT_CODE
    assert interrupts.MESSAGE in text
    assert "Traceback" not in text
    assert "study: over" not in text
