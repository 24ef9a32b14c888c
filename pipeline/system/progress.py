"""How far a stage is: bars on a terminal, a line every few seconds elsewhere.

Code that takes long says so where it runs (`show_part`, `track`). Where no stage is shown this costs nothing, and shows
nothing. A thread draws, so that compilations are not silent either. It ends with the stage.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, TypeVar

from thalweg.system import bars, running, timing
from thalweg.system.counts import format_count, format_duration, format_elapsed

Item = TypeVar("Item")
Clock = Callable[[], float]

LINE_SECONDS = 9.0  # from one line to the next; with a tick's delay they are less than 10 s apart
TICK_SECONDS = 0.5


class Part:
    """A long part of a stage: `done` of `total` units (0: their number is unknown).

    `note` is what a person reads in place of the units.
    """

    def __init__(self, name: str, total: float = 0, unit: str = "", clock: Clock = time.monotonic) -> None:
        self.name, self.total, self.unit, self.note = name, total, unit, ""
        self.done = self._first_done = 0.0
        self._is_measured = False
        self._clock = clock
        self._began = self._last = clock()
        self._compiled_before = sum(timing.COMPILE_SECONDS)

    def advance(self, amount: float = 1) -> None:
        """Count units of work that have just been done."""
        self.done += amount
        self._last, self._is_measured = self._clock(), True

    def skip(self, amount: float) -> None:
        """Count units without work: an earlier run has done them, or, once some work is measured, nobody must."""
        self.done += amount
        if not self._is_measured:
            self._began, self._first_done = self._clock(), self.done

    def estimate_seconds_left(self) -> float | None:
        """Return the seconds left at the mean speed so far, compilations aside; None until some work is measured."""
        if self.done <= self._first_done or not self._is_measured or not self.total:
            return None
        compiled = sum(timing.COMPILE_SECONDS) - self._compiled_before
        seconds_per_unit = max(0.0, self._last - self._began - compiled) / (self.done - self._first_done)
        return max(0.0, (self.total - self.done) * seconds_per_unit - (self._clock() - self._last))

    def describe(self) -> str:
        """Describe how far it is: `12 of 48 trials`."""
        if self.note or not self.total:
            return self.note
        return f"{self.done:,.0f} of {format_count(round(self.total), self.unit)}"


class _Display:
    """The bars of a stage and of its part, or its plain lines in a stream that is no terminal."""

    def __init__(self, stage: str, stream: TextIO, clock: Clock, expected_seconds: float | None = None) -> None:
        self._stage, self._stream, self._clock, self._expected = stage, stream, clock, expected_seconds
        self._began = self._printed = clock()
        self._bars = bars.start_bars(stream) if stream.isatty() else None

    def show(self) -> None:
        """Draw the bars, or print a line if it is time for one."""
        part = next(iter(_parts[-1:]), None)  # in one step, for the stage may end its part now
        part_left = part.estimate_seconds_left() if part else None
        running.update_stage(part.name if part else "", part.describe() if part else "", part_left)
        elapsed = self._clock() - self._began
        left = None if self._expected is None else max(self._expected - elapsed, part_left or 0.0)
        so_far = f"{format_elapsed(elapsed)} so far"
        if self._bars is not None:
            bars.show_row(self._bars, 0, self._stage, elapsed, left and elapsed + left, _describe_left(left) or so_far)
            if part:
                state = _join_parts(part.describe(), _describe_left(part_left))
                bars.show_row(self._bars, 1, f"  {part.name}", part.done, part.total, state)
            self._bars.update(self._bars.tasks[1].id, visible=part is not None)
            self._bars.refresh()
        elif self._clock() - self._printed >= LINE_SECONDS:
            self._printed = self._clock()
            title = f"{self._stage}: {part.name}" if part else self._stage
            pace = _describe_left(left if part_left is None else part_left) or so_far
            print(_join_parts(title, part.describe() if part else "", pace), file=self._stream, flush=True)

    def close(self) -> None:
        """Remove the bars."""
        if self._bars is not None:
            self._bars.stop()


def _join_parts(*texts: str) -> str:
    return ", ".join(filter(None, texts))


def _describe_left(seconds: float | None) -> str:
    return f"about {format_duration(seconds)} left" if seconds else ""


_parts: list[Part] = []
"""The parts of the running stage that are not over, the innermost last."""


def print_line(text: str) -> None:
    """Print a line to standard output, where it stays; a bar is drawn below it."""
    print(text, flush=True)


def advance(amount: float) -> None:
    """Count units of work that have just been done, of the part that is shown."""
    if _parts:
        _parts[-1].advance(amount)


def skip(amount: float) -> None:
    """Count units without work (`Part.skip`) of the part that is shown."""
    if _parts:
        _parts[-1].skip(amount)


@contextmanager
def show_part(name: str, total: float = 0, unit: str = "") -> Iterator[Part]:
    """Show a long part of the running stage, of `total` units if their number is known."""
    part = Part(name, total, unit)
    _parts.append(part)
    try:
        yield part
    finally:
        _parts.remove(part)


def track(
    items: Iterable[Item], name: str, total: float, unit: str, size: Callable[[Item], float] = lambda _: 1
) -> Iterator[Item]:
    """Yield items and show a part that is as far as the caller is; `size` is an item's number of units."""
    with show_part(name, total, unit) as part:
        for item in items:
            yield item
            part.advance(size(item))


@contextmanager
def show_stage(stage: str, expected_seconds: float | None = None) -> Iterator[None]:
    """Show the progress of a stage on standard error, from a thread, until the context ends.

    `expected_seconds` is how long it takes, if that was measured (`thalweg check --time`).
    """
    stream, over = sys.stderr, threading.Event()
    if stream is None:  # the shell closed it
        with running.announce_stage(stage):
            yield
        return
    display = _Display(stage, stream, time.monotonic, expected_seconds)

    def show_until_over() -> None:
        with suppress(OSError, ValueError):  # its reader has gone
            while not over.wait(TICK_SECONDS):
                display.show()

    thread = threading.Thread(target=show_until_over, name="progress", daemon=True)
    thread.start()
    try:
        with running.announce_stage(stage):
            yield
    finally:
        over.set()
        thread.join()
        with suppress(OSError, ValueError):
            display.close()
