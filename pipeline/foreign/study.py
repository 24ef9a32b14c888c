"""A study of another program in a neutral form, whatever it was read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from thalweg.reporting.parameter import SearchedParameter

State = Literal["complete", "pruned", "failed", "infeasible", "running", "waiting"]
FINISHED: tuple[State, ...] = ("complete", "pruned", "failed", "infeasible")
"""States of trials that have ended."""


LARGEST, SMALLEST = 1e100, 1e-100
"""Sizes beyond which a value counts as none, or as 0: squares, and the ends of charts, would overflow or vanish."""


def read_value(value: float | None) -> float | None:
    """Return a value that can be compared, or None: it is no number, or beyond all bounds."""
    if value is None or not abs(value) < LARGEST:  # true for NaN
        return None
    return float(value) if abs(value) > SMALLEST else 0.0


def read_values(values: Sequence[float]) -> tuple[float, ...]:
    """Return the values of all objectives; () if any cannot be compared."""
    usable = [read for value in values if (read := read_value(value)) is not None]
    return tuple(usable) if len(usable) == len(values) else ()


def read_curve(values: Mapping[int, float]) -> dict[int, float]:
    """Return the reported values that can be compared, by step."""
    return {step: read for step, value in values.items() if (read := read_value(value)) is not None}


@dataclass(frozen=True)
class Objective:
    """What a study minimizes or maximizes: its name, and its better direction."""

    name: str
    direction: Literal["min", "max"]


@dataclass(frozen=True)
class ForeignTrial:
    """A trial.

    - `values`: one for each objective, each usable; () if it has none.
    - `params`: its values by parameter; one that it does not use has no entry.
    - `seed`: None if it is not known. `curve`: the values of the first objective that it reported, by step.
    """

    number: int
    state: State
    values: tuple[float, ...]
    params: Mapping[str, Any]
    seed: Any = None
    curve: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ForeignRun:
    """A candidate on a fresh seed: `winner`, `baseline`, `runner-up 1`, …; `value` is None if the run failed."""

    candidate: str
    trial: int | None
    seed: int
    value: float | None


@dataclass(frozen=True)
class ForeignStudy:
    """A study: where it is from, what it searched, and its trials, in order of number.

    - `source`: what the report calls its place: without user and password.
    - `space`: its parameters; `is_space_known`: their ranges are those that were searched, not only those that trials
      had.
    - `left_out`: columns of a file that are taken for no parameter, each with the reason.
    """

    name: str
    source: str
    objectives: tuple[Objective, ...]
    space: tuple[SearchedParameter, ...]
    trials: tuple[ForeignTrial, ...]
    runs: tuple[ForeignRun, ...] = ()
    is_space_known: bool = True
    left_out: Mapping[str, str] = field(default_factory=dict)

    def count_trials(self, *states: State) -> int:
        """Return how many trials are in one of these states."""
        return sum(trial.state in states for trial in self.trials)
