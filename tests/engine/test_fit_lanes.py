"""Lanes side by side: each trains as if it were alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.helpers.pixel_lanes import (
    DATA,
    EPOCHS,
    EVERY,
    HYPER,
    PLAN,
    compile_alone,
    get_weights,
    start,
    train_lane,
)
from tests.helpers.trees import are_equal_trees
from thalweg.engine import fit
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import LaneMap, map_sequential, map_vmapped


@cache
def compile_block(each: LaneMap) -> Callable[..., LaneState]:
    """A function that advances a block of lanes."""
    return jax.jit(partial(fit.advance_block, PLAN, each))


def train_several(each: LaneMap, rates: Sequence[float], until: Sequence[int]) -> list[LaneState]:
    """Lanes of seed 0 that differ in their rates, each to its own epoch, as one block."""
    hypers = [replace(HYPER, learning_rate=np.float32(rate)) for rate in rates]
    states = [start(jnp.int32(0), jnp.int32(0)) for _ in rates]
    block = jax.tree.map(lambda *leaves: jnp.stack(leaves), *zip(hypers, states, strict=True))
    ended = compile_block(each)(*block, DATA, jnp.array(until, jnp.int32))
    return [jax.tree.map(lambda leaf, i=i: leaf[i], ended) for i in range(len(rates))]


RATES = (0.5, 1e38, 0.01, 0.2, 0.3)
UNTIL = (EPOCHS, EPOCHS, EVERY, 0, 2 * EVERY)


def test_lanes_are_independent() -> None:
    for lane, rate, until in zip(train_several(map_sequential, RATES, UNTIL), RATES, UNTIL, strict=True):
        wanted = train_lane(replace(HYPER, learning_rate=np.float32(rate)), until=until)
        assert are_equal_trees(lane, wanted)


@pytest.mark.slow
def test_vmapped_lanes_match_to_rounding() -> None:
    for lane, other in zip(
        train_several(map_sequential, RATES, UNTIL), train_several(map_vmapped, RATES, UNTIL), strict=True
    ):
        assert int(lane.step) == int(other.step)
        assert int(lane.diverged_step) == int(other.diverged_step)
        for a, b in zip(jax.tree.leaves(lane.best_weights), jax.tree.leaves(other.best_weights), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("each", [map_sequential, map_vmapped])
def test_shared_augmentation_equals_own(each: LaneMap) -> None:
    """With equal strengths it is the same whether a mini-batch is augmented once for all or for each lane."""
    plan, ended = replace(PLAN, augmentation_names=("flip", "noise")), []
    hyper = replace(HYPER, augment={"flip": np.float32(0.5), "noise": np.float32(0.1)})
    for tuned in (True, False):
        state = start(jnp.int32(0), jnp.int32(0))
        train_alone = compile_alone(replace(plan, augmentation_searched=tuned), each)
        ended.append(train_alone(hyper, state, DATA, jnp.int32(EVERY)))
    assert are_equal_trees(ended[0].learner.model_state, ended[1].learner.model_state)
    np.testing.assert_allclose(get_weights(ended[0]), get_weights(ended[1]), rtol=1e-5, atol=1e-6)
    assert not are_equal_trees(ended[0].learner.model_state, train_lane(until=EVERY).learner.model_state)


def test_searched_augmentation_is_per_lane() -> None:
    plan = replace(PLAN, augmentation_names=("flip",))
    hypers = [replace(HYPER, augment={"flip": np.float32(share)}) for share in (0.0, 1.0)]
    states = [start(jnp.int32(0), jnp.int32(0))] * 2
    block = jax.tree.map(lambda *leaves: jnp.stack(leaves), *zip(hypers, states, strict=True))
    ended = jax.jit(partial(fit.advance_block, plan, map_sequential))(
        *block, DATA, jnp.array([EVERY, EVERY], jnp.int32)
    )
    first, second = np.asarray(ended.learner.model_state["visits"][...])
    assert np.array_equal(first, np.asarray(train_lane(until=EVERY).learner.model_state["visits"][...]))
    assert not np.array_equal(first, second)
