"""A trial's value from the curves of its lanes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def best_validations(cost: Array) -> NDArray[np.intp]:
    """Return where each lane was best up to each validation [lanes, validations].

    `cost` [lanes, validations] is lower where a lane is better. Of equals the first is best; a lane without a finite
    cost is at its first validation.
    """
    known = np.where(np.isfinite(cost), cost, np.inf)
    before = np.minimum.accumulate(np.insert(known[:, :-1], 0, np.inf, axis=1), axis=1)
    places: NDArray[np.intp] = np.maximum.accumulate(np.where(known < before, np.arange(known.shape[1]), 0), axis=1)
    return places


def mean_at_best(cost: Array, values: Array, weights: Array | None = None) -> Array:
    """Return a trial's value, had it ended at each validation [validations].

    It is the mean over lanes of `values` [lanes, validations] where each lane's own `cost` was lowest so far: of the
    weights that the lane would keep. `weights` [lanes] are all alike by default. NaN where some lane has no value.
    """
    kept = np.take_along_axis(values, best_validations(cost), axis=1)
    # one validation after the other, so that each is summed as if it were alone
    mean: Array = np.average(np.ascontiguousarray(kept.T), axis=1, weights=weights)
    return mean
