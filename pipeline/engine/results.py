"""What lanes come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.core import rng
from thalweg.engine.fit import LaneState, is_training
from thalweg.engine.program import Program

LaneSeed = tuple[int, int]
"""(seed, fold)."""

LaneKey = tuple[int, int, int]
"""A lane of a study: its trial, and its seed and fold."""


@dataclass(frozen=True)
class LaneResult:
    """What is kept of a lane.

    `curves` have a value a validation by name, None where it is not finite or not reached. `epochs` were trained;
    `diverged_step` is the first step that was not finite, None if all were. A lane that `ended` trains no further.
    """

    curves: Mapping[str, Sequence[float | None]]
    epochs: int
    diverged_step: int | None
    ended: bool

    def get_curve(self, name: str) -> NDArray[np.float64]:
        """Return a curve [validations], NaN where it has no value."""
        return np.array(self.curves[name], np.float64)

    def truncate(self, epoch: int) -> "LaneResult":
        """Return the result as it was at an epoch; the curves keep what came later."""
        return self if self.epochs <= epoch else replace(self, epochs=epoch, diverged_step=None, ended=False)


class TrainedLane(NamedTuple):
    """One lane of a trial, and what it has come to."""

    seed: int
    fold: int
    result: LaneResult


TrainedLanes = tuple[TrainedLane, ...]
"""All lanes of a trial."""


def list_lane_seeds(seed: int, purpose: str, seeds: int, folds: int, trial: int | None = None) -> list[LaneSeed]:
    """(seed, fold) of each lane of a trial: the same for every trial, so that differences are the trials' own.

    With a `trial` they are its own, and every trial is an independent draw.
    """
    names = (purpose,) if trial is None else (purpose, trial)
    return [(rng.derive_seed(seed, *names, number), fold) for number in range(seeds) for fold in range(folds)]


def build_lane_result(program: Program, state: LaneState) -> LaneResult:
    """Return what is kept of a lane as it stands."""
    curves = {name: [float(v) if np.isfinite(v) else None for v in curve] for name, curve in state.curves.items()}
    bad, epochs = int(state.diverged_step), int(state.step) // program.steps_per_epoch
    return LaneResult(curves, epochs, bad if bad >= 0 else None, not is_training(program, state))
