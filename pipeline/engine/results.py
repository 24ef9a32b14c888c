"""Results of lanes, and the lanes' seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.core import rng
from thalweg.engine.fit import LaneState, is_training, name_curves
from thalweg.engine.program import Program

LaneSeed = tuple[int, int]  # (seed, fold)
LaneKey = tuple[int, int, int]  # (trial, seed, fold)


@dataclass(frozen=True)
class LaneResult:
    """A lane's result.

    `curves` hold a value for each validation, None if it was not finite or not reached. `epochs` counts trained epochs;
    `diverged_step` is the first step with a loss that was not finite, if any. A lane that `ended` trains no further.
    """

    curves: Mapping[str, Sequence[float | None]]
    epochs: int
    diverged_step: int | None
    ended: bool

    def get_curve(self, name: str) -> NDArray[np.float64]:
        """Return a curve [validations], NaN for a missing value."""
        return np.array(self.curves[name], np.float64)

    def truncate(self, epoch: int) -> "LaneResult":
        """Return the result as it was at an epoch; the curves keep their later values."""
        return self if self.epochs <= epoch else replace(self, epochs=epoch, diverged_step=None, ended=False)


class TrainedLane(NamedTuple):
    """One lane of a trial and its result."""

    seed: int
    fold: int
    result: LaneResult


TrainedLanes = tuple[TrainedLane, ...]  # all of a trial


def list_lane_seeds(seed: int, purpose: str, seeds: int, folds: int, trial: int | None = None) -> list[LaneSeed]:
    """List (seed, fold) of each lane: the same for every trial, so that trials differ by their numbers alone.

    With a `trial` they depend on it, and trials are independent draws.
    """
    names = (purpose,) if trial is None else (purpose, trial)
    return [(rng.derive_seed(seed, *names, number), fold) for number in range(seeds) for fold in range(folds)]


def build_lane_result(program: Program, state: LaneState) -> LaneResult:
    """Build a lane's result from its present state."""
    curves = {
        name: [float(v) if np.isfinite(v) else None for v in curve]
        for name, curve in name_curves(program, state).items()
    }
    diverged_step, epochs = int(state.diverged_step), int(state.step) // program.steps_per_epoch
    return LaneResult(curves, epochs, diverged_step if diverged_step >= 0 else None, not is_training(program, state))
