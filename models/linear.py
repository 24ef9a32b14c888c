"""One matrix from pixels to outputs: the simplest network, for comparison."""

import math

from flax import nnx
from jax import Array

from thalweg.core.layers import Dense


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs], linear in the pixels."""

    def __init__(self, inputs: tuple[int, int, int], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        self.outputs = outputs
        self.last = Dense(math.prod(inputs), math.prod(outputs), rngs=rngs)

    def __call__(self, x: Array) -> Array:
        return self.last(x.reshape(len(x), -1)).reshape(len(x), *self.outputs)
