from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from thalweg.core import optimizers
from thalweg.core.hyperparameters import list_defaults

EACH = pytest.mark.parametrize("kind", optimizers.list_optimizers())
W = jnp.array([2.0, -3.0, 0.5])
CURVE = jnp.array([1.0, 0.5, 4.0])
RATE = 0.1


def build_traced_numbers(kind: str, **numbers: float) -> dict[str, jax.Array]:
    return {
        name: jnp.float32(numbers.get(name, value)) for name, value in optimizers.list_optimizer_defaults(kind).items()
    }


def compute_gradient(w: jax.Array) -> jax.Array:
    """Of the quadratic sum(CURVE w^2) / 2."""
    return CURVE * w


def compute_path(optimizer: optax.GradientTransformation, steps: int) -> np.ndarray:
    w, state, ws = W, optimizer.init(W), []
    for _ in range(steps):
        updates, state = optimizer.update(compute_gradient(w), state, w)
        w = optax.apply_updates(w, updates)
        ws.append(w)
    return np.stack(ws)


def run_our_optimizer(kind: str, steps: int = 4, clip: float | None = None, **numbers: float) -> np.ndarray:
    limit = None if clip is None else jnp.float32(clip)
    return compute_path(
        optimizers.build_optimizer(kind, build_traced_numbers(kind, **numbers), jnp.float32(RATE), limit), steps
    )


@EACH
def test_first_state_is_free_of_the_weights(kind: str) -> None:
    """A lane's initial weights are scaled after its optimizer's state is made."""
    optimizer = optimizers.build_optimizer(kind, build_traced_numbers(kind), jnp.float32(RATE), jnp.float32(1))
    for one, other in zip(jax.tree.leaves(optimizer.init(W)), jax.tree.leaves(optimizer.init(3 * W)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_gradient_descent_by_hand() -> None:
    @jax.jit
    def step(w: Any, rate: Any) -> Any:
        optimizer = optimizers.build_optimizer("gradient_descent", {}, rate, None)
        return optax.apply_updates(w, optimizer.update(compute_gradient(w), optimizer.init(w), w)[0])

    w = jnp.asarray(np.random.default_rng(0).normal(size=3), jnp.float32)
    np.testing.assert_array_equal(
        step(w, jnp.float32(0.37)), jax.jit(lambda w, r: w - r * compute_gradient(w))(w, 0.37)
    )
    np.testing.assert_array_equal(
        run_our_optimizer("gradient_descent", 1)[0], W - jnp.float32(RATE) * compute_gradient(W)
    )


@pytest.mark.parametrize(
    ("kind", "velocity", "step"),
    [
        ("heavy_ball", lambda v, g: 0.8 * v + g, lambda v, g: v),  # noqa: ARG005
        ("nesterov", lambda v, g: 0.8 * v + g, lambda v, g: 0.8 * v + g),
        ("ema", lambda v, g: 0.8 * v + 0.2 * g, lambda v, g: v),  # noqa: ARG005
    ],
)
def test_momentum_by_hand(kind: str, velocity: Callable[[Any, Any], Any], step: Callable[[Any, Any], Any]) -> None:
    w, v = np.asarray(W, np.float64), np.zeros(3)
    for weights in run_our_optimizer(kind, momentum=0.8, weight_decay=0.01):
        g = np.asarray(CURVE) * w + 0.01 * w
        v = velocity(v, g)
        w = w - RATE * step(v, g)
        np.testing.assert_allclose(weights, w, rtol=1e-5)


@pytest.mark.parametrize(("kind", "share"), [("heavy_ball", 5.0), ("nesterov", 5.0), ("ema", 1.0)])
def test_step_on_constant_slope(kind: str, share: float) -> None:
    optimizer = optimizers.build_optimizer(kind, build_traced_numbers(kind, momentum=0.8), jnp.float32(RATE), None)
    state = optimizer.init(W)
    for _ in range(100):
        updates, state = optimizer.update(jnp.ones(3), state, W)
    np.testing.assert_allclose(updates, -RATE * share, rtol=1e-5)


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_by_hand(decoupled: bool) -> None:
    w, m, s = np.asarray(W, np.float64), np.zeros(3), np.zeros(3)
    for step, weights in enumerate(
        run_our_optimizer("adamw" if decoupled else "adam", momentum=0.8, b2=0.9, weight_decay=0.01), 1
    ):
        g = np.asarray(CURVE) * w + (0 if decoupled else 0.01 * w)
        m, s = 0.8 * m + 0.2 * g, 0.9 * s + 0.1 * g * g
        move = (m / (1 - 0.8**step)) / (np.sqrt(s / (1 - 0.9**step)) + 1e-8)
        w = w - RATE * (move + (0.01 * w if decoupled else 0))
        np.testing.assert_allclose(weights, w, rtol=1e-4)


def test_lion_by_hand() -> None:
    w, m = np.asarray(W, np.float64), np.zeros(3)
    for weights in run_our_optimizer("lion", momentum=0.8, b2=0.9, weight_decay=0.01):
        g = np.asarray(CURVE) * w
        move, m = np.sign(0.8 * m + 0.2 * g), 0.9 * m + 0.1 * g
        w = w - RATE * (move + 0.01 * w)
        np.testing.assert_allclose(weights, w, rtol=1e-5)


def test_traced_numbers_match_optax() -> None:
    theirs = {
        "gradient_descent": optax.sgd(RATE),
        "heavy_ball": optax.sgd(RATE, 0.9),
        "nesterov": optax.sgd(RATE, 0.9, nesterov=True),
        "ema": optax.chain(optax.ema(0.9, debias=False), optax.scale(-RATE)),
        "adam": optax.adam(RATE),
        "adamw": optax.adamw(RATE, weight_decay=1e-4),
        "lion": optax.lion(RATE),
    }
    # whoever bears a name of Optax does what it does there
    assert {kind for kind in optimizers.list_optimizers() if hasattr(optax, kind)} <= theirs.keys()
    for kind, optimizer in theirs.items():
        np.testing.assert_allclose(run_our_optimizer(kind), compute_path(optimizer, 4), rtol=1e-4, err_msg=kind)


@EACH
def test_quadratic_bowl_is_descended(kind: str) -> None:
    optimizer = optimizers.build_optimizer(kind, build_traced_numbers(kind), jnp.float32(0.02), None)
    assert np.abs(compute_path(optimizer, 400)[-1]).max() < 0.1


@EACH
def test_gradient_is_clipped_to_norm(kind: str) -> None:
    def first(optimizer: optax.GradientTransformation, g: jax.Array) -> Any:
        return optimizer.update(g, optimizer.init(W), W)[0]

    g = jnp.array([30.0, -40.0, 0.0])
    plain = optimizers.build_optimizer(kind, build_traced_numbers(kind), jnp.float32(RATE), None)
    clipped = optimizers.build_optimizer(kind, build_traced_numbers(kind), jnp.float32(RATE), jnp.float32(5.0))
    np.testing.assert_allclose(first(clipped, g), first(plain, g / 10), rtol=1e-5)
    np.testing.assert_array_equal(first(clipped, g / 20), first(plain, g / 20))


@EACH
def test_new_number_does_not_recompile(kind: str) -> None:
    traces = []

    @jax.jit
    def step(w: Any, state: Any, values: Any, rate: Any, clip: Any) -> Any:
        traces.append(kind)
        updates, state = optimizers.build_optimizer(kind, values, rate, clip).update(compute_gradient(w), state, w)
        return optax.apply_updates(w, updates), state

    state = optimizers.build_optimizer(kind, build_traced_numbers(kind), jnp.float32(0), jnp.float32(1)).init(W)
    first, after = step(W, state, build_traced_numbers(kind), jnp.float32(0.1), jnp.float32(1))
    zero = {name: jnp.float32(0) for name in build_traced_numbers(kind)}
    second, _ = step(W, after, zero, jnp.float32(0.2), jnp.float32(2))
    assert len(traces) == 1
    shapes: list[Any] = [jax.tree.structure(one) for one in (state, after)]
    assert shapes[0] == shapes[1]
    assert not jnp.array_equal(first, second)


@EACH
def test_every_number_has_an_effect(kind: str) -> None:
    for name, value in optimizers.list_optimizer_defaults(kind).items():
        changed = 0.5 * value + 0.05
        assert not np.array_equal(run_our_optimizer(kind, 40, **{name: changed}), run_our_optimizer(kind, 40)), name


def test_learning_rate_is_no_number() -> None:
    assert all("learning_rate" not in list_defaults(member) for member in optimizers.KINDS)


@pytest.mark.parametrize("kind", ["gradient_descent", "heavy_ball", "nesterov", "ema"])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_stability_limit_is_sharp(kind: str, momentum: float) -> None:
    """A quadratic valley of curvature k: w moves by the optimizer's own steps from 1."""
    numbers = {"momentum": momentum, "weight_decay": 0.0}
    limit = optimizers.stability_limit(kind, numbers, 0.1)

    def find_final_distance(curvature: float) -> float:
        optimizer = optimizers.build_optimizer(kind, {n: jnp.float32(v) for n, v in numbers.items()}, 0.1, None)

        def step(_: Any, carried: Any) -> Any:
            w, state = carried
            updates, state = optimizer.update(curvature * w, state, w)
            return w + updates, state

        start = jnp.float32(1.0)
        return abs(float(jax.lax.fori_loop(0, 2000, step, (start, optimizer.init(start)))[0]))

    assert find_final_distance(0.99 * limit) < 1
    assert not find_final_distance(1.01 * limit) < 1


def test_stability_limit_of_adam_and_flat_loss() -> None:
    assert np.isnan(optimizers.stability_limit("adam", {"momentum": 0.9}, 0.1))
    assert optimizers.stability_limit("heavy_ball", {"momentum": 0.9}, 0.0) == np.inf
