"""Maps of a function over the lanes of a block: in turn on a CPU, side by side on an accelerator.

`each(function, active, lanes, inputs)` returns `lanes` with function(lane, its inputs) for every `active` lane [L];
the other lanes stay unchanged. `lanes` and `inputs` are trees with a leading axis of lanes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array

LaneTree = TypeVar("LaneTree")
LaneMap = Callable[[Callable[[Any, Any], Any], Array, Any, Any], Any]


def map_sequential(
    function: Callable[[LaneTree, Any], LaneTree], active: Array, lanes: LaneTree, inputs: Any
) -> LaneTree:
    """Run one lane after another: each has the bits that it has alone, and an inactive lane costs nothing.

    On a CPU this is as fast as side by side. The loop's state is written in place; `lax.map` would first fill a new
    array with zeros, then copy it back in every step.
    """
    turns = jnp.argsort(~active, stable=True)

    def advance_next(turn: Array, lanes: LaneTree) -> LaneTree:
        lane = turns[turn]
        arguments = jax.tree.map(lambda leaf: take_at(leaf, lane), (lanes, inputs))
        changed: LaneTree = jax.tree.map(lambda leaf, new: put_at(leaf, lane, new), lanes, function(*arguments))
        return changed

    after: LaneTree = jax.lax.fori_loop(0, active.sum(), advance_next, lanes)
    return after


def map_vmapped(function: Callable[[LaneTree, Any], LaneTree], active: Array, lanes: LaneTree, inputs: Any) -> LaneTree:
    """Run all lanes at once, inactive ones too, for accelerators. Bits depend on the number of lanes."""
    new = jax.vmap(function)(lanes, inputs)
    after: LaneTree = jax.tree.map(
        lambda leaf, old: jnp.where(active.reshape(-1, *[1] * (old.ndim - 1)), leaf, old), new, lanes
    )
    return after


def take_at(leaf: Array, index: Array) -> Array:
    """Return leaf[index] for an index that is in range: `[]` would check each leaf's index for a negative one."""
    element: Array = jax.lax.dynamic_index_in_dim(leaf, index, keepdims=False)
    return element


def put_at(leaf: Array, index: Array, value: Array) -> Array:
    """Return leaf.at[index].set(value) for an index that is in range."""
    changed: Array = jax.lax.dynamic_update_index_in_dim(leaf, value, index, 0)
    return changed
