"""The state of a lane: where a training run stands."""

from dataclasses import dataclass
from typing import Any

import jax
from jax import Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """All that changes while a lane trains; of one lane, or with a leading axis of many.

    `seed` and `fold` say which lane this is; `step` counts updates; `learner` is the program's own; `diverged_step` is
    the first step whose loss was not finite (-1: none); `curves` hold a value for each validation, NaN where none has
    been yet.
    """

    seed: Array
    fold: Array
    step: Array
    learner: Any
    best_weights: Any
    best_value: Array
    best_epoch: Array
    validations_since_best: Array
    diverged_step: Array
    curves: dict[str, Array]
