import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.fast_jit import compile_fast
from thalweg.core.layers import MAX_PATCH_BYTES, Conv, Dense, Head, compute_output_size, compute_strides, is_by_patches

SIDE = st.integers(1, 9)


@settings(max_examples=8)  # every shape is compiled
@given(height=SIDE, width=SIDE, size=st.integers(1, 4), stride=st.integers(1, 3), dilation=st.integers(1, 2))
def test_convolution_matches_xla(height: int, width: int, size: int, stride: int, dilation: int) -> None:
    x = np.random.default_rng(1).normal(size=(2, height, width, 2)).astype(np.float32)
    reach = dilation * (size - 1)

    @compile_fast
    def convolve_thrice(x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        layer = Conv(2, 3, size=size, stride=stride, dilation=dilation, rngs=nnx.Rngs(0))
        layer.bias[...] = jnp.arange(3.0)
        wanted = jax.lax.conv_general_dilated(
            x,
            layer.kernel[...].reshape(size, size, 2, 3),
            (stride, stride),
            [(reach // 2, reach - reach // 2)] * 2,
            rhs_dilation=(dilation, dilation),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return layer(x), layer._convolve_whole(x), wanted + layer.bias[...]

    outputs, convolved, wanted = convolve_thrice(x)
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(convolved, wanted, rtol=1e-5, atol=1e-5)
    assert outputs.shape == (2, -(-height // stride), -(-width // stride), 3)


def test_large_layers_are_convolved_on_accelerators() -> None:
    assert [is_by_patches(backend, MAX_PATCH_BYTES) for backend in ("cpu", "gpu", "tpu")] == [True] * 3
    assert [is_by_patches(backend, MAX_PATCH_BYTES + 1) for backend in ("cpu", "gpu", "tpu")] == [True, False, False]


def test_weights_start_uniform() -> None:
    dense, conv = Dense(90, 400, rngs=nnx.Rngs(0)), Conv(10, 400, rngs=nnx.Rngs(0))
    for layer, variance in ((dense, 1 / 3), (conv, 1.0)):
        kernel = np.asarray(layer.kernel[...]) * np.sqrt(90 / variance)
        assert kernel.shape == (90, 400)
        assert kernel.var() == pytest.approx(1, rel=0.03)
        assert abs(kernel.mean()) < 3 / np.sqrt(kernel.size)
        assert 0.999 < np.abs(kernel).max() / np.sqrt(3) < 1.001


def test_map_head_matches_pooled_head() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)

    @compile_fast
    def apply_heads(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        flat, mapped = Head((3, 4, 5), (2,), pool=True, rngs=nnx.Rngs(0)), Head((3, 4, 5), (3, 4, 2), rngs=nnx.Rngs(0))
        return mapped(x), flat(x)

    mapped, flat = map(np.asarray, apply_heads(x))
    assert mapped.shape == (2, 3, 4, 2)
    np.testing.assert_allclose(mapped.mean((1, 2)), flat, rtol=1e-5, atol=1e-6)


@given(height=st.integers(1, 300), width=st.integers(1, 300), halvings=st.integers(0, 5), more=st.integers(0, 3))
def test_strides_reach_every_halving(height: int, width: int, halvings: int, more: int) -> None:
    cell = 2**halvings
    outputs = -(-height // cell), -(-width // cell), 1
    steps = compute_strides((height, width, 3), outputs, halvings + more)
    assert len(steps) == halvings + more
    assert compute_output_size((height, width, 3), steps) == outputs[:2]


def test_strides_for_vector_output() -> None:
    assert compute_strides((48, 48, 3), (10,), 3) == (2, 2, 2)


@pytest.mark.parametrize("outputs", [(5, 5, 1), (12, 24, 1), (6, 6, 1)])
def test_strides_refuse_far_map(outputs: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="2 layers cannot lead from an image of"):
        compute_strides((48, 48, 3), outputs, 2)
