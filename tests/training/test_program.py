"""The training of a network as the engine's program, on a problem that NumPy solves beside it."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.pixel_lanes import (
    BATCH,
    DATA,
    EPOCHS,
    EVERY,
    HYPER,
    PLAN,
    RATE,
    STEPS,
    TARGETS,
    VALIDATION,
    draw_batches,
    get_weights,
    start,
    train_lane,
)
from tests.helpers.trees import are_equal_trees
from thalweg.engine import fit


def test_lane_has_its_schedule_and_loss() -> None:
    """A linear schedule to 0 and absolute error: each visit moves a weight by the rate of its step over the batch."""
    schedule = {"kind": np.int32(5), "warmup": np.float32(0), "final": np.float32(0)}
    loss = {"value": {"kind": np.int32(0), "weight": np.float32(3), "delta": np.float32(1)}}
    wanted, step = get_weights(start(jnp.int32(0), jnp.int32(0))), 0
    for epoch in range(EVERY):
        for batch in draw_batches(0, 0, epoch):
            rate = RATE * (1 - step / (EPOCHS * STEPS))
            wanted[batch] -= rate * 3 / BATCH * np.sign(wanted[batch] - TARGETS[batch])
            step += 1
    ended = train_lane(replace(HYPER, schedule=schedule, loss=loss), until=EVERY)
    np.testing.assert_allclose(get_weights(ended), wanted, rtol=1e-5, atol=1e-6)
    assert fit.name_curves(PLAN, ended)["learning_rate"][0] == pytest.approx(RATE * (1 - (step - 1) / (EPOCHS * STEPS)))


def test_validation_updates_nothing() -> None:
    """The network in inference mode writes nothing down, and the batches counted are those trained on."""
    state = train_lane(until=EVERY)
    assert int(state.learner.model_state["batches"][...]) == EVERY * STEPS
    other = replace(DATA, validation_rows=DATA.validation_rows[:, ::-1].copy())
    moved = train_lane(data=other, until=EVERY)
    assert are_equal_trees(
        (state.learner.parameters, state.learner.model_state), (moved.learner.parameters, moved.learner.model_state)
    )


def test_fold_validates_its_rows() -> None:
    for fold, rows in enumerate(VALIDATION):
        state = train_lane(fold=fold, until=EVERY)
        wanted = np.square(get_weights(state)[rows] - TARGETS[rows]).mean()
        curves = fit.name_curves(PLAN, state)
        assert float(curves["mse"][0]) == pytest.approx(wanted, rel=1e-5)
        assert float(curves["val_loss"][0]) == pytest.approx(wanted, rel=1e-5)
