from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.helpers.xla_flags import OPTIMISED
from thalweg.core import schedules
from thalweg.core.hyperparameters import list_defaults
from thalweg.core.types import Tree

PER_EPOCH = 10
EPOCHS = 20
STEPS = PER_EPOCH * EPOCHS
EACH = pytest.mark.parametrize("member", schedules.KINDS, ids=schedules.list_schedules())

factor = jax.jit(schedules.schedule_factor, static_argnums=(3, 4))
lone_factor = jax.jit(schedules.schedule_factor, static_argnums=(3, 4), compiler_options=OPTIMISED)


def get_kind(name: str) -> jax.Array:
    result: jax.Array = jnp.int32(schedules.list_schedules().index(name))
    return result


def compute_rate(name: str, step: float, **numbers: float) -> float:
    values = {number: jnp.float32(value) for number, value in numbers.items()}
    return float(factor(get_kind(name), values, jnp.int32(step), PER_EPOCH, EPOCHS))


def compute_every_rate(name: str, **numbers: float) -> np.ndarray:
    values = {number: jnp.float32(value) for number, value in numbers.items()}
    return np.asarray(jax.vmap(lambda step: factor(get_kind(name), values, step, PER_EPOCH, EPOCHS))(jnp.arange(STEPS)))


def build_optax_schedule(schedule: Callable[[Any], Any]) -> np.ndarray:
    return np.asarray(jax.vmap(schedule)(jnp.arange(STEPS)))


@EACH
def test_factor_is_between_0_and_1(member: Callable[..., Any]) -> None:
    factors = compute_every_rate(member.__name__)
    assert factors.dtype == np.float32
    assert ((factors >= 0) & (factors <= 1)).all()
    assert factors.max() == pytest.approx(1)


@EACH
def test_warmup_is_linear_then_schedule(member: Callable[..., Any]) -> None:
    factors = compute_every_rate(member.__name__, warmup=4.0)
    np.testing.assert_allclose(factors[:40], np.arange(40) / 40, atol=1e-6)
    alone = jax.vmap(lambda step: factor(get_kind(member.__name__), {}, step, PER_EPOCH, EPOCHS - 4))(jnp.arange(160))
    np.testing.assert_allclose(factors[40:], alone, atol=1e-5)


@EACH
def test_lanes_equal_lone_runs(member: Callable[..., Any]) -> None:
    lanes = {name: jnp.array([value, value * 0.9]) for name, value in list_defaults(member).items()}
    lanes["warmup"] = jnp.array([0.0, 2.0])
    looped = jax.jit(
        lambda lanes: jax.lax.map(
            lambda n: schedules.schedule_factor(get_kind(member.__name__), n, jnp.int32(37), 10, 20), lanes
        ),
        compiler_options=OPTIMISED,
    )(lanes)
    for lane in range(2):
        alone = lone_factor(get_kind(member.__name__), {n: v[lane] for n, v in lanes.items()}, jnp.int32(37), 10, 20)
        np.testing.assert_array_equal(looped[lane], alone)


def test_defaults_agree_across_schedules() -> None:
    union = {name: value for member in schedules.KINDS for name, value in list_defaults(member).items()}
    assert all(union[name] == value for member in schedules.KINDS for name, value in list_defaults(member).items())


def test_values_at_corners() -> None:
    assert compute_rate("constant", 150) == 1
    assert compute_rate("staircase", 39) == 1
    assert compute_rate("staircase", 40) == 0.5
    assert compute_rate("staircase", 80) == 0.25
    assert compute_rate("exponential", 20) == pytest.approx(0.5**0.5)
    assert compute_rate("cosine", 0) == 1
    assert compute_rate("cosine", 100, final=0.2) == pytest.approx(0.6)
    assert compute_rate("cosine", 200, final=0.2) == pytest.approx(0.2)
    assert compute_rate("restarts", 25) == pytest.approx(0.5)
    assert compute_rate("restarts", 50) == 1
    assert compute_rate("restarts", 49) < 0.01
    assert compute_rate("linear", 50, final=0.2) == pytest.approx(0.8)
    assert compute_rate("one_cycle", 0) == pytest.approx(0.04)
    assert compute_rate("one_cycle", 60) == pytest.approx(1)
    assert compute_rate("one_cycle", 200, final=0.1) == pytest.approx(0.1)


def test_schedules_match_optax() -> None:
    cycles = [{"init_value": 1.0, "peak_value": 1.0, "warmup_steps": 0, "decay_steps": 30, "end_value": 0.1}] * 7
    pairs = {
        "constant": (optax.constant_schedule(1.0), {}),
        "staircase": (optax.exponential_decay(1.0, 30, 0.7, staircase=True), {"decay": 0.7, "every": 3.0}),
        "exponential": (optax.exponential_decay(1.0, 30, 0.7), {"decay": 0.7, "every": 3.0}),
        "cosine": (optax.cosine_decay_schedule(1.0, STEPS, alpha=0.1), {"final": 0.1}),
        "restarts": (optax.sgdr_schedule(cycles), {"period": 3.0, "final": 0.1}),
        "linear": (optax.linear_schedule(1.0, 0.1, STEPS), {"final": 0.1}),
        "one_cycle": (optax.cosine_onecycle_schedule(STEPS, 1.0), {"final": 0.04 * 1e-4}),
    }
    # whoever bears the name of an Optax schedule, such as linear_schedule, does what it does there
    optax_kinds = {name.partition("_")[0] for name in dir(optax.schedules)}
    assert optax_kinds.intersection(schedules.list_schedules()) <= pairs.keys()
    for name, (theirs, numbers) in pairs.items():
        np.testing.assert_allclose(
            compute_every_rate(name, **numbers), build_optax_schedule(theirs), atol=2e-6, err_msg=name
        )


def test_warmup_matches_optax() -> None:
    theirs = optax.warmup_cosine_decay_schedule(0.0, 1.0, 30, STEPS, end_value=0.1)
    np.testing.assert_allclose(
        compute_every_rate("cosine", warmup=3.0, final=0.1), build_optax_schedule(theirs), atol=2e-6
    )
    theirs = optax.warmup_exponential_decay_schedule(0.0, 1.0, 30, 40, 0.5, staircase=True)
    np.testing.assert_allclose(compute_every_rate("staircase", warmup=3.0), build_optax_schedule(theirs), atol=2e-6)


@pytest.mark.parametrize("every", [0.1, 0.3, 0.7, 1.1])
def test_stairs_fall_at_intervals(every: float) -> None:
    stairs = compute_every_rate("staircase", every=every, decay=0.9)
    length = round(every * PER_EPOCH)
    np.testing.assert_allclose(stairs, 0.9 ** (np.arange(STEPS) // length), rtol=1e-5, atol=1e-12)


@EACH
def test_warmup_as_long_as_training(member: Callable[..., Any]) -> None:
    assert np.isfinite(compute_every_rate(member.__name__, warmup=float(EPOCHS))).all()


def test_new_numbers_do_not_recompile() -> None:
    traces = []

    @jax.jit
    def run(kind: jax.Array, values: Tree, step: jax.Array) -> jax.Array:
        traces.append(kind)
        return schedules.schedule_factor(kind, values, step, PER_EPOCH, EPOCHS)

    rates = [
        run(get_kind(name), {"warmup": jnp.float32(warmup), "final": jnp.float32(final)}, jnp.int32(100))
        for name, warmup, final in (("cosine", 0.0, 0.0), ("linear", 1.0, 0.1), ("cosine", 0.0, 0.4))
    ]
    assert len(traces) == 1
    np.testing.assert_allclose(rates[::2], [0.5, 0.7], rtol=1e-5)
