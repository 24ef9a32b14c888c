"""One verdict on a run from its learning curves, with the numbers behind it. Pure NumPy on the host.

Every threshold is a multiple of the fluctuation between validations or a share of the observed fall, so a verdict does
not depend on a loss's unit. Time is measured by the sum of learning rates so far, the distance that descent could go.
So a slow schedule is not mistaken for a slow run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.stats.curves import difference_std

Curve = NDArray[np.float64]
CurveKind = Literal[
    "diverged", "too short to tell", "overfitting", "rate too high", "rate too low", "improving", "converged"
]

MIN_VALIDATIONS = 8  # fewer show no trend
MIN_PLATEAU_VALIDATIONS = 3  # fewer are no plateau


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
class _RunCurves:
    """A run's curves up to its last validation; `cost` is the metric transformed so that less is better."""

    epoch: NDArray[np.int64]
    train: Curve
    val: Curve
    cost: Curve
    metric: Curve
    rate: Curve
    spread: Curve


def diagnose_curves(
    epoch: ArrayLike,
    train_loss: ArrayLike,
    val_loss: ArrayLike,
    metric: ArrayLike,
    direction: str,
    learning_rate: ArrayLike,
    diverged_step: int | None = None,
    train_spread: ArrayLike | None = None,
) -> CurveVerdict:
    """Judge one run by its curves, each [V], one value a validation.

    `direction` is the better direction of `metric`: `min`, `max` or `zero`. A validation without a finite learning rate
    was never reached. `diverged_step` is the first step with a loss that was not finite, if any; `train_spread` is the
    standard deviation of the batch losses within the epoch, in the loss's unit.
    """
    curves = [np.asarray(c, np.float64) for c in (train_loss, val_loss, metric, learning_rate)]
    curves.append(np.full(len(curves[0]), np.nan) if train_spread is None else np.asarray(train_spread, np.float64))
    reached = np.isfinite(curves[3])
    train, val, measured, rate, spread = (c[reached] for c in curves)
    epochs = np.asarray(epoch)[reached].astype(np.int64)
    if diverged_step is not None or not (_is_finite(train) & _is_finite(val)).all():
        return _divergence_verdict(epochs, train, val, rate, diverged_step)
    if len(epochs) < MIN_VALIDATIONS:
        return CurveVerdict("too short to tell", None, Evidence("too short", {"validations": len(epochs)}))
    cost = {"min": measured, "max": -measured, "zero": np.abs(measured)}[direction]
    usable = _is_finite(cost).all()
    run = _RunCurves(epochs, train, val, cost if usable else val, measured if usable else val, rate, spread)
    return (
        _find_overfitting(run)
        or _find_high_rate(run)
        or _find_low_rate(run)
        or _find_improvement(run)
        or _convergence_verdict(run)
    )


def _divergence_verdict(
    epochs: NDArray[np.int64], train: Curve, val: Curve, rate: Curve, step: int | None
) -> CurveVerdict:
    finite = _is_finite(train) & _is_finite(val)
    since = None if finite.all() else int(epochs[~finite][0])
    numbers: dict[str, float] = {}
    if step is not None:
        numbers["step"] = step
    elif since is not None:
        numbers["epoch"] = since
    if since is not None:
        numbers["rate"] = rate[~finite][0]
    if finite.any():
        numbers["last_loss"] = train[finite][-1]
    return CurveVerdict("diverged", since, Evidence("diverged", numbers))


def _find_overfitting(run: _RunCurves) -> CurveVerdict | None:
    """Find a validation loss that rose from its best, by more than fluctuation and 5 %, while training still fell."""
    tail = _tail_length(len(run.val))
    best = int(_smooth_curve(run.val).argmin())
    if best >= len(run.val) - tail or run.train[-tail:].mean() >= run.val[-tail:].mean():
        return None
    near = slice(max(best - 1, 0), best + 2)
    rise = run.val[-tail:].mean() - run.val[near].mean()
    fall = run.train[near].mean() - run.train[-tail:].mean()
    # four standard errors, not the usual two or three: the best of many is low by chance
    chance = 4 * max(difference_std(run.val, robust=True), difference_std(run.val[best:])) / np.sqrt(tail)
    fallen = max(run.val.max() - run.val.min(), 1e-12)
    least_fall = 2 * difference_std(run.train, robust=True) / np.sqrt(tail)
    if rise < chance or rise < 0.05 * fallen or fall < least_fall or fall <= 0:
        return None
    since = int(run.epoch[best])
    numbers = {
        "best": run.val[near].mean(),
        "epoch": since,
        "end": run.val[-tail:].mean(),
        "fluctuation": chance / 4,
        "train_at_best": run.train[near].mean(),
        "train_end": run.train[-tail:].mean(),
    }
    return CurveVerdict("overfitting", since, Evidence("overfitting", numbers))


def _find_high_rate(run: _RunCurves) -> CurveVerdict | None:
    """Find a loss on a plateau until the rate fell, or wide swings of a loss that does not fall."""
    peak = run.rate.max()
    high = np.flatnonzero(run.rate >= 0.5 * peak)
    late = np.flatnonzero(run.rate <= 0.25 * peak)
    late = late[late > high[-1]]
    half = run.train[high[len(high) // 2] : high[-1] + 1]
    if len(half) >= MIN_PLATEAU_VALIDATIONS and len(late) >= 2:
        first, plateau, end = run.train[high[0]], half.mean(), run.train[late[-2:]].mean()
        flat = abs(_linear_trend(half)) < 0.2 * (plateau - end)
        fluctuation = min(difference_std(half, robust=True), difference_std(half))
        if flat and plateau - end > max(0.25 * (first - end), 5 * fluctuation):
            numbers = {
                "first_epoch": int(run.epoch[high[len(high) // 2]]),
                "last_epoch": int(run.epoch[high[-1]]),
                "plateau": plateau,
                "high_rate": run.rate[high].min(),
                "end": end,
                "low_rate": run.rate[late].max(),
                "percent": 100 * (plateau - end) / (max(first, plateau) - end),
            }
            return CurveVerdict("rate too high", numbers["first_epoch"], Evidence("plateau", numbers))
    start = len(run.val) // 2
    half = run.val[start:]
    swing = difference_std(half)
    swings_widely = swing > 0.15 * (run.val[0] - half.mean()) and swing > 0.1 * abs(half.mean())
    # 3 standard errors of the fall of a straight line through these points; or 2 of the difference of two points
    falls = _linear_trend(half) < -3 * swing * np.sqrt(12 / len(half))
    falls = falls or run.val[0] - run.val[-_tail_length(len(run.val)) :].mean() > 2 * np.sqrt(2) * swing
    if (swings_widely or half.mean() > run.val[0] + swing) and not falls:
        numbers = {
            "swing": swing,
            "mean": half.mean(),
            "first_epoch": int(run.epoch[start]),
            "first": half[0],
            "last_epoch": int(run.epoch[-1]),
            "last": half[-1],
            "rate": peak,
        }
        if np.isfinite(run.spread[-1]):
            numbers["batch_spread"] = run.spread[-1]
        return CurveVerdict("rate too high", None, Evidence("swings", numbers))
    return None


def _find_low_rate(run: _RunCurves) -> CurveVerdict | None:
    """Find a training loss that falls nearly in a straight line from first to last, and by less than half."""
    distance = np.concatenate([[0.0], np.cumsum((run.rate[1:] + run.rate[:-1]) / 2)])
    distance /= max(distance[-1], 1e-30)
    slopes = []
    for half in (distance <= 0.5, distance >= 0.5):
        if half.sum() < 2:
            return None
        slopes.append(-np.polyfit(distance[half], run.train[half], 1)[0])
    fall = run.train[0] - run.train[-1]
    clear = min(slopes) > 0 and fall > 4 * difference_std(run.train, robust=True)
    if not clear or slopes[1] < 0.6 * slopes[0] or fall > 0.5 * abs(run.train[0]):
        return None
    speed = 100 * slopes[1] / slopes[0]
    numbers = {"first": run.train[0], "last": run.train[-1], "rate": run.rate.max(), "percent": speed}
    return CurveVerdict("rate too low", None, Evidence("straight fall", numbers))


def _find_improvement(run: _RunCurves) -> CurveVerdict | None:
    """Find a metric whose last validations are better than those before by more than fluctuation."""
    tail = _tail_length(len(run.cost))
    before, last = run.cost[-2 * tail : -tail].mean(), run.cost[-tail:].mean()
    fluctuation = difference_std(run.cost, robust=True) * np.sqrt(2 / tail)
    if before - last <= max(2.5 * fluctuation, 0.01 * (run.cost.max() - run.cost.min())):
        return None
    values = run.metric[-2 * tail : -tail].mean(), run.metric[-tail:].mean()
    numbers = {"before": values[0], "last": values[1], "validations": 2 * tail, "fluctuation": fluctuation}
    return CurveVerdict("improving", None, Evidence("improving", numbers))


def _convergence_verdict(run: _RunCurves) -> CurveVerdict:
    """Find the first epoch from which the metric stays within fluctuation of its last level."""
    tail = _tail_length(len(run.cost))
    level = run.cost[-tail:].mean()
    fluctuation, spread = difference_std(run.cost, robust=True), 0.02 * (run.cost.max() - run.cost.min())
    allowed = max(3 * fluctuation, spread)
    reason = {"times": 3} if 3 * fluctuation >= spread else {"percent": 2}
    away = np.flatnonzero(np.abs(_smooth_curve(run.cost) - level) > allowed)
    since = int(run.epoch[min(away[-1] + 1, len(run.epoch) - 1)] if len(away) else run.epoch[0])
    numbers = {"epoch": since, "allowed": allowed, "level": run.metric[-tail:].mean(), **reason}
    return CurveVerdict("converged", since, Evidence("level", numbers))


def _is_finite(curve: Curve) -> NDArray[np.bool_]:
    return np.asarray(np.abs(curve) < 1e38)  # where float32 ends


def _tail_length(length: int) -> int:
    return max(2, length // 5)


def _smooth_curve(curve: Curve) -> Curve:
    """Average each value with its neighbours."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3)


def _linear_trend(curve: Curve) -> float:
    """Compute the change from first to last along the least-squares line."""
    return float(np.polyfit(np.linspace(0, 1, len(curve)), curve, 1)[0]) if len(curve) > 1 else 0.0
