"""The ends of a spectrum that is known: of quadratics, of a saddle, and of a small network as its whole Hessian."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.diagnose import curvature

KEY = jax.random.key(0)


def compute_quadratic(w: jax.Array, matrix: jax.Array) -> jax.Array:
    return 0.5 * w @ matrix @ w


def with_spectrum(values: Sequence[float] | np.ndarray, seed: int = 0) -> jax.Array:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    return jnp.asarray(turn @ np.diag(values) @ turn.T, jnp.float32)


@pytest.mark.parametrize("values", [[3.0, 1.0], [5.0, 2.0, -0.5], [*np.linspace(-1, 40, 60)], [2.0] * 5])
def test_extremes_of_known_spectrum(values: list[float]) -> None:
    extremes = curvature.extreme_eigenvalues(
        compute_quadratic, jnp.ones(len(values)), with_spectrum(values), KEY, tolerance=1e-4
    )
    assert extremes.largest == pytest.approx(max(values), rel=1e-3)
    assert extremes.smallest == pytest.approx(min(values), abs=1e-3 * max(values))


def test_error_bound_holds() -> None:
    values = np.concatenate([np.linspace(0, 1, 300), [1.1, 9.0]])
    extremes = curvature.extreme_eigenvalues(
        compute_quadratic, jnp.ones(len(values)), with_spectrum(values), KEY, steps=12
    )
    assert np.abs(values - extremes.largest).min() <= extremes.largest_error + 1e-4
    assert np.abs(values - extremes.smallest).min() <= extremes.smallest_error + 1e-4
    assert extremes.smallest_error > 0


def test_extremes_of_full_hessian() -> None:
    inputs = jax.random.normal(jax.random.key(1), (20, 3))
    truth = jnp.sin(inputs.sum(1))

    def loss(weights: dict[str, jax.Array], batch: Any) -> jax.Array:
        x, y = batch
        return jnp.mean((jnp.tanh(x @ weights["in"]) @ weights["out"] - y) ** 2)

    weights = {"in": jax.random.normal(KEY, (3, 4)), "out": jax.random.normal(jax.random.key(2), (4,))}
    flat, unravel = jax.flatten_util.ravel_pytree(weights)
    eigenvalues = np.linalg.eigvalsh(jax.hessian(lambda w: loss(unravel(w), (inputs, truth)))(flat))
    extremes = curvature.extreme_eigenvalues(loss, weights, (inputs, truth), KEY, tolerance=1e-3)
    assert extremes.largest == pytest.approx(eigenvalues[-1], rel=1e-2)
    assert extremes.smallest == pytest.approx(eigenvalues[0], abs=1e-2 * float(eigenvalues[-1]))


def test_non_finite_gives_nan() -> None:
    extremes = curvature.extreme_eigenvalues(
        lambda w, batch: jnp.sqrt(w.sum()) * batch, -jnp.ones(2), jnp.float32(1), KEY
    )
    assert np.isnan(extremes.largest)
