"""One function for each lane of a block: in turn on a CPU, side by side on an accelerator.

`each(function, on, lanes, given)` gives `lanes` with function(lane, given of this lane) in place of every lane that is
`on` [L]; the others stay as they are. `lanes` and `given` are trees with a leading axis of lanes.
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
    """One lane after another: each has the bits that it has alone, and one that is off costs nothing.

    On a CPU as fast as side by side. The loop's own state is written in place; `lax.map` would fill a new array with
    zeros first and copy it back in every step.
    """
    turns = jnp.argsort(~active, stable=True)

    def turn(number: Array, lanes: LaneTree) -> LaneTree:
        lane = turns[number]
        of_lane = jax.tree.map(lambda leaf: take_at(leaf, lane), (lanes, inputs))
        changed: LaneTree = jax.tree.map(lambda leaf, new: put_at(leaf, lane, new), lanes, function(*of_lane))
        return changed

    after: LaneTree = jax.lax.fori_loop(0, active.sum(), turn, lanes)
    return after


def map_vmapped(function: Callable[[LaneTree, Any], LaneTree], active: Array, lanes: LaneTree, inputs: Any) -> LaneTree:
    """All lanes at once, those that are off too: what an accelerator is for. Bits depend on how many there are."""
    new = jax.vmap(function)(lanes, inputs)
    after: LaneTree = jax.tree.map(
        lambda leaf, old: jnp.where(active.reshape(-1, *[1] * (old.ndim - 1)), leaf, old), new, lanes
    )
    return after


def take_at(leaf: Array, index: Array) -> Array:
    """leaf[place] for a place that is known to be there: `[]` would look, for each leaf, whether it is negative."""
    inside: Array = jax.lax.dynamic_index_in_dim(leaf, index, keepdims=False)
    return inside


def put_at(leaf: Array, index: Array, value: Array) -> Array:
    """leaf.at[place].set(new) for a place that is known to be there."""
    changed: Array = jax.lax.dynamic_update_index_in_dim(leaf, value, index, 0)
    return changed
