"""A trial's value from the curves of its lanes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def best_validations(cost: Array) -> NDArray[np.intp]:
    """Return the index of each lane's best validation so far [lanes, validations].

    A lower `cost` [lanes, validations] is better. The first of equal costs is best; without a finite cost it is 0.
    """
    cost = np.where(np.isfinite(cost), cost, np.inf)
    before = np.minimum.accumulate(np.insert(cost[:, :-1], 0, np.inf, axis=1), axis=1)
    return np.maximum.accumulate(np.where(cost < before, np.arange(cost.shape[1]), 0), axis=1)


def mean_at_best(cost: Array, values: Array, weights: Array | None = None) -> Array:
    """Return the value that a trial would have, had it ended at each validation [validations].

    It is the mean over lanes of `values` [lanes, validations] at each lane's lowest `cost` so far, where the lane keeps
    its weights. `weights` [lanes] are equal by default. NaN if some lane has no value.
    """
    at_best = np.take_along_axis(values, best_validations(cost), axis=1)
    # validations as rows, so that each is summed as if it were alone
    return np.average(np.ascontiguousarray(at_best.T), axis=1, weights=weights)
