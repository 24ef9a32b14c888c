"""The fluctuation of a curve around its trend."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def difference_std(curve: Array, robust: bool = False) -> float:
    """Estimate the standard deviation of values [n] around any smooth trend; 0 for fewer than three.

    By second differences (Gasser, Sroka and Jennen-Steinmetz 1986): their root mean square, so that rare wide swings
    count, or with `robust` their median, so that they do not.
    """
    if len(curve) < 3:
        return 0.0
    second = np.diff(curve, 2)
    spread = 1.4826 * np.median(np.abs(second)) if robust else np.sqrt((second**2).mean())
    return float(spread / np.sqrt(6))
