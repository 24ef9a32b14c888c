"""A finding: what was seen, what it means, what to do next."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Evidence -> verdict -> what to do next, with the trials behind it.

    `tone` tells the page how to mark it: good, caution, or plain.
    """

    verdict: str
    evidence: str
    step: str = ""
    trials: tuple[int, ...] = ()
    tone: Literal["good", "caution", "plain"] = "plain"
