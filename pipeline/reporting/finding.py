"""A finding: verdict, evidence, next step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypedDict

from thalweg.stats.interval import Interval

Tone = Literal["good", "caution", "plain"]
CONFIDENCE = 0.95
"""Of the report's intervals, and of the verdicts that follow from them."""


class Step(str):
    """The words of a next step, and what does it: values for params.yaml by dotted path, or commands.

    Words alone are a step that needs a person.
    """

    patch: Mapping[str, Any]
    commands: tuple[str, ...]

    def __new__(cls, words: str, patch: Mapping[str, Any] | None = None, commands: Iterable[str] = ()) -> "Step":
        step = super().__new__(cls, words)
        step.patch, step.commands = dict(patch or {}), tuple(commands)
        return step

    def reword(self, words: str) -> "Step":
        """Return the same step in other words."""
        return Step(words, self.patch, self.commands)


@dataclass(frozen=True)
class NumberInterval:
    """The interval of one of a finding's numbers: its name, and both ends."""

    of: str
    low: float
    high: float


@dataclass(frozen=True)
class Finding:
    """A verdict, its evidence, the next step and the trials behind it; the page marks it by `tone`.

    `tone` is good, caution or plain. `numbers` are what the verdict rests on, by name; `interval` is that of one
    of them. `confidence` is the probability that the interval, or the rule behind the verdict, holds; None for what was
    counted or measured once.

    The report fills in `number`, from 1 on, and `section`, the name of the section that it stands in; and from the next
    step `patch`, the values to write into params.yaml by dotted path (None: it needs a person), `replaces`, the values
    that the study had there, and `commands`. `thalweg apply NUMBER` writes a patch.

    ```python
    [finding.verdict for finding in study.findings if finding.tone == "good"]
    ```
    """

    verdict: str
    evidence: str
    next_step: str = ""
    trials: tuple[int, ...] = ()
    tone: Tone = "plain"
    section: str = ""
    number: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)
    interval: NumberInterval | None = None
    confidence: float | None = None
    patch: Mapping[str, Any] | None = None
    replaces: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[str, ...] = ()


class Measured(TypedDict):
    """What a finding measures: its fields `numbers`, `interval` and `confidence`."""

    numbers: Mapping[str, float]
    interval: NumberInterval
    confidence: float


def measure(intervals: Mapping[str, Interval], **others: float) -> Measured:
    """Return what a finding measures: means, with the interval of the first, and other numbers beside them."""
    numbers = {name: interval.mean for name, interval in intervals.items()} | others
    name, first = next(iter(intervals.items()))
    return Measured(numbers=numbers, interval=NumberInterval(name, first.low, first.high), confidence=CONFIDENCE)


class NextStep(NamedTuple):
    """A step, the section that advises it, and the verdict it follows from."""

    section: str
    verdict: str
    text: Step


def read_step(finding: Finding) -> Step:
    """Return the next step of a finding; one of words alone needs a person."""
    return finding.next_step if isinstance(finding.next_step, Step) else Step(finding.next_step)


def read_finding(row: Mapping[str, Any]) -> Finding:
    """Read a finding from its row of findings.json; an earlier version's lacks some fields."""
    lists = {name: tuple(row.get(name, ())) for name in ("trials", "commands")}
    interval = NumberInterval(**row["interval"]) if row.get("interval") else None
    return Finding(**{**row, **lists, "interval": interval})


def sort_trials(trials: Iterable[int]) -> tuple[int, ...]:
    """Return trial numbers in order, as a finding names them."""
    return tuple(sorted(int(trial) for trial in trials))
