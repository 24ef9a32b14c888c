"""Fewer things than there are, so that a page can show them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def subsample_indices(count: int, most: int) -> NDArray[np.intp]:
    """The places, in order, of at most `most` of `count` things: even steps from the first to the last."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).round().astype(np.intp))


def subsample_trials(trials: Sequence[int], first: Sequence[int], most: int) -> list[int]:
    """All trials, sorted; where they are more than `most`, the `first` ones and an even draw of the others."""
    everyone = sorted(trials)
    if len(everyone) <= most:
        return everyone
    kept = set(first[:most])
    others = [trial for trial in everyone if trial not in kept]
    return sorted({*kept, *(others[place] for place in subsample_indices(len(others), most - len(kept)))})
