"""Training seen from within, on problems that NumPy solves beside it."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.pixel_lanes import (
    BATCH,
    DATA,
    EPOCHS,
    EVERY,
    FOLDS,
    HYPER,
    PLAN,
    RATE,
    STEPS,
    TARGETS,
    VALIDATION,
    N,
    compile_alone,
    draw_batches,
    get_weights,
    pad_fold,
    run,
    start,
    train_lane,
)
from tests.helpers.trees import are_equal_trees
from thalweg.engine import fit
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import LaneMap, map_sequential, map_vmapped


@pytest.mark.parametrize(("seed", "fold"), [(0, 0), (3, 1)])
def test_gradient_descent_matches_numpy(seed: int, fold: int) -> None:
    wanted = get_weights(start(jnp.int32(seed), jnp.int32(fold)))
    for epoch in range(EVERY):
        for batch in draw_batches(seed, fold, epoch):
            wanted[batch] -= RATE * 2 / BATCH * (wanted[batch] - TARGETS[batch])
    np.testing.assert_allclose(get_weights(train_lane(seed=seed, fold=fold, until=EVERY)), wanted, rtol=1e-5, atol=1e-6)


def train_with_noise(each: LaneMap) -> LaneState:
    augmented = replace(PLAN, augmentation_names=("noise",), augmentation_searched=False)
    hyper, state = replace(HYPER, augment={"noise": np.float32(0.1)}), start(jnp.int32(0), jnp.int32(0))
    return compile_alone(augmented, each)(hyper, state, DATA, jnp.int32(EVERY))


@pytest.fixture(scope="module", params=[map_sequential, pytest.param(map_vmapped, marks=pytest.mark.slow)])
def whole_epoch_run(request: pytest.FixtureRequest) -> tuple[LaneMap, LaneState]:
    return request.param, train_with_noise(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("batches", [2, 1])
def test_chunked_epoch_equals_whole_epoch(
    monkeypatch: pytest.MonkeyPatch, batches: int, whole_epoch_run: tuple[LaneMap, LaneState]
) -> None:
    """Of the 3 steps of an epoch: one at a time, or two and then the one that is left."""
    each, unchunked = whole_epoch_run
    monkeypatch.setattr(fit, "CHUNK_BYTES", batches * BATCH * (N + 1) * 4)
    parted = train_with_noise(each)
    assert np.asarray(unchunked.learner.model_state["batches"][...]) == EVERY * STEPS
    np.testing.assert_allclose(get_weights(parted), get_weights(unchunked), rtol=1e-6)
    spread, unchunked_spread = (fit.name_curves(PLAN, state)["train_spread"] for state in (parted, unchunked))
    np.testing.assert_allclose(spread, unchunked_spread, rtol=1e-5)
    np.testing.assert_array_equal(parted.learner.model_state["last"][...], unchunked.learner.model_state["last"][...])


@pytest.mark.parametrize("fold", [0, 1])
def test_epoch_visits_its_fold_once(fold: int) -> None:
    model_state = train_lane(fold=fold, until=EVERY).learner.model_state
    visits, last = np.asarray(model_state["visits"][...]), np.asarray(model_state["last"][...])
    second = last > STEPS
    assert visits.sum() == EVERY * STEPS * BATCH
    assert visits.max() == EVERY
    assert second.sum() == STEPS * BATCH
    assert set(np.flatnonzero(visits)) <= set(FOLDS[fold].tolist())
    for step, batch in enumerate(draw_batches(0, fold, 1)):
        assert sorted(np.flatnonzero(last == STEPS + step + 1)) == sorted(batch)


def test_epoch_order_depends_on_seed() -> None:
    orders = [draw_batches(0, 0, epoch).ravel().tolist() for epoch in range(4)]
    assert len({tuple(order) for order in orders}) == 4
    slow = train_lane(replace(HYPER, learning_rate=np.float32(0.01)), until=EVERY)
    assert are_equal_trees(slow.learner.model_state, train_lane(until=EVERY).learner.model_state)
    assert not are_equal_trees(slow.learner.model_state, train_lane(seed=1, until=EVERY).learner.model_state)


def test_fold_padding_changes_nothing() -> None:
    """Fold 1 has two examples to validate on fewer, fold 0 two to train on fewer than the arrays are wide."""
    other = replace(DATA, validation_rows=pad_fold(VALIDATION, 30), train_rows=pad_fold(FOLDS, 33))
    for fold in (0, 1):
        assert are_equal_trees(train_lane(fold=fold, until=EVERY), train_lane(fold=fold, data=other, until=EVERY))


def test_resumed_run_equals_one_run() -> None:
    half = train_lane(until=4)
    assert int(half.step) == 4 * STEPS
    assert are_equal_trees(run(HYPER, half, DATA, jnp.int32(EPOCHS)), train_lane())
