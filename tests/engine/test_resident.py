"""Lanes that stay on the device: the same bits as by the host, and arrays of their own where they leave it."""

import pickle
from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.small_lanes import HYPERS, PLAN
from tests.helpers.trees import are_equal_trees
from thalweg.engine import population, resident
from thalweg.engine.fit import LaneState
from thalweg.engine.resident import LaneLeaf
from thalweg.training.plan import TrainingData

LONG = replace(PLAN, epochs=4)
KEPT = [0, 1, 3, 5]
"""Lanes that no fault ends."""


def advance(states: Sequence[LaneState], data: TrainingData, epoch: int, lanes: Sequence[int]) -> list[LaneState]:
    hypers = [HYPERS[lane] for lane in lanes]
    return population.advance_lanes(LONG, hypers, states, data, [epoch] * len(lanes), resident=True)


@pytest.fixture(scope="module")
def starts() -> list[LaneState]:
    return [population.init_lane(LONG, HYPERS[lane], 0, 0) for lane in KEPT]


@pytest.fixture(scope="module")
def ends(starts: list[LaneState], training_data: TrainingData) -> list[LaneState]:
    hypers = [HYPERS[lane] for lane in KEPT]
    return population.advance_lanes(LONG, hypers, starts, training_data, [4] * len(KEPT))


def test_segments_have_the_same_bits(
    starts: list[LaneState], ends: list[LaneState], training_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second and the third segment take the arrays of the one before as they are."""
    found = []

    def find_and_note(*arguments: object) -> object:
        found.append(resident.find_kept_lanes(*arguments) is not None)  # type: ignore[arg-type]
        return resident.find_kept_lanes(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(population, "find_kept_lanes", find_and_note)
    states = starts
    for epoch in (1, 2, 4):
        states = advance(states, training_data, epoch, KEPT)
        assert all(isinstance(leaf, LaneLeaf) for leaf in jax.tree.leaves([state.learner for state in states]))
    calls = len(found) // 3
    assert found == [False] * calls + [True] * 2 * calls
    for state, end in zip(states, ends, strict=True):
        assert are_equal_trees(resident.read_state(state), end)


def test_lane_that_leaves_changes_no_other(
    starts: list[LaneState], ends: list[LaneState], training_data: TrainingData
) -> None:
    states = advance(starts, training_data, 2, KEPT)
    for place in (1, 3):
        (after,) = advance(states[place : place + 1], training_data, 4, KEPT[place : place + 1])
        assert are_equal_trees(resident.read_state(after), ends[place])
    backwards = advance(states[::-1], training_data, 4, KEPT[::-1])
    assert all(are_equal_trees(resident.read_state(a), b) for a, b in zip(backwards, ends[::-1], strict=True))


def test_leaf_is_its_part_of_the_array() -> None:
    whole = jnp.arange(2 * 3 * 4, dtype=jnp.float32).reshape(2, 3, 4)
    leaf = LaneLeaf(whole, (1, 2))
    assert (leaf.shape, leaf.dtype.name, leaf.nbytes) == ((4,), "float32", 16)
    for values in (np.asarray(leaf), np.array(leaf), pickle.loads(pickle.dumps(leaf))):
        assert type(values) is np.ndarray
        np.testing.assert_array_equal(values, [20, 21, 22, 23])
    np.array(leaf)[:] = 0
    np.testing.assert_array_equal(np.stack([leaf, leaf])[1], [20, 21, 22, 23])


def test_lanes_of_another_call_are_not_kept(starts: list[LaneState], training_data: TrainingData) -> None:
    states, other = advance(starts, training_data, 1, KEPT), advance(starts, training_data, 1, KEPT)
    leaf = jax.tree.leaves(states[0].learner)[0]
    size = leaf.lanes.shape[:2]
    placed = [(jax.tree.leaves(state.learner)[0].slot, state) for state in states[:2]]
    same_call = [pair for pair in placed if jax.tree.leaves(pair[1].learner)[0].lanes is leaf.lanes]
    assert resident.find_kept_lanes(same_call, size) is not None
    assert resident.find_kept_lanes(same_call, (size[0], size[1] + 1)) is None
    assert resident.find_kept_lanes([(placed[0][0], other[0]), *same_call], size) is None
    assert resident.find_kept_lanes([((size[0] - 1, size[1] - 1), states[0])], size) is None
    assert resident.find_kept_lanes([(placed[0][0], starts[0])], size) is None


def test_full_accelerator_keeps_no_lanes(starts: list[LaneState], monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that names no limit has no room; a CPU's lanes lie in the machine's memory in any case."""
    assert resident.has_room(10**9, starts[0])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert not resident.has_room(1, starts[0])
