"""What a network is shown, and in which order its answers come back."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from tests.helpers.pixel_lanes import (
    DATA,
    NETWORK,
    PLAN,
    SIDE,
    get_weights,
    infer_outputs,
    start,
)
from thalweg.core.network import Network
from thalweg.training import batches


def test_second_channel_is_background_difference() -> None:
    backgrounds = np.stack([np.full((SIDE, SIDE, 1), 51, np.uint8), np.full((SIDE, SIDE, 1), 102, np.uint8)])
    data = replace(
        DATA,
        images=np.full((2, SIDE, SIDE, 1), 153, np.uint8),
        background_index=np.array([0, 1], np.int32),
        backgrounds=jnp.asarray(backgrounds),
        mean=np.array([0.1, 0.2], np.float32),
        scale=np.array([1.0, 10.0], np.float32),
    )
    sees = Network(f"{Mirror.__module__}.Mirror", (SIDE, SIDE, 2), (SIDE, SIDE, 2))
    inputs = infer_outputs(sees, sees.init(jax.random.key(0)), jax.tree.map(jnp.asarray, data), jnp.array([0, 1]))
    np.testing.assert_allclose(inputs[..., 0], 0.5, rtol=1e-5)
    np.testing.assert_allclose(inputs[0, ..., 1], (0.4 - 0.2) * 10, rtol=1e-5)
    np.testing.assert_allclose(inputs[1, ..., 1], 0.0, atol=1e-5)


class Mirror(nnx.Module):
    """Gives back what it is shown."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.one, self.none = nnx.Param(jnp.ones(())), nnx.Variable(jnp.zeros(()))

    def __call__(self, x: jax.Array) -> jax.Array:
        return x * self.one[...]


def test_forward_pass_keeps_row_order() -> None:
    rows = jnp.array([5, 0, 3, 3, 9, 1, 7])
    state = start(jnp.int32(0), jnp.int32(0))
    data = jax.tree.map(jnp.asarray, DATA)
    wanted = get_weights(state)[np.asarray(rows)]
    for size in (1, 3, 7, 100):
        pieces = jax.lax.map(
            partial(infer_outputs, NETWORK, PLAN.select_weights(state.learner), data), batches.split_chunks(rows, size)
        )
        outputs = batches.join_chunks(pieces, len(rows))
        np.testing.assert_allclose(outputs[:, 0], wanted, rtol=1e-6)
