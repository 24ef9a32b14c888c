"""Fully connected layers with rectifiers between them."""

import itertools
import math

from flax import nnx
from jax import Array

from thalweg.core.layers import Dense


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs] through `depth` hidden layers of `width` units."""

    def __init__(
        self,
        inputs: tuple[int, int, int],
        outputs: tuple[int, ...],
        *,
        width: int = 128,
        depth: int = 2,
        rngs: nnx.Rngs,
    ) -> None:
        self.outputs = outputs
        sizes = [math.prod(inputs), *[width] * depth]
        self.hidden = nnx.List([Dense(i, o, rngs=rngs) for i, o in itertools.pairwise(sizes)])
        self.last = Dense(sizes[-1], math.prod(outputs), rngs=rngs)

    def __call__(self, x: Array) -> Array:
        x = x.reshape(len(x), -1)
        for layer in self.hidden:
            x = nnx.relu(layer(x))
        return self.last(x).reshape(len(x), *self.outputs)
