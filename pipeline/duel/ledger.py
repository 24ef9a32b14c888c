"""The ledger: a file of JSON lines that people can read and commit, with every run and every verdict.

A run of the same code with the same seed is in it once, so it never runs again.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from thalweg.duel.runs import Run
from thalweg.stats.sequential import ALPHA, Verdict
from thalweg.system import files


@dataclass(frozen=True)
class Outcome:
    """A comparison that ended: B - A of `metric`, with the interval that holds whenever the comparison stops.

    `a`, `b` are the keys of the sides, `a_text` and `b_text` what the user wrote. `planned`: the largest number of
    pairs.
    """

    date: str
    a: str
    b: str
    a_text: str
    b_text: str
    tree: str
    metric: str
    minimize: bool
    smallest: float | None
    seeds: list[int]
    alpha: float
    verdict: Verdict
    pairs: int
    mean: float
    low: float | None
    high: float | None

    @property
    def planned(self) -> int:
        return len(self.seeds)

    def has_question_of(self, other: "Outcome") -> bool:
        """Return whether another comparison asks the same, and one of the two begins with the seeds of the other."""
        names = ("a", "b", "metric", "minimize", "smallest")
        shared = min(self.planned, other.planned)
        return all(getattr(self, name) == getattr(other, name) for name in names) and (
            self.seeds[:shared] == other.seeds[:shared]
        )


@dataclass(frozen=True)
class Ledger:
    """The runs and the outcomes of a file, in its order."""

    path: Path
    runs: tuple[Run, ...] = ()
    outcomes: tuple[Outcome, ...] = ()

    def find_run(self, key: str, seed: int) -> Run | None:
        """Return the last run of a side with a seed."""
        return next((run for run in reversed(self.runs) if (run.key, run.seed) == (key, seed)), None)


KINDS: dict[str, TypeAdapter[Any]] = {"run": TypeAdapter(Run), "verdict": TypeAdapter(Outcome)}


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; one that does not exist is empty. Raises `UserError` that names the first line it cannot read."""
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    lines = files.read_bytes(path).decode(errors="replace").splitlines() if files.path_exists(path) else []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            ((kind, record),) = json.loads(line).items()
            found[kind].append(KINDS[kind].validate_python(record))
        except (ValueError, KeyError, AttributeError, ValidationError):
            advice = "Remove the line, or give another file with --ledger"
            raise files.UserError(f"{path}:{number}: is no run or verdict of a comparison. {advice}") from None
    return Ledger(path, tuple(found["run"]), tuple(found["verdict"]))


def add_record(path: Path, record: Run | Outcome) -> None:
    """Append a run or an outcome to the file."""
    kind = "run" if isinstance(record, Run) else "verdict"
    files.append_lines(path, [json.dumps({kind: asdict(record)}).encode()])


def find_settled(ledger: Ledger, asked: Outcome) -> Outcome | None:
    """Return the earlier comparison that has settled the same question."""
    earlier = (outcome for outcome in ledger.outcomes if outcome.has_question_of(asked) and outcome.verdict != "open")
    return next(iter(earlier), None)


def choose_alpha(outcomes: Iterable[Outcome], asked: Outcome) -> float:
    """Choose how often a comparison may falsely find a difference: half as often as the shorter one that it extends.

    The first may err in ALPHA of comparisons of equals, so all extensions together err in less than twice as many,
    and in ALPHA in each direction.
    """
    plans = dict.fromkeys(outcome.planned for outcome in outcomes if outcome.has_question_of(asked))
    order = [*plans, asked.planned]
    return float(ALPHA / 2 ** order.index(asked.planned))
