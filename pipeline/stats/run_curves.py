"""A run's learning curves as the monitor reads them, and its verdict on them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
CurveKind = Literal[
    "diverged",
    "too short to tell",
    "overfitting",
    "rate too high",
    "rate too low",
    "improving",
    "came to rest with its rate",
    "converged",
]

MIN_VALIDATIONS = 8  # fewer show no trend
MIN_CYCLES = 3  # fewer are no restarts: a warm-up before a schedule that begins low looks like one


@dataclass(frozen=True)
class Evidence:
    """The rule behind a verdict, and its numbers by name; a number that is not known is left out."""

    rule: str
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class CurveVerdict:
    """A verdict, the epoch from which it holds (None: always, or it does not apply), and its evidence."""

    kind: CurveKind
    since: int | None
    evidence: Evidence


@dataclass(frozen=True)
class RunCurves:
    """A run's curves [V] up to its last validation.

    `cost` is the metric transformed so that less is better; `start` is the loss before training (NaN: not known).
    """

    epoch: NDArray[np.int64]
    train: Curve
    val: Curve
    cost: Curve
    metric: Curve
    rate: Curve
    spread: Curve
    start: float

    def find_start(self, loss: Curve) -> float:
        """Return the loss before training; or the first value of a loss's curve, if it is not known."""
        return self.start if np.isfinite(self.start) else float(loss[0])

    @cached_property
    def way(self) -> Curve:
        """The share of the summed learning rate up to each validation."""
        way = np.cumsum(np.concatenate([self.rate[:1], (self.rate[1:] + self.rate[:-1]) / 2]))
        return np.asarray(way / max(way[-1], 1e-30))

    @cached_property
    def cycle_ends(self) -> NDArray[np.intp]:
        """The validations where a cycle of the schedule ends: there the rate, which fell, rises again.

        The last validation is one, too, unless its cycle was cut short. A schedule that does not restart has none.
        """
        before, at, after = self.rate[:-2], self.rate[1:-1], self.rate[2:]
        ends = 1 + np.flatnonzero((at < before) & (after > 2 * at))
        if len(ends) and self.rate[-1] <= 2 * self.rate[ends].max():
            ends = np.append(ends, len(self.rate) - 1)
        return ends if len(ends) >= MIN_CYCLES else ends[:0]

    def select(self, validations: NDArray[np.intp]) -> "RunCurves":
        """Return the run at some of its validations."""
        names = [field.name for field in fields(self) if field.name != "start"]
        return replace(self, **{name: getattr(self, name)[validations] for name in names})


def count_tail(length: int) -> int:
    """Count the validations that stand for the end of so many."""
    return max(2, length // 5)


def smooth_curve(curve: Curve) -> Curve:
    """Average each value with its neighbours."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3)


def fit_trend(curve: Curve) -> float:
    """Fit a straight line by least squares; return its change from first to last."""
    return float(np.polyfit(np.linspace(0, 1, len(curve)), curve, 1)[0]) if len(curve) > 1 else 0.0
