"""Serialize weights with msgpack; the same weights give the same bytes."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization

from thalweg.core.network import Network
from thalweg.system.files import UserError

Weights = tuple[Any, Any]
"""(parameters, model state) of one network."""


def serialize_weights(members: Sequence[Weights]) -> bytes:
    """Serialize several networks' weights, in order."""
    plain = [[[np.asarray(leaf) for leaf in jax.tree.leaves(part)] for part in member] for member in members]
    packed: bytes = serialization.msgpack_serialize({str(index): member for index, member in enumerate(plain)})
    return packed


def deserialize_weights(network: Network, packed: bytes) -> list[Weights]:
    """Restore the weights of networks. Raises `UserError` if their shapes are not those of `network`."""
    try:
        plain = serialization.msgpack_restore(packed)
    except ValueError as error:
        raise UserError(f"weights: not a file of weights ({error})") from None
    shapes = jax.eval_shape(network.init, jax.random.key(0))
    return [_fill_weights(network, shapes, plain[str(index)]) for index in range(len(plain))]


def _fill_weights(network: Network, shapes: Any, arrays: Sequence[Sequence[Any]]) -> Weights:
    trees = []
    for tree, leaves in zip(shapes, arrays, strict=True):
        shape_leaves, structure = jax.tree.flatten(tree)
        stored, expected = [leaf.shape for leaf in leaves], [leaf.shape for leaf in shape_leaves]
        if stored != expected:
            shapes_text = f"the file has arrays of shapes {stored}, the model {expected}"
            raise UserError(f"weights: do not fit model `{network.path}`: {shapes_text}; retrain with `dvc repro`")
        trees.append(jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in leaves]))
    return trees[0], trees[1]
