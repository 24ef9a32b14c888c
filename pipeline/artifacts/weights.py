"""Weights as bytes and back: msgpack, the same bytes for the same weights."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization

from thalweg.core.network import Network
from thalweg.system.files import UserError

Weights = tuple[Any, Any]
"""(parameters, rest) of one network."""


def serialize_weights(members: Sequence[Weights]) -> bytes:
    """Several networks' weights, in order."""
    plain = [[[np.asarray(leaf) for leaf in jax.tree.leaves(part)] for part in member] for member in members]
    packed: bytes = serialization.msgpack_serialize({str(index): member for index, member in enumerate(plain)})
    return packed


def deserialize_weights(network: Network, packed: bytes) -> list[Weights]:
    """The weights of networks of this form. Raises `UserError` where they are those of another form."""
    try:
        plain = serialization.msgpack_restore(packed)
    except ValueError as error:
        raise UserError(f"weights: not a file of weights ({error})") from None
    form = jax.eval_shape(network.init, jax.random.key(0))
    return [_fill_weights(network, form, plain[str(index)]) for index in range(len(plain))]


def _fill_weights(network: Network, shapes: Any, arrays: Sequence[Sequence[Any]]) -> Weights:
    filled = []
    for shape, leaves in zip(shapes, arrays, strict=True):
        wanted, structure = jax.tree.flatten(shape)
        found, needed = [leaf.shape for leaf in leaves], [leaf.shape for leaf in wanted]
        if found != needed:
            raise UserError(
                f"weights: of another network than model `{network.path}` is now: arrays of shapes {found}, where it "
                f"has {needed}. `dvc repro` trains it anew"
            )
        filled.append(jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in leaves]))
    return filled[0], filled[1]
