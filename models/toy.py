"""A curve of three numbers, to look at a landscape that is known exactly: f(x, w) = a + b x + exp(c x)."""

import jax.numpy as jnp
from flax import nnx
from jax import Array


class Model(nnx.Module):
    """[B, H, W, C] -> [B, *outputs]: for each output a + b x + exp(c x), with a, b and c of its own.

    x is an image's mean brightness, of all channels, as the network is given it: in 0..1 where inputs are as they are;
    where they are normalised, 0 for an image of average brightness. At the start a is 0, b and c are standard normal.
    """

    def __init__(self, inputs: tuple[int, int, int], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        start = nnx.initializers.normal(1.0)
        self.a = nnx.Param(jnp.zeros(outputs))
        self.b, self.c = nnx.Param(start(rngs.params(), outputs)), nnx.Param(start(rngs.params(), outputs))

    def __call__(self, x: Array) -> Array:
        brightness = x.reshape(len(x), -1).mean(1).reshape(-1, *[1] * self.a[...].ndim)
        return self.a[...] + self.b[...] * brightness + jnp.exp(self.c[...] * brightness)
