"""One verdict on a run from its learning curves, with its evidence in words. Pure NumPy on the host.

Every threshold is a multiple of the noise or a share of the observed fall, so a verdict does not depend on a loss's
unit. Time is measured by the sum of learning rates so far, the distance that descent could go. So a slow schedule is
not mistaken for a slow run.
"""

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
MIN_PLATEAU_VALIDATIONS = 4  # at a high rate; fewer are no plateau


@dataclass(frozen=True)
class CurveVerdict:
    """A verdict, the epoch from which it holds (None: always, or it does not apply), and the numbers behind it."""

    kind: CurveKind
    since: int | None
    evidence: str


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
        evidence = f"{len(epochs)} validations; at least {MIN_VALIDATIONS} are needed to see a trend"
        return CurveVerdict("too short to tell", None, evidence)
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
    when = f"at step {step}" if step is not None else f"in epoch {since}"
    speed = f" at a learning rate of {rate[~finite][0]:.3g}" if since is not None else ""
    last = f"; the last finite training loss was {train[finite][-1]:.3g}" if finite.any() else ""
    return CurveVerdict("diverged", since, f"the loss was no longer finite {when}{speed}{last}")


def _find_overfitting(run: _RunCurves) -> CurveVerdict | None:
    """Find a validation loss that rose from its best, by more than noise and 5 %, while training loss still fell."""
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
    least = 2 * difference_std(run.train, robust=True) / np.sqrt(tail)
    if rise < chance or rise < 0.05 * fallen or fall < least or fall <= 0:
        return None
    since = int(run.epoch[best])
    evidence = (
        f"validation loss was best ({run.val[near].mean():.3g}) around epoch {since} and rose to "
        f"{run.val[-tail:].mean():.3g}; noise explains {chance / 4:.2g}; training loss fell further, from "
        f"{run.train[near].mean():.3g} to {run.train[-tail:].mean():.3g}"
    )
    return CurveVerdict("overfitting", since, evidence)


def _find_high_rate(run: _RunCurves) -> CurveVerdict | None:
    """Find a loss on a plateau until the rate fell, or wide swings of a loss that does not fall."""
    peak = run.rate.max()
    high = np.flatnonzero(run.rate >= 0.5 * peak)
    late = np.flatnonzero(run.rate <= 0.25 * peak)
    late = late[late > high[-1]]
    if len(high) >= MIN_PLATEAU_VALIDATIONS and len(late) >= 2:
        half = run.train[high[len(high) // 2] : high[-1] + 1]
        first, plateau, end = run.train[high[0]], half.mean(), run.train[late[-2:]].mean()
        flat = abs(_linear_trend(half)) < 0.2 * (plateau - end)
        noise = min(difference_std(half, robust=True), difference_std(half))
        if flat and plateau - end > max(0.25 * (first - end), 5 * noise):
            share = 100 * (plateau - end) / (max(first, plateau) - end)
            evidence = (
                f"training loss stayed at {plateau:.3g} while the learning rate was {run.rate[high].min():.3g} or "
                f"more, and fell to {end:.3g} when the rate was {run.rate[late].max():.3g} or less: "
                f"{share:.0f} % of the whole fall came after the rate fell"
            )
            return CurveVerdict("rate too high", int(run.epoch[high[len(high) // 2]]), evidence)
    start = len(run.val) // 2
    half = run.val[start:]
    swing = difference_std(half)
    wide = swing > 0.15 * (run.val[0] - half.mean()) and swing > 0.1 * abs(half.mean())
    # 3 standard errors of the fall of a straight line through these points; or 2 of the difference of two points
    falls = _linear_trend(half) < -3 * swing * np.sqrt(12 / len(half))
    falls = falls or run.val[0] - run.val[-_tail_length(len(run.val)) :].mean() > 2 * np.sqrt(2) * swing
    if (wide or half.mean() > run.val[0] + swing) and not falls:
        within = f", batch losses by {run.spread[-1]:.3g} within an epoch" if np.isfinite(run.spread[-1]) else ""
        evidence = (
            f"validation loss swings by {swing:.3g} around {half.mean():.3g} between validations{within}, and does not "
            f"fall (epoch {run.epoch[start]}: {half[0]:.3g}, epoch {run.epoch[-1]}: {half[-1]:.3g}) "
            f"at a learning rate of {peak:.3g}"
        )
        return CurveVerdict("rate too high", None, evidence)
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
    evidence = (
        f"training loss fell only from {run.train[0]:.3g} to {run.train[-1]:.3g} at a learning rate up to "
        f"{run.rate.max():.3g}; in the second half it still fell at {100 * slopes[1] / slopes[0]:.0f} % of the first "
        "half's speed (halves and speed by the sum of learning rates)"
    )
    return CurveVerdict("rate too low", None, evidence)


def _find_improvement(run: _RunCurves) -> CurveVerdict | None:
    """Find a metric whose last validations are better than those before by more than noise."""
    tail = _tail_length(len(run.cost))
    before, last = run.cost[-2 * tail : -tail].mean(), run.cost[-tail:].mean()
    noise = difference_std(run.cost, robust=True) * np.sqrt(2 / tail)
    if before - last <= max(2.5 * noise, 0.01 * (run.cost.max() - run.cost.min())):
        return None
    values = run.metric[-2 * tail : -tail].mean(), run.metric[-tail:].mean()
    evidence = (
        f"the metric's mean went from {values[0]:.3g} to {values[1]:.3g} over the last {2 * tail} validations; "
        f"noise explains {noise:.2g}"
    )
    return CurveVerdict("improving", None, evidence)


def _convergence_verdict(run: _RunCurves) -> CurveVerdict:
    """Find the first epoch from which the metric stays within noise of its last level."""
    tail = _tail_length(len(run.cost))
    level = run.cost[-tail:].mean()
    noise = difference_std(run.cost, robust=True)
    spread = 0.02 * (run.cost.max() - run.cost.min())
    allowed, reason = (3 * noise, "3 times its noise") if 3 * noise >= spread else (spread, "2 % of its range")
    away = np.flatnonzero(np.abs(_smooth_curve(run.cost) - level) > allowed)
    since = int(run.epoch[min(away[-1] + 1, len(run.epoch) - 1)] if len(away) else run.epoch[0])
    level = run.metric[-tail:].mean()
    evidence = (
        f"from epoch {since} on, the metric averaged over 3 validations stays within {allowed:.2g} ({reason}) of its "
        f"last level, {level:.3g}"
    )
    return CurveVerdict("converged", since, evidence)


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
