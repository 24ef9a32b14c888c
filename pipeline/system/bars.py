"""The bars of a terminal: one row for a stage, and one for its part."""

import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

BAR_CHARACTERS = 16


def is_output_shown() -> bool:
    """Say whether standard output is a terminal, too: then its lines go above the bars."""
    return sys.stdout is not None and sys.stdout.isatty()


def start_bars(stream: TextIO) -> "Progress":
    """Start the bars of the stage and of its part."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    class VisibleCursor(Console):
        def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002
            """Leave the cursor alone: a process that is killed could not show it again."""
            return False

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(BAR_CHARACTERS),
        TextColumn("{task.fields[state]}", markup=False, table_column=Column(no_wrap=True)),
    )
    bars = Progress(
        *columns,
        console=VisibleCursor(file=stream),
        auto_refresh=False,
        transient=True,
        redirect_stdout=is_output_shown(),
    )
    for is_visible in (True, False):
        bars.add_task("", total=None, state="", visible=is_visible)
    bars.start()
    return bars


def show_row(bars: "Progress", row: int, title: str, done: float, total: float | None, state: str) -> None:
    """Show how far a row is: `done` of `total`; without a total it pulses."""
    task = bars.tasks[row]
    task.total = total or None  # without a number it pulses
    bars.update(task.id, description=title, completed=done, state=state)
