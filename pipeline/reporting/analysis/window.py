"""The range of values that a chart shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """The range of values worth drawing; `is_log` if all are positive and differ by a large factor."""

    low: float
    high: float
    is_log: bool

    def list_ticks(self) -> list[float]:
        """List round values for a log axis: 1, 2, 5 in each decade, or finer if those are too few."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)))
        for digits in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8)):
            fine = [float(f"{d}e{k}") for k in decades for d in digits]
            inside = [value for value in fine if self.low <= value <= self.high]
            if len(inside) >= 3:
                break
        return inside

    def is_outside(self, values: pd.Series) -> "pd.Series[bool]":
        """Return which values lie outside."""
        return (values < self.low) | (values > self.high)

    def clip_values(self, values: pd.Series, sign: int) -> pd.Series:
        """Move values into the window; an unknown one (diverged) to the bad edge."""
        return values.fillna(self.high if sign > 0 else self.low).clip(self.low, self.high)


def compute_window(
    values: Sequence[float] | pd.Series,
    sign: int,
    included: Sequence[float] = (),
    allow_log: bool = True,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Window:
    """Return a window over all values, but for bad ones beyond three interquartile ranges from the quartiles.

    Without this limit, a few far values (a trial about to diverge) would squeeze all others. `sign` is 1 if less is
    better, -1 if more is. The best value and `included` are always inside. If `allow_log`, less is better, all values
    are positive and the range exceeds a factor of 2.5, the window is logarithmic. Its margins end at `bounds`.
    """
    finite = np.asarray([*values, *included], np.float64)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return Window(0.0, 1.0, False)
    included_values = np.asarray([value for value in included if np.isfinite(value)], np.float64)
    if allow_log and sign > 0 and finite.min() > 0:
        low, high = _find_reach(np.log(finite), np.log(included_values), sign)
        if high - low > np.log(2.5):
            return Window(float(np.exp(low)), float(np.exp(high)), True)
    low, high = _find_reach(finite, included_values, sign)
    inside = max(low, bounds[0]), min(high, bounds[1])
    return Window(*(inside if inside[0] < inside[1] else (low, high)), False)


def _find_reach(values: NDArray[np.float64], included: NDArray[np.float64], sign: int) -> tuple[float, float]:
    lower, upper = np.quantile(values, [0.25, 0.75])
    far = 3 * (upper - lower) or np.inf
    inside = np.concatenate([values[values <= upper + far] if sign > 0 else values[values >= lower - far], included])
    low, high = float(inside.min()), float(inside.max())
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room
