"""A finding: what was seen, what it means, what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Tone = Literal["good", "caution", "plain"]


@dataclass(frozen=True)
class Finding:
    """Evidence -> verdict -> what to do next, with the trials behind it.

    `tone` tells the page how to mark it: good, caution, or plain.
    """

    verdict: str
    evidence: str
    next_step: str = ""
    trials: tuple[int, ...] = ()
    tone: Tone = "plain"


def sort_trials(trials: Iterable[int]) -> tuple[int, ...]:
    """Return the numbers of trials as a finding names them, in order."""
    return tuple(sorted(int(trial) for trial in trials))
