"""Serialize weights with msgpack; the same weights give the same bytes. A file of weights holds its own digest."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization

from thalweg.artifacts.damage import explain_damage
from thalweg.core.network import Network
from thalweg.system import files
from thalweg.system.files import UserError

Weights = tuple[Any, Any]
"""(parameters, model state) of one network."""
DIGEST = "sha256"
"""The key beside the networks' numbers that holds the digest of everything else, packed."""


def serialize_weights(members: Sequence[Weights]) -> bytes:
    """Serialize several networks' weights, in order."""
    plain = [[[np.asarray(leaf) for leaf in jax.tree.leaves(part)] for part in member] for member in members]
    networks: dict[str, Any] = {str(index): member for index, member in enumerate(plain)}
    packed: bytes = serialization.msgpack_serialize(networks | {DIGEST: _compute_digest(networks)})
    return packed


def read_weights(path: Path, network: Network) -> list[Weights]:
    """Read the weights of networks. Raises `UserError` if they are damaged or not of the shapes of `network`."""
    with explain_damage(path, UserError):
        return deserialize_weights(network, files.read_bytes(path))


def deserialize_weights(network: Network, packed: bytes) -> list[Weights]:
    """Restore the weights of networks. Raises `UserError` if they are damaged or not of the shapes of `network`."""
    try:
        plain = serialization.msgpack_restore(packed)
        is_whole = plain.pop(DIGEST) == _compute_digest(plain)
    except Exception as error:  # damaged bytes can mean anything to msgpack
        raise UserError(f"not a file of weights ({error or type(error).__name__})") from None
    if not is_whole:
        raise UserError("it was changed after it was written")
    shapes = jax.eval_shape(network.init, jax.random.key(0))
    return [_fill_weights(network, shapes, plain[str(index)]) for index in range(len(plain))]


def _compute_digest(networks: dict[str, Any]) -> str:
    return hashlib.sha256(serialization.msgpack_serialize(networks)).hexdigest()


def _fill_weights(network: Network, shapes: Any, arrays: Sequence[Sequence[Any]]) -> Weights:
    trees = []
    for tree, leaves in zip(shapes, arrays, strict=True):
        shape_leaves, structure = jax.tree.flatten(tree)
        stored, expected = [leaf.shape for leaf in leaves], [leaf.shape for leaf in shape_leaves]
        if stored != expected:
            shapes_text = f"the file has arrays of shapes {stored}, the model {expected}"
            raise UserError(f"the weights do not fit model `{network.path}`: {shapes_text}")
        trees.append(jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in leaves]))
    return trees[0], trees[1]
