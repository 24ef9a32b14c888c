"""Weights as bytes and back: msgpack, the same bytes for the same weights."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization

from pipeline.core.network import Network

Weights = tuple[Any, Any]
"""(parameters, rest) of one network."""


def to_bytes(members: Sequence[Weights]) -> bytes:
    """Several networks' weights, in order."""
    plain = {
        str(index): [[np.asarray(_data(leaf)) for leaf in jax.tree.leaves(part)] for part in member]
        for index, member in enumerate(members)
    }
    packed: bytes = serialization.msgpack_serialize(plain)
    return packed


def from_bytes(network: Network, packed: bytes) -> list[Weights]:
    """The weights of networks of this form. Raises ValueError where they are those of another form."""
    plain = serialization.msgpack_restore(packed)
    form = jax.eval_shape(network.init, jax.random.key(0))
    return [_filled(form, plain[str(index)]) for index in range(len(plain))]


def _filled(form: Any, parts: Sequence[Sequence[Any]]) -> Weights:
    filled = []
    for shape, leaves in zip(form, parts, strict=True):
        wanted, structure = jax.tree.flatten(shape)
        if len(wanted) != len(leaves):
            raise ValueError(f"{len(leaves)} arrays of weights where the model has {len(wanted)}")
        filled.append(jax.tree.unflatten(structure, [_typed(w, leaf) for w, leaf in zip(wanted, leaves, strict=True)]))
    return filled[0], filled[1]


def _data(leaf: Any) -> Any:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


def _typed(wanted: Any, leaf: Any) -> Any:
    value = jax.random.wrap_key_data(jnp.asarray(leaf)) if _is_key(wanted) else jnp.asarray(leaf)
    if value.shape != wanted.shape:
        raise ValueError(f"weights of shape {value.shape} where the model has {wanted.shape}")
    return value


def _is_key(leaf: Any) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))
