"""A finding: verdict, evidence, next step."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Tone = Literal["good", "caution", "plain"]


@dataclass(frozen=True)
class Finding:
    """A verdict, its evidence, the next step and the trials behind it; the page marks it by `tone`.

    The report fills in `section`, the name of the section that it stands in. `tone` is good, caution or plain.

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


class NextStep(NamedTuple):
    """A step, the section that advises it, and the verdict it follows from."""

    section: str
    verdict: str
    text: str


def sort_trials(trials: Iterable[int]) -> tuple[int, ...]:
    """Return trial numbers in order, as a finding names them."""
    return tuple(sorted(int(trial) for trial in trials))
