"""Factors on the weights with which a network starts."""

import jax
import numpy as np
import pytest
from flax import nnx

from thalweg.config.model import MODEL_KINDS
from thalweg.core.initial_weights import count_kernels, scale_kernels
from thalweg.core.network import Network

GAIN, LAST_GAIN = np.float32(0.7), np.float32(0.3)


class Nested(nnx.Module):
    """A last layer of two parts, below an attribute `last`, and one whose name only begins so."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        self.lasting = nnx.Linear(int(np.prod(inputs)), 3, rngs=rngs)
        self.last = nnx.List([nnx.Linear(3, 2, rngs=rngs), nnx.Linear(2, *outputs, rngs=rngs)])

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last[1](self.last[0](self.lasting(x.reshape(len(x), -1))))


def test_scales_multiply_kernels_exactly() -> None:
    parameters, _ = jax.device_get(Network(f"{Nested.__module__}.Nested", (2, 2, 1), (1,)).init(jax.random.key(0)))
    scaled = scale_kernels(parameters, GAIN, LAST_GAIN)
    for old, new, factor in (
        (parameters["lasting"], scaled["lasting"], GAIN),
        *((parameters["last"][i], scaled["last"][i], LAST_GAIN) for i in range(2)),
    ):
        assert new["kernel"][...].dtype == np.float32
        np.testing.assert_array_equal(new["kernel"][...], old["kernel"][...] * factor)
        np.testing.assert_array_equal(new["bias"][...], old["bias"][...])


def test_scale_of_one_changes_no_bit() -> None:
    parameters, _ = jax.device_get(Network("cnn", (8, 8, 1), (2,)).init(jax.random.key(0)))
    scaled = scale_kernels(parameters, np.float32(1), np.float32(1))
    for old, new in zip(jax.tree.leaves(parameters), jax.tree.leaves(scaled), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kind", MODEL_KINDS)
def test_models_have_a_last_layer(kind: str) -> None:
    outputs = (8, 8, 1) if kind == "unet" else (2,)
    count, last_count = count_kernels(Network(kind, (8, 8, 1), outputs))
    assert (count > 0) == (kind not in ("linear", "toy"))
    assert last_count == {"toy": 0, "unet": 2}.get(kind, 1)
