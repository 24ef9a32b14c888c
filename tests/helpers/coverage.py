"""How often intervals hold the truth, over thousands of draws: shares by exact binomial bounds.

The bounds are those of Clopper and Pearson (1934).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

STUDIES = 2000
SEEDS = 8
GROUPS = 12


def draw_noise(draw: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Standard normal values made lognormal, of mean 0 and standard deviation 1; 0.5 has a skewness of 1.75."""
    if sigma == 0:
        return draw
    squared_mean = np.exp(sigma**2)
    result: NDArray[np.float64] = (np.exp(sigma * draw) - squared_mean**0.5) / np.sqrt(
        squared_mean * (squared_mean - 1)
    )
    return result


def compute_share_bounds(count: int, of: int = STUDIES, level: float = 0.95) -> tuple[float, float]:
    """Between what the true share lies, as surely as `level`, if `count` of so many were counted."""
    interval = stats.binomtest(count, of).proportion_ci(level, "exact")
    return float(interval.low), float(interval.high)


def is_coverage_shown(count: int, of: int = STUDIES) -> bool:
    """Whether it is shown, not only not refuted, that 95 % intervals hold the truth in 92 to 98 %."""
    low, high = compute_share_bounds(count, of)
    return low >= 0.92 and high <= 0.98
