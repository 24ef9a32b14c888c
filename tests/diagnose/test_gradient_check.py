"""Differences of functions whose derivatives are known by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.diagnose import gradient_check
from thalweg.diagnose.gradient_check import STEP_SIZES, SlopeCheck, follow_directions, judge_slopes

H = np.array(STEP_SIZES)


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def check_gradient(function: Callable[[Any], jax.Array], at: Any, gradient: Any = None) -> SlopeCheck:
    """The check of a function of one number, by its own gradient or by another."""
    point = jnp.float64(at)
    slope = jax.grad(function)(point) if gradient is None else jnp.float64(gradient)
    slopes = follow_directions(lambda x: function(x)[None], slope[None], point, lambda _: jnp.float64(1), 1)
    return judge_slopes(jax.device_get(slopes))[0][0]


def bound_rounding_error(value: float, slope: float) -> np.ndarray:
    """The error that rounding may make at each step, as a share of the slope."""
    return 2 * gradient_check.ROUNDING_SHARE * value / H / slope


def test_cubic_error_is_squared_step() -> None:
    check = check_gradient(lambda x: x**3, 1.0)
    assert check.analytic == 3
    coarse = H > 1e-4
    np.testing.assert_allclose(check.numerical[coarse] - 3, H[coarse] ** 2, rtol=1e-3)
    np.testing.assert_allclose(check.error[coarse], H[coarse] ** 2 / np.maximum(check.numerical, 3)[coarse], rtol=1e-3)
    assert check.verdict == "right"


def test_quadratic_error_is_rounding() -> None:
    check = check_gradient(lambda x: x**2, 1.5)
    assert (check.error <= bound_rounding_error(2.25, 3.0)).all()
    assert check.verdict == "right"


def test_exponential_error_falls_to_rounding() -> None:
    check = check_gradient(jnp.exp, 1.0)
    assert (check.error <= H**2 / 6 * np.cosh(H) + bound_rounding_error(np.e, np.e)).all()
    np.testing.assert_allclose(check.error[:6], H[:6] ** 2 / 6, rtol=0.02)
    assert 1e-7 < H[check.error.argmin()] < 1e-4
    assert check.error[-1] > 100 * check.error.min()
    assert check.verdict == "right"


@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (jnp.abs, None),
        (jnp.abs, 0.0),
        (jnp.abs, -1.0),
        (jax.nn.relu, None),
        (lambda x: 3 * jnp.abs(x) + jnp.exp(2 * x), 2.0),
        (lambda x: -jnp.maximum(x, 0.5 * x), None),
        (lambda x: jnp.abs(jnp.sin(x)), 0.3),
    ],
)
def test_kink_is_recognized(function: Callable[[Any], jax.Array], gradient: float | None) -> None:
    assert check_gradient(function, 0.0, gradient).verdict == "kink"


@pytest.mark.parametrize("gradient", [1.1, -1.001])
def test_gradient_beyond_kink_is_wrong(gradient: float | None) -> None:
    assert check_gradient(jnp.abs, 0.0, gradient).verdict == "wrong"


@pytest.mark.parametrize("at", [0.3, -1e-2, 1e-5, -3e-7])
def test_gradient_beside_kink_is_right(at: float) -> None:
    check = check_gradient(jnp.abs, at)
    assert check.verdict == "right"
    assert (check.error[abs(at) > H] < 1e-7).any()
    assert (check.error[2 * abs(at) < H] > 0.4).all()


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "right"), (0.9, "wrong"), (1.01, "wrong"), (0.998, "wrong")])
def test_many_kinks_hide_no_wrong_gradient(factor: float, verdict: str) -> None:
    """A million rectifiers, one of which has its kink within 1e-8: no step known to be exact is smaller than all."""
    kinks = jnp.asarray(np.random.default_rng(0).uniform(-0.01, 0.01, 1_000_000))

    def function(x: Any) -> jax.Array:
        return jax.nn.relu(x - kinks).mean()

    right = float(jax.grad(function)(jnp.float64(0)))
    assert check_gradient(function, 0.0, factor * right).verdict == verdict


@pytest.mark.parametrize("factor", [0.0, -1.0, 0.5, 0.999, 1.0001])
@pytest.mark.parametrize("function", [jnp.exp, jnp.sin, lambda x: 1000 + x**3, lambda x: jnp.abs(x) * 1e-4])
def test_wrong_factor_is_found(function: Callable[[Any], jax.Array], factor: float) -> None:
    right = jax.grad(function)(jnp.float64(0.7))
    assert check_gradient(function, 0.7).verdict == "right"
    assert check_gradient(function, 0.7, factor * right).verdict == "wrong"


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_scale_does_not_matter(size: float) -> None:
    assert check_gradient(lambda x: size * jnp.exp(x), 1.0).verdict == "right"
    assert check_gradient(lambda x: size * jnp.exp(x), 1.0, size).verdict == "wrong"
    assert check_gradient(lambda x: size * jnp.abs(x), 0.0).verdict == "kink"


def test_curvature_is_not_a_kink() -> None:
    assert check_gradient(lambda x: jnp.cosh(300 * x), 1e-3).verdict == "right"
    assert check_gradient(lambda x: 1e4 * x**2 + x, 0.0).verdict == "right"


def test_constant_function_is_right() -> None:
    check = check_gradient(lambda x: 0 * x + 7.3, 1.0)
    assert check.verdict == "right"
    assert (check.error == 0).all()
    assert check_gradient(lambda x: 0 * x + 7.3, 1.0, 1e-3).verdict == "wrong"


@pytest.mark.parametrize(("at", "gradient"), [(jnp.nan, 1.0), (1.0, jnp.nan), (-1.0, 1.0)])
def test_non_finite_is_not_judged(at: float, gradient: float | None) -> None:
    assert check_gradient(jnp.log, at, gradient).verdict == "unknown"


def test_vmapped_checks_equal_single_ones() -> None:
    def stack_functions(x: Any) -> jax.Array:
        return jnp.stack([jnp.abs(x), jnp.exp(x)])

    slopes = follow_directions(stack_functions, jnp.array([0.0, 2.0]), jnp.float64(0), lambda _: jnp.float64(1), 1)
    first, second = judge_slopes(jax.device_get(slopes))[0]
    assert (first.verdict, second.verdict) == ("kink", "wrong")
    alone = check_gradient(jnp.exp, 0.0, 2.0)
    np.testing.assert_array_equal(second.error, alone.error)


def test_one_wrong_array_is_found() -> None:
    """A stopped gradient is wrong along its own array, and along all at once; the other array's is right."""

    def function(w: Any) -> jax.Array:
        return (jnp.exp(w["a"]).sum() * jnp.sin(w["b"]).sum())[None]

    def stop_gradient_of_b(w: Any) -> jax.Array:
        return function(w | {"b": jax.lax.stop_gradient(w["b"])})

    point = {"a": jnp.linspace(-1, 1, 40), "b": jnp.linspace(0, 1, 40)}
    names, along = gradient_check.build_directions(point)
    slopes = follow_directions(function, jax.jacrev(stop_gradient_of_b)(point), point, along, len(names))
    verdicts = {
        name: checks[0].verdict for name, checks in zip(names, judge_slopes(jax.device_get(slopes)), strict=True)
    }
    assert verdicts == {"a": "right", "b": "wrong"} | {
        f"all, {i + 1}": "wrong" for i in range(gradient_check.RANDOM_DIRECTIONS)
    }


def test_few_parameters_one_by_one() -> None:
    names, along = gradient_check.build_directions({"a": jnp.zeros(()), "b": {"c": jnp.zeros((2, 2))}})
    assert names == ("a", "b.c[0, 0]", "b.c[0, 1]", "b.c[1, 0]", "b.c[1, 1]")
    moved = [jax.tree.leaves(along(jnp.int64(i))) for i in range(5)]
    np.testing.assert_array_equal([np.append(a, c.ravel()) for a, c in moved], np.eye(5))


def test_many_parameters_by_array() -> None:
    names, along = gradient_check.build_directions([jnp.zeros(50), jnp.zeros((5, 6))])
    assert names == ("0", "1", "all, 1", "all, 2", "all, 3", "all, 4")
    moved = [along(jnp.int64(i)) for i in range(6)]
    assert [[float(jnp.abs(leaf).mean()) for leaf in direction] for direction in moved] == [
        [1, 0],
        [0, 1],
        *[[1, 1]] * 4,
    ]
    assert all(np.unique(leaf).tolist() == [-1, 1] for direction in moved[2:] for leaf in direction)
    assert (moved[2][0] != moved[3][0]).any()
