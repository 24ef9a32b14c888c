"""A curve of three numbers, f(x, w) = a + b x + exp(c x), whose loss landscape is known exactly."""

import jax.numpy as jnp
from flax import nnx
from jax import Array


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs]: for each output a + b x + exp(c x), with its own a, b and c.

    x is the mean brightness of the network's input over all channels: in 0..1 for raw inputs; for normalised inputs,
    0 for an image of average brightness. At the start a is 0, and b and c are standard normal.
    """

    def __init__(self, inputs: tuple[int, int, int], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        start = nnx.initializers.normal(1.0)
        self.a = nnx.Param(jnp.zeros(outputs))
        self.b, self.c = nnx.Param(start(rngs.params(), outputs)), nnx.Param(start(rngs.params(), outputs))

    def __call__(self, x: Array) -> Array:
        brightness = x.reshape(len(x), -1).mean(1).reshape(-1, *[1] * self.a[...].ndim)
        return self.a[...] + self.b[...] * brightness + jnp.exp(self.c[...] * brightness)
