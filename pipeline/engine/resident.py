"""Weights and optimizer states that stay on the device between the calls of a program.

A call returns the lanes of all its slots as arrays with two leading axes. A lane's state keeps its small numbers on the
host. Each of its large leaves is a `LaneLeaf`, which names the array and the slot. If the next call has the same lanes
in the same slots, it takes the arrays as they are. Otherwise the leaves are read to the host.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jax import Array
from numpy.typing import DTypeLike, NDArray

from thalweg.engine.fit import LaneState

RESIDENT_SHARE = 0.25
"""Of an accelerator's memory, for the lanes that stay there."""
Slot = tuple[int, int]
"""Where a lane stands in a call: the number of its block, and its number in the block."""


@dataclass(frozen=True, eq=False)
class LaneLeaf:
    """A lane's part of an array [blocks, lanes, ...] on the device. NumPy reads it when it is used as an array."""

    lanes: Array
    slot: Slot

    @property
    def shape(self) -> tuple[int, ...]:
        return self.lanes.shape[2:]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.lanes.dtype

    @property
    def nbytes(self) -> int:
        return self.lanes.nbytes // (self.lanes.shape[0] * self.lanes.shape[1])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        # JAX keeps the host's copy of an array, so that all its lanes are read at once
        values = np.asarray(np.asarray(self.lanes)[self.slot], dtype)
        return values.copy() if copy else values

    def __reduce__(self) -> tuple[Any, ...]:
        return np.asarray, (np.array(self),)


def keep_lanes(after: LaneState, slots: Sequence[Slot]) -> list[LaneState]:
    """Return the states of the lanes at `slots` of a call's result: the numbers on the host, the rest on the device."""
    large = after.learner, after.best_weights
    small = jax.device_get(replace(after, learner=(), best_weights=()))
    lanes = []
    for slot in slots:
        learner, weights = jax.tree.map(lambda leaf, slot=slot: LaneLeaf(leaf, slot), large)
        numbers = jax.tree.map(lambda leaf, slot=slot: leaf[slot], small)
        lanes.append(replace(numbers, learner=learner, best_weights=weights))
    return lanes


def find_kept_lanes(states: Sequence[tuple[Slot, LaneState]], size: Slot) -> tuple[Any, Any] | None:
    """Return the arrays [*size, ...] of an earlier call, learners and best weights, with these lanes in these slots.

    None if there are none.
    """
    (_, first), *_ = states
    structure = jax.tree.structure((first.learner, first.best_weights))
    leaves = [jax.tree.leaves((state.learner, state.best_weights)) for _, state in states]
    for (slot, _), lane in zip(states, leaves, strict=True):
        for leaf, whole in zip(lane, leaves[0], strict=True):
            if not isinstance(leaf, LaneLeaf) or leaf.slot != slot or leaf.lanes is not whole.lanes:
                return None
            if leaf.lanes.shape[:2] != size:
                return None
    kept: tuple[Any, Any] = jax.tree.unflatten(structure, [leaf.lanes for leaf in leaves[0]])
    return kept


def has_room(lanes: int, state: LaneState) -> bool:
    """Say whether each device holds as many lanes beside what it computes. A CPU has them in its memory in any case."""
    limit = (jax.devices()[0].memory_stats() or {}).get("bytes_limit", 0)
    return jax.default_backend() == "cpu" or lanes * count_bytes(state) <= RESIDENT_SHARE * limit


def read_state(state: LaneState) -> LaneState:
    """Return a lane's state with all its leaves on the host."""
    on_host: LaneState = jax.tree.map(np.asarray, state)
    return on_host


def count_bytes(state: LaneState) -> int:
    """Count the bytes of a lane's state, wherever it lies."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(state))
