"""The scale of the weights with which a network starts: factors on what its model draws."""

from functools import cache
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from thalweg.core.network import Network

LAST = "last"
"""The attribute of a model, or of a part of it, that holds the last layer."""


def scale_kernels(parameters: Any, gain: ArrayLike, last_gain: ArrayLike) -> Any:
    """Multiply the kernels (arrays of two or more dimensions) of the last layer by `last_gain`, others by `gain`."""

    def scale_leaf(path: Any, leaf: Any) -> Any:
        if not _is_kernel(leaf):
            return leaf
        return leaf * np.asarray(last_gain if _is_last(path) else gain, leaf.dtype)

    return jax.tree_util.tree_map_with_path(scale_leaf, parameters)


@cache
def count_kernels(network: Network) -> tuple[int, int]:
    """Count the kernels that `gain` and `last_gain` multiply."""
    parameters, _ = jax.eval_shape(network.init, jax.random.key(0))
    leaves = jax.tree_util.tree_leaves_with_path(parameters)
    are_last = [_is_last(path) for path, leaf in leaves if _is_kernel(leaf)]
    return are_last.count(False), are_last.count(True)


def _is_kernel(leaf: Any) -> bool:
    return len(leaf.shape) > 1


def _is_last(path: Any) -> bool:
    return any(getattr(key, "key", None) == LAST for key in path)
