"""The types that tasks, losses and the engine share."""

from dataclasses import dataclass
from typing import NamedTuple

from jax import Array

Tree = dict[str, Array]
"""Named arrays with the batch as their first axis."""


class Term(NamedTuple):
    """What a term of a loss compares, [B, ...] each; `weight` says how much each value counts (None: all the same).

    For classes the prediction has one more axis, of logits. A value of weight 0 must be finite all the same.
    """

    prediction: Array
    truth: Array
    weight: Array | None = None


@dataclass(frozen=True)
class DataSpec:
    """What of the data shapes the program: `image` (H, W, C) as stored, and how many `classes` there are."""

    image_shape: tuple[int, int, int]
    class_count: int = 0
