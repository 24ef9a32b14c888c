"""The weights that a lane keeps, and when it stops."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.pixel_lanes import (
    BATCH,
    DATA,
    EPOCHS,
    EVERY,
    HYPER,
    IMAGES,
    NETWORK,
    PATIENCE,
    PLAN,
    STEPS,
    TARGETS,
    VALIDATION,
    Line,
    N,
    compile_alone,
    draw_batches,
    get_weights,
    infer_outputs,
    run,
    start,
    train_lane,
)
from tests.helpers.trees import are_equal_trees
from thalweg.core.types import Tree
from thalweg.engine import fit
from thalweg.engine.fit import LaneState
from thalweg.training import batches
from thalweg.training.plan import TrainingData


def build_turning_data() -> TrainingData:
    """Validation images like training's, their targets halfway: the error falls to nothing and rises again."""
    images = IMAGES.copy()
    images[14:20] = images[:6]
    targets = np.where(np.arange(N) < 14, 10, 0).astype(np.float32)
    targets[14:20] = 7
    return replace(DATA, images=images, labels={"value": targets})


@pytest.fixture(scope="module")
def patience_run() -> tuple[LaneState, np.ndarray, TrainingData]:
    """A run with patience, and the same computed in NumPy: state, the metric of each validation."""
    data = build_turning_data()
    w, curve = get_weights(start(jnp.int32(0), jnp.int32(0))), []
    for epoch in range(EPOCHS):
        for batch in draw_batches(0, 0, epoch):
            w[batch] -= 0.4 * 2 / BATCH * (w[batch] - 10)
        curve.append(np.square(w[:6] - 7).mean())
    return (
        train_lane(replace(HYPER, learning_rate=np.float32(0.4)), data=data),
        np.array(curve[EVERY - 1 :: EVERY]),
        data,
    )


def test_patience_stops_lane(
    patience_run: tuple[LaneState, np.ndarray, TrainingData],
) -> None:
    state, curve, _ = patience_run
    best = int(curve.argmin())
    ends = best + 1 + PATIENCE
    assert 0 < best < len(curve) - PATIENCE - 1
    np.testing.assert_allclose(fit.name_curves(PLAN, state)["mse"][:ends], curve[:ends], rtol=1e-4)
    assert np.isnan(state.curves[ends:]).all()
    assert int(state.step) == ends * EVERY * STEPS
    assert int(state.best_epoch) == (best + 1) * EVERY
    assert are_equal_trees(state, run(HYPER, state, DATA, jnp.int32(EPOCHS)))


def test_best_weights_are_kept(
    patience_run: tuple[LaneState, np.ndarray, TrainingData],
) -> None:
    state, curve, data = patience_run
    rows, data = jnp.asarray(VALIDATION[0]), jax.tree.map(jnp.asarray, data)
    outputs = infer_outputs(NETWORK, state.best_weights, data, rows)
    metric = PLAN.task.compute_metrics(outputs[:, 0], batches.gather_targets(PLAN, data, rows), jnp.ones(len(rows)))[
        "mse"
    ]
    assert float(metric) == pytest.approx(float(state.best_value), rel=1e-5)
    assert float(metric) == pytest.approx(curve.min(), rel=1e-4)
    assert not are_equal_trees(state.best_weights[0], state.learner.parameters)


def test_maximized_metric_keeps_highest(patience_run: tuple[LaneState, np.ndarray, TrainingData]) -> None:
    upward = replace(PLAN, objective="score")
    state = compile_alone(upward)(
        replace(HYPER, learning_rate=np.float32(0.4)),
        fit.init_state(upward, jnp.int32(0), jnp.int32(0)),
        patience_run[2],
        jnp.int32(EPOCHS),
    )
    assert int(state.best_epoch) == int(patience_run[0].best_epoch)
    assert float(state.best_value) == -float(patience_run[0].best_value)


def test_keep_last_keeps_final_weights() -> None:
    plan = replace(PLAN, keep="last", patience=0, validate_every=EPOCHS)
    state = compile_alone(plan)(
        HYPER, fit.init_state(plan, jnp.int32(0), jnp.int32(0)), build_turning_data(), jnp.int32(EPOCHS)
    )
    assert are_equal_trees(state.best_weights, (state.learner.parameters, state.learner.model_state))
    assert int(state.best_epoch) == EPOCHS


def test_diverged_lane_keeps_best() -> None:
    """At rate r a visit multiplies the error by 1 - 2 r / B, so NumPy in float32 knows when its square overflows."""
    rate = np.float32(1e6)
    w, bad = np.asarray(start(jnp.int32(0), jnp.int32(0)).learner.parameters["weight"][...])[:, 0].copy(), None
    with np.errstate(over="ignore", invalid="ignore"):
        for step, batch in enumerate(batch for epoch in range(EPOCHS) for batch in draw_batches(0, 0, epoch)):
            error = w[batch] - TARGETS[batch]
            if bad is None and not np.isfinite(np.square(error).mean()):
                bad = step
            w[batch] -= rate * np.float32(2 / BATCH) * error
    state = train_lane(replace(HYPER, learning_rate=rate))
    assert bad
    assert int(state.diverged_step) == bad
    assert int(state.step) % (EVERY * STEPS) == 0
    assert bad < int(state.step) <= bad + EVERY * STEPS
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.best_weights))


def test_non_finite_is_never_best() -> None:
    """The likeliest of NaNs is the first class, so accuracy stays a number; the loss does not."""

    class Hidden(Line):
        def compute_metrics(self, predictions: jax.Array, targets: Tree, weight: jax.Array) -> dict[str, jax.Array]:  # noqa: ARG002
            return {"mse": jnp.float32(0.5), "score": jnp.where(jnp.isfinite(predictions).all(), 0.25, 0.75)}

    plan = replace(PLAN, task=Hidden(), objective="score")
    state = compile_alone(plan)(
        replace(HYPER, learning_rate=np.float32(1e38)),
        fit.init_state(plan, jnp.int32(0), jnp.int32(0)),
        DATA,
        jnp.int32(EPOCHS),
    )
    assert int(state.diverged_step) >= 0
    assert int(state.best_epoch) == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state.best_weights))
