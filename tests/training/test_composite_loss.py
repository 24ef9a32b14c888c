"""Losses of several terms: coefficients that move, gradients that pull apart, and what balancing makes of them."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.two_terms import DATA, EPOCHS, PLAN, STEPS, build_hyper, build_loss_numbers
from thalweg.core import losses, schedules
from thalweg.engine import fit
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import map_sequential
from thalweg.training import composite_loss
from thalweg.training.plan import NetworkHyper


def build_phase(start: float, weight: float, ramp: float = 0.0) -> dict[str, np.float32]:
    return {"start": np.float32(start), "weight": np.float32(weight), "ramp": np.float32(ramp)}


def compute_coefficient(term: dict[str, Any], step: int) -> float:
    return float(composite_loss.compute_coefficients(PLAN, build_hyper(a=term), jnp.zeros(2), jnp.int32(step))[0])


@jax.jit
def advance_lane(hypers: NetworkHyper, states: LaneState, until: jax.Array) -> LaneState:
    """Compiled once for all of these tests, but for those with phases."""
    return fit.advance_block(PLAN, map_sequential, hypers, states, jax.tree.map(jnp.asarray, DATA), until)


def train_terms(hyper: NetworkHyper, epochs: int = EPOCHS) -> LaneState:
    start = fit.init_state(PLAN, jnp.int32(0), jnp.int32(0))
    block = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (hyper, start))
    after = advance_lane(block[0], block[1], jnp.array([epochs]))
    result: LaneState = jax.tree.map(lambda leaf: leaf[0], after)
    return result


def test_phase_changes_weight() -> None:
    term = build_loss_numbers(weight=np.float32(2), phases={"0": build_phase(0.5, 5.0)})
    assert [compute_coefficient(term, step) for step in (0, 7, 8, 15)] == [2, 2, 5, 5]


def test_ramp_joins_old_and_new_weight() -> None:
    term = build_loss_numbers(
        weight=np.float32(2), phases={"0": build_phase(0.25, 6.0, ramp=0.5), "1": build_phase(0.75, 1.0)}
    )
    assert [compute_coefficient(term, step) for step in (0, 4, 8, 11)] == pytest.approx([2, 2, 4, 5.5])
    assert compute_coefficient(term, 12) == 1


def test_phase_at_end_never_starts() -> None:
    term = build_loss_numbers(weight=np.float32(2), phases={"0": build_phase(1.0, 5.0)})
    assert compute_coefficient(term, STEPS * EPOCHS - 1) == 2


def test_schedule_multiplies_weight() -> None:
    linear = {
        "kind": np.int32(schedules.list_schedules().index("linear")),
        "warmup": np.float32(0),
        "final": np.float32(0),
    }
    assert compute_coefficient(build_loss_numbers(weight=np.float32(4), schedule=linear), 8) == pytest.approx(2)


def test_training_follows_weighted_sum() -> None:
    """By hand: the slope for w0 is 2 a (w0 - 3) + b (w0 / 2 + w1 + 1), for w1 twice the latter."""
    moving = build_loss_numbers(weight=np.float32(0.5), phases={"0": build_phase(0.5, 2.0)})
    w = np.zeros(2)
    for step in range(STEPS * EPOCHS):
        second = (0.5 if step < 8 else 2.0) * (w[0] / 2 + w[1] + 1)
        w -= 0.1 * np.array([2 * 3 * (w[0] - 3) + second, 2 * second])
    ended = train_terms(build_hyper(a=build_loss_numbers(weight=np.float32(3)), b=moving))
    np.testing.assert_allclose(ended.learner.parameters["weight"][...], w, rtol=1e-5)


def test_term_metrics_by_hand() -> None:
    ended = train_terms(build_hyper(a=build_loss_numbers(weight=np.float32(3))), epochs=1)
    w = np.asarray(ended.learner.parameters["weight"][...], np.float64)
    first, second = w[0] - 3, w[0] / 2 + w[1] + 1
    slopes = np.array([[2 * first, 0], [second, 2 * second]])
    noted = {name: float(curve[0]) for name, curve in fit.name_curves(PLAN, ended).items()}
    assert noted["term.a.loss"] == pytest.approx(first**2)
    assert noted["term.b.loss"] == pytest.approx(second**2)
    assert noted["term.a.coefficient"] == 3
    assert noted["term.a.gradient"] == pytest.approx(3 * np.linalg.norm(slopes[0]), rel=1e-5)
    assert noted["term.b.gradient"] == pytest.approx(np.linalg.norm(slopes[1]), rel=1e-5)
    cosine = slopes[0] @ slopes[1] / np.linalg.norm(slopes[0]) / np.linalg.norm(slopes[1])
    assert noted["terms.a.b.cosine"] == pytest.approx(cosine, rel=1e-4)
    assert noted["val_loss"] == pytest.approx(3 * first**2 + second**2, rel=1e-5)


def test_uncertainty_balance_is_inverse_loss() -> None:
    """With a learning rate of nearly nothing the losses stay: 9 and 1."""
    long = replace(PLAN, epochs=200)
    balance = jnp.zeros(2)
    parts = jnp.array([[9.0, 9.0], [1.0, 1.0]])
    for _ in range(400):
        balance = composite_loss.update_uncertainty_balance(long, build_hyper(balance="uncertainty"), balance, parts)
    np.testing.assert_allclose(jnp.exp(balance), [1 / 9, 1], rtol=1e-2)


def test_gradnorm_balance_equalizes_pull() -> None:
    balance, norms = jnp.zeros(2), jnp.array([6.0, 1.5])
    for _ in range(40):
        balance = composite_loss.update_gradient_norm_balance(build_hyper(balance="gradient_norm"), balance, norms)
    pulled = jnp.exp(balance) * norms
    np.testing.assert_allclose(pulled, [3.0, 3.0], rtol=1e-3)


@pytest.mark.parametrize(
    "balance", [losses.BALANCES[-1], *(pytest.param(name, marks=pytest.mark.slow) for name in losses.BALANCES[:-1])]
)
def test_balance_changes_only_if_enabled(balance: str) -> None:
    ended = train_terms(build_hyper(balance=balance))
    assert np.isfinite(ended.learner.parameters["weight"][...]).all()
    assert (np.asarray(ended.learner.balance) != 0).any() == (balance != "none")


def test_non_finite_term_leaves_balance() -> None:
    balance = composite_loss.update_uncertainty_balance(
        PLAN, build_hyper(balance="uncertainty"), jnp.zeros(2), jnp.array([[jnp.nan], [2.0]])
    )
    assert balance[0] == 0
    assert balance[1] < 0


def test_weights_do_not_recompile() -> None:
    traces = []

    @jax.jit
    def run(hyper: NetworkHyper) -> jax.Array:
        traces.append(hyper)
        return composite_loss.compute_coefficients(PLAN, hyper, jnp.zeros(2), jnp.int32(9))

    for weight, balance in ((1.0, "none"), (2.0, "uncertainty")):
        last = run(build_hyper(a=build_loss_numbers(phases={"0": build_phase(0.1 * weight, weight)}), balance=balance))
    assert len(traces) == 1
    assert last[0] == 2
