"""The parts of the report: the head, which is the first screen, and the sections."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from thalweg.reporting.finding import Finding, NextStep
from thalweg.reporting.page.figures import Chart, Code, Figure, Gallery, Table, TrialTable
from thalweg.reporting.text import format_count


class KeyNumber(NamedTuple):
    """A number with its name, its colour (or none), a note below it, and the settings of what it measures (or '')."""

    name: str
    colour: str
    value: str
    note: str
    values: str = ""


@dataclass(frozen=True)
class ReportHead:
    """The first screen; what is not known is empty or None. `measure` says what the numbers are.

    `steps` come in order of importance, the first one with `commands` that do it.
    """

    lede: str
    measure: str
    numbers: Sequence[KeyNumber]
    chart: Chart | None
    pictures: Gallery | None
    steps: Sequence[NextStep]
    commands: Sequence[str]


@dataclass(frozen=True)
class PageSection:
    """A section: its first finding is its claim; the others and the figures fold below it."""

    id: str
    title: str
    findings: Sequence[Finding]
    figures: Sequence[Figure]

    @property
    def summary(self) -> str:
        """Say what is folded: `2 more findings, 3 charts, 1 table`."""
        counts = {
            "more finding": len(self.findings) - 1,
            "chart": sum(isinstance(figure, Chart) for figure in self.figures),
            "picture": sum(len(figure.pictures) for figure in self.figures if isinstance(figure, Gallery)),
            "table": sum(isinstance(figure, Table | TrialTable) for figure in self.figures),
            "text to paste": sum(isinstance(figure, Code) for figure in self.figures),
        }
        plurals = {"text to paste": "texts to paste"}
        listed = [format_count(count, noun, plurals.get(noun, "")) for noun, count in counts.items() if count > 0]
        return ", ".join(listed) or "Details"
