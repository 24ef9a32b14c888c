"""The lanes that are trained, seen where the engine trains them."""

from collections.abc import Callable, Sequence

import pytest

from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.engine.launchers import Workers
from thalweg.engine.program import Program
from thalweg.training.plan import NetworkHyper, TrainingData


def watch_training(monkeypatch: pytest.MonkeyPatch, report: Callable[[Program, list[int]], None]) -> None:
    """Tell the program and the steps of each lane after every call of `population.advance`, before it returns."""
    original = population.advance_lanes

    def advance_and_report(
        program: Program,
        hypers: Sequence[NetworkHyper],
        states: Sequence[LaneState],
        data: TrainingData,
        until: Sequence[int],
        width: int | None = None,
        workers: Workers | None = None,
        resident: bool = False,
    ) -> list[LaneState]:
        after = original(program, hypers, states, data, until, width, workers, resident)
        report(program, [int(new.step) - int(old.step) for old, new in zip(states, after, strict=True)])
        return after

    monkeypatch.setattr(population, "advance_lanes", advance_and_report)


def count_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that lanes are trained from here on, filled in as they are."""
    steps: list[int] = []
    watch_training(monkeypatch, lambda _, each: steps.extend(each))
    return steps
