"""The curve whose values and gradients are known by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.artifacts.weights import Weights
from thalweg.core.network import Network

INPUTS = (2, 2, 1)
GREY = jnp.array([0.0, 0.25, 0.5, 1.0])


def build_images(brightness: Any) -> jax.Array:
    """Images of these means, their pixels not alike."""
    spread = jnp.array([-0.2, 0.1, 0.3, -0.2]).reshape(2, 2, 1)
    result: jax.Array = brightness[:, None, None, None] + spread
    return result


def build_parameters(outputs: tuple[int, ...], a: float, b: float, c: float) -> Weights:
    """A curve's (a, b, c) for every output."""
    fresh, rest = Network("toy", INPUTS, outputs).init(jax.random.key(0))
    values = {"a": a, "b": b, "c": c}
    return jax.tree.map_with_path(lambda path, leaf: jnp.full_like(leaf, values[path[0].key]), fresh), rest


def compute_curve(weights: Weights, x: Any, outputs: tuple[int, ...] = (1,)) -> jax.Array:
    return Network("toy", INPUTS, outputs).apply(*weights, build_images(x), train=True)[0]


def test_has_three_parameters() -> None:
    fresh, _ = Network("toy", INPUTS, (1,)).init(jax.random.key(0))
    assert [leaf.shape for leaf in jax.tree.leaves(fresh)] == [(1,)] * 3
    assert fresh["a"][...] == 0


def test_values_by_hand() -> None:
    curve = compute_curve(build_parameters((1,), 1.0, 2.0, -1.0), GREY)
    wanted = [2.0, 1.5 + np.exp(-0.25), 2.0 + np.exp(-0.5), 3.0 + np.exp(-1.0)]
    np.testing.assert_allclose(curve[:, 0], wanted, rtol=1e-6)


@pytest.mark.parametrize("x", [0.0, 0.5, 1.0])
def test_gradients_by_hand(x: float) -> None:
    weights, rest = build_parameters((1,), 1.0, 2.0, 0.5)
    slope = jax.grad(lambda w: compute_curve((w, rest), jnp.array([x]))[0, 0])(weights)
    slopes = [float(slope[name][...][0]) for name in "abc"]
    np.testing.assert_allclose(slopes, [1.0, x, x * np.exp(0.5 * x)], rtol=1e-5, atol=1e-6)


def test_squared_error_landscape_is_known() -> None:
    """Where the truth is 1 + exp(0.7 x) its least is 0, at (1, 0, 0.7); along a and b from there it is a parabola."""
    x = jnp.array([0.0, 0.5, 1.0])
    truth = 1.0 + jnp.exp(0.7 * x)

    def cost(a: float, b: float, c: float) -> float:
        return float(jnp.square(compute_curve(build_parameters((1,), a, b, c), x)[:, 0] - truth).mean())

    assert cost(1.0, 0.0, 0.7) == pytest.approx(0.0, abs=1e-12)
    assert cost(1.5, 0.0, 0.7) == pytest.approx(0.25, rel=1e-5)
    assert cost(1.0, 0.6, 0.7) == pytest.approx(0.36 * (0.25 + 1.0) / 3, rel=1e-5)


def test_one_curve_per_output() -> None:
    network = Network("toy", INPUTS, (2, 3, 2))
    fresh, rest = network.init(jax.random.key(0))
    outputs = network.apply(fresh, rest, build_images(GREY), train=False)[0]
    b, c = (fresh[name][...][1, 2, 0] for name in "bc")
    np.testing.assert_allclose(outputs[:, 1, 2, 0], b * GREY + jnp.exp(c * GREY), rtol=1e-5)
