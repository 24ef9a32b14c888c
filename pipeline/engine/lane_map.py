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
    packed, unpack_lane = _pack_scalars(inputs, active.shape)

    def advance_next(number: Array, lanes: LaneTree) -> LaneTree:
        lane = turns[number]
        of_lane, packed_inputs = jax.tree.map(lambda leaf: take_at(leaf, lane), (lanes, packed))
        after = function(of_lane, unpack_lane(packed_inputs))
        changed: LaneTree = jax.tree.map(lambda leaf, new: put_at(leaf, lane, new), lanes, after)
        return changed

    after: LaneTree = jax.lax.fori_loop(0, active.sum(), advance_next, lanes)
    return after


def _pack_scalars(tree: Any, lanes: tuple[int, ...]) -> tuple[Any, Callable[[Any], Any]]:
    """Stack the leaves [L] of each dtype into [L, n]; return that, and a function that unpacks one lane's part.

    XLA compiles a kernel for each array that a lane reads, so a study's many numbers are read as one.
    """
    leaves = jax.tree.leaves(tree)
    names = [leaf.dtype.name if leaf.shape == lanes else "" for leaf in leaves]
    groups = {name: [leaf for leaf, other in zip(leaves, names, strict=True) if other == name] for name in names}
    packed = {name: jnp.stack(group, 1) if name else group for name, group in groups.items()}

    def unpack_lane(of_lane: Any) -> Any:
        parts = {name: iter(part) for name, part in of_lane.items()}
        return jax.tree.unflatten(jax.tree.structure(tree), [next(parts[name]) for name in names])

    return packed, unpack_lane


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
