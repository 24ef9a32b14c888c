"""Networks that tests train."""

import jax
import jax.numpy as jnp
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


class Growing(nnx.Module):
    """Makes a variable in its first call, which no compiled loop can carry."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        self.last = nnx.Linear(int(np.prod(inputs)), outputs[0], rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        self.seen = nnx.Variable(x.mean())
        last: jax.Array = self.last(x.reshape(len(x), -1))
        return last


class Scaled(Growing):
    """An array as attribute, and outputs of a small type."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        super().__init__(inputs, outputs, rngs=rngs)
        self.scale = jnp.ones(outputs)

    def __call__(self, x: jax.Array) -> jax.Array:
        last: jax.Array = self.last(x.reshape(len(x), -1)) * self.scale
        return last.astype(jnp.bfloat16)


class Narrowing(Scaled):
    """A state that has another type after each call."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        super().__init__(inputs, outputs, rngs=rngs)
        self.mean = jnp.zeros((), jnp.float16)

    def __call__(self, x: jax.Array) -> jax.Array:
        self.mean = self.mean + x.mean()
        return super().__call__(x)


class Whole(Scaled):
    """Whole numbers, which have no slope."""

    def __call__(self, x: jax.Array) -> jax.Array:
        return super().__call__(x).astype(jnp.int32)
