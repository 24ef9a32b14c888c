"""Networks that tests train."""

import jax
import numpy as np
from flax import nnx


class Shaky(nnx.Module):
    """Running means and dropout beside a matrix, which a lane must carry."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        self.norm, self.drop = nnx.BatchNorm(inputs[2], rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
        self.last = nnx.Linear(int(np.prod(inputs)), outputs[0], rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        last: jax.Array = self.last(self.drop(self.norm(x).reshape(len(x), -1)))
        return last
