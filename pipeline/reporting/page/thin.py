"""Fewer things than there are, so that a page can show them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def subsample_indices(count: int, max_count: int) -> NDArray[np.intp]:
    """The places, in order, of at most `max_count` of `count` things: even steps from the first to the last."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, max_count)).round().astype(np.intp))


def subsample_trials(trials: Sequence[int], always: Sequence[int], max_count: int) -> list[int]:
    """All trials, sorted; where they are more than `max_count`, the `always` ones and an even draw of the others."""
    everyone = sorted(trials)
    if len(everyone) <= max_count:
        return everyone
    kept = set(always[:max_count])
    others = [trial for trial in everyone if trial not in kept]
    return sorted({*kept, *(others[place] for place in subsample_indices(len(others), max_count - len(kept)))})
