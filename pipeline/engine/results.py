"""What lanes come to."""

from typing import Any

import numpy as np

from thalweg.core import rng
from thalweg.engine.fit import is_training
from thalweg.engine.lane import State
from thalweg.engine.program import Program

Lane = tuple[int, int]
"""(seed, fold)."""

Key = tuple[int, int, int]
"""A lane of a study: its trial, and its seed and fold."""

Result = dict[str, Any]
"""What is kept of a lane: `curves` by name with a value (None: not finite or not reached) a validation, `epochs`
trained, `bad_step` (None: none), and whether it `ended`: whatever it is told, it trains no further."""

Lanes = tuple[tuple[int, int, Result], ...]
"""A trial's lanes: seed, fold and what each has come to."""


def lane_seeds(seed: int, purpose: str, seeds: int, folds: int, trial: int | None = None) -> list[Lane]:
    """(seed, fold) of each lane of a trial: the same for every trial, so that differences are the trials' own.

    With a `trial` they are its own, and every trial is an independent draw.
    """
    names = (purpose,) if trial is None else (purpose, trial)
    return [(rng.seed(seed, *names, number), fold) for number in range(seeds) for fold in range(folds)]


def lane_result(program: Program, state: State) -> Result:
    """What is kept of a lane as it stands."""
    curves = {name: [_number(v) for v in curve] for name, curve in state.curves.items()}
    bad = int(state.diverged_step)
    return {
        "curves": curves,
        "epochs": int(state.step) // program.steps,
        "bad_step": bad if bad >= 0 else None,
        "ended": not is_training(program, state),
    }


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
