"""Even subsamples, so that a page is not overloaded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def subsample_indices(count: int, max_count: int) -> NDArray[np.intp]:
    """Return at most `max_count` of `count` indices, in even steps from the first to the last."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, max_count)).round().astype(np.intp))


def subsample_trials(trials: Sequence[int], always: Sequence[int], max_count: int) -> list[int]:
    """Return sorted trials; of more than `max_count`, all in `always` and an even subsample of the others."""
    if len(trials) <= max_count:
        return sorted(trials)
    chosen = set(always[:max_count])
    others = sorted(set(trials) - chosen)
    return sorted({*chosen, *(others[index] for index in subsample_indices(len(others), max_count - len(chosen)))})
