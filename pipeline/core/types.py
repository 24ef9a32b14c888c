"""The types that tasks, losses and the engine share."""

from dataclasses import dataclass
from typing import NamedTuple

from jax import Array

Tree = dict[str, Array]
"""Named arrays; the first axis is the batch."""


class Term(NamedTuple):
    """The inputs of one loss term, [B, ...] each; `weight` is the weight of each value (None: all equal).

    For classes the prediction has one more axis, of logits. A value of weight 0 must be finite, too.
    """

    prediction: Array
    truth: Array
    weight: Array | None = None


@dataclass(frozen=True)
class DataSpec:
    """The facts of the data that shape the program: images (H, W, C) as stored, and the number of classes."""

    image_shape: tuple[int, int, int]
    class_count: int = 0
