"""Trees of arrays, compared."""

from typing import Any

import jax
import numpy as np


def are_equal_trees(first: Any, second: Any) -> bool:
    """Whether two trees have the same values, NaNs included."""
    return all(jax.tree.leaves(jax.tree.map(lambda a, b: np.array_equal(a, b, equal_nan=True), first, second)))
