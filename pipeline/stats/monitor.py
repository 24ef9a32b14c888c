"""What a training curve says: one verdict on a run, with its evidence, in words. Pure NumPy on the host.

Every threshold is on what noise could do by chance or on a share of the fall that was seen, so a verdict does not
depend on a loss's unit. Times are compared by the sum of learning rates so far, which is how far descent could go: a
schedule that slows down is not mistaken for a run that does.
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

MIN_VALIDATIONS = 8
"""Validations, below which nothing is said."""
MIN_PLATEAU_VALIDATIONS = 4
"""And those at a high rate that make a plateau."""


@dataclass(frozen=True)
class CurveVerdict:
    """What was seen, the epoch it was seen from (None: all along, or it does not apply), and the numbers behind it."""

    kind: CurveKind
    since: int | None
    evidence: str


@dataclass(frozen=True)
class _RunCurves:
    """A run up to where it was measured; `cost` is the metric turned so that less is better."""

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
    """The verdict on one run from its curves, each [V], one value a validation.

    `direction` says which way `metric` is better: `min`, `max` or `zero`. Validations whose learning rate is not
    finite were never reached. `diverged_step` is the first step that was not finite, if any; `train_spread` the
    standard deviation of the batch losses within the epoch, in the loss's unit.
    """
    given = [np.asarray(c, np.float64) for c in (train_loss, val_loss, metric, learning_rate)]
    given.append(np.full(len(given[0]), np.nan) if train_spread is None else np.asarray(train_spread, np.float64))
    reached = np.isfinite(given[3])
    train, val, measured, rate, spread = (c[reached] for c in given)
    epochs = np.asarray(epoch)[reached].astype(np.int64)
    if diverged_step is not None or not (_is_finite(train) & _is_finite(val)).all():
        return _divergence_verdict(epochs, train, val, rate, diverged_step)
    if len(epochs) < MIN_VALIDATIONS:
        return CurveVerdict(
            "too short to tell",
            None,
            f"{len(epochs)} validations; at least {MIN_VALIDATIONS} are needed to see a trend",
        )
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
    good = _is_finite(train) & _is_finite(val)
    since = None if good.all() else int(epochs[~good][0])
    when = f"at step {step}" if step is not None else f"in epoch {since}"
    speed = f" at a learning rate of {rate[~good][0]:.3g}" if since is not None else ""
    last = f"; the last finite training loss was {train[good][-1]:.3g}" if good.any() else ""
    return CurveVerdict("diverged", since, f"the loss was no longer finite {when}{speed}{last}")


def _find_overfitting(run: _RunCurves) -> CurveVerdict | None:
    """Validation loss rose from its best by more than noise and by a visible share, training loss still fell below."""
    tail = _tail_length(len(run.val))
    best = int(_smooth_curve(run.val).argmin())
    if best >= len(run.val) - tail or run.train[-tail:].mean() >= run.val[-tail:].mean():
        return None
    near = slice(max(best - 1, 0), best + 2)
    rise = run.val[-tail:].mean() - run.val[near].mean()
    fall = run.train[near].mean() - run.train[-tail:].mean()
    # the best of many is low by chance: more than the usual two or three standard errors
    chance = 4 * max(difference_std(run.val, robust=True), difference_std(run.val[best:])) / np.sqrt(tail)
    fallen = max(run.val.max() - run.val.min(), 1e-12)
    least = 2 * difference_std(run.train, robust=True) / np.sqrt(tail)
    if rise < chance or rise < 0.05 * fallen or fall < least or fall <= 0:
        return None
    since = int(run.epoch[best])
    what = (
        f"validation loss was best ({run.val[near].mean():.3g}) around epoch {since} and rose to "
        f"{run.val[-tail:].mean():.3g}, where noise explains {chance / 4:.2g}, while training loss fell on from "
        f"{run.train[near].mean():.3g} to {run.train[-tail:].mean():.3g}"
    )
    return CurveVerdict("overfitting", since, what)


def _find_high_rate(run: _RunCurves) -> CurveVerdict | None:
    """The loss lay on a plateau until the rate fell, or swings widely without getting lower."""
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
            what = (
                f"training loss stayed at {plateau:.3g} at a learning rate of {run.rate[high].min():.3g} or more, "
                f"and fell to {end:.3g} once it was {run.rate[late].max():.3g} or less: "
                f"{(plateau - end) / (max(first, plateau) - end):.0%} of the whole fall came after the rate's"
            )
            return CurveVerdict("rate too high", int(run.epoch[high[len(high) // 2]]), what)
    start = len(run.val) // 2
    half = run.val[start:]
    swing = difference_std(half)
    wide = swing > 0.15 * (run.val[0] - half.mean()) and swing > 0.1 * abs(half.mean())
    # 3 standard errors of a straight line's fall through so many points; or 2 of the difference of two of them
    falls = _linear_trend(half) < -3 * swing * np.sqrt(12 / len(half))
    falls = falls or run.val[0] - run.val[-_tail_length(len(run.val)) :].mean() > 2 * np.sqrt(2) * swing
    if (wide or half.mean() > run.val[0] + swing) and not falls:
        within = f", batch losses by {run.spread[-1]:.3g} within an epoch" if np.isfinite(run.spread[-1]) else ""
        what = (
            f"validation loss swings by {swing:.3g} about {half.mean():.3g} from one validation to the next{within}, "
            f"and gets no lower (epoch {run.epoch[start]}: {half[0]:.3g}, epoch {run.epoch[-1]}: {half[-1]:.3g}) "
            f"at a learning rate of {peak:.3g}"
        )
        return CurveVerdict("rate too high", None, what)
    return None


def _find_low_rate(run: _RunCurves) -> CurveVerdict | None:
    """Training loss falls in nearly a straight line from first to last, and not by half."""
    way = np.concatenate([[0.0], np.cumsum((run.rate[1:] + run.rate[:-1]) / 2)])
    way /= max(way[-1], 1e-30)
    slopes = []
    for part in (way <= 0.5, way >= 0.5):
        if part.sum() < 2:
            return None
        slopes.append(-np.polyfit(way[part], run.train[part], 1)[0])
    fall = run.train[0] - run.train[-1]
    clear = min(slopes) > 0 and fall > 4 * difference_std(run.train, robust=True)
    if not clear or slopes[1] < 0.6 * slopes[0] or fall > 0.5 * abs(run.train[0]):
        return None
    what = (
        f"training loss fell only from {run.train[0]:.3g} to {run.train[-1]:.3g}, and in the second half of the way "
        f"still at {slopes[1] / slopes[0]:.0%} of the pace of the first, at a learning rate up to {run.rate.max():.3g}"
    )
    return CurveVerdict("rate too low", None, what)


def _find_improvement(run: _RunCurves) -> CurveVerdict | None:
    """The metric's last part is better than the part before it by more than noise."""
    tail = _tail_length(len(run.cost))
    before, last = run.cost[-2 * tail : -tail].mean(), run.cost[-tail:].mean()
    noise = difference_std(run.cost, robust=True) * np.sqrt(2 / tail)
    if before - last <= max(2.5 * noise, 0.01 * (run.cost.max() - run.cost.min())):
        return None
    values = run.metric[-2 * tail : -tail].mean(), run.metric[-tail:].mean()
    what = (
        f"the metric's mean went from {values[0]:.3g} to {values[1]:.3g} over the last {2 * tail} validations; "
        f"noise explains {noise:.2g}"
    )
    return CurveVerdict("improving", None, what)


def _convergence_verdict(run: _RunCurves) -> CurveVerdict:
    """The metric is where it ends: the first epoch from which it stays within noise of its last level."""
    tail = _tail_length(len(run.cost))
    level = run.cost[-tail:].mean()
    noise = difference_std(run.cost, robust=True)
    allowed = max(3 * noise, 0.02 * (run.cost.max() - run.cost.min()))
    away = np.flatnonzero(np.abs(_smooth_curve(run.cost) - level) > allowed)
    since = int(run.epoch[min(away[-1] + 1, len(run.epoch) - 1)] if len(away) else run.epoch[0])
    what = (
        f"the metric has stayed at {run.metric[-tail:].mean():.3g} since epoch {since}, within its noise of {noise:.2g}"
    )
    return CurveVerdict("converged", since, what)


def _is_finite(curve: Curve) -> NDArray[np.bool_]:
    return np.asarray(np.abs(curve) < 1e38)  # where float32 ends


def _tail_length(length: int) -> int:
    return max(2, length // 5)


def _smooth_curve(curve: Curve) -> Curve:
    """Mean of each value and its neighbours."""
    padded = np.concatenate([curve[:1], curve, curve[-1:]])
    return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3)


def _linear_trend(curve: Curve) -> float:
    """Change from first to last along the straight line of least squares."""
    return float(np.polyfit(np.linspace(0, 1, len(curve)), curve, 1)[0]) if len(curve) > 1 else 0.0
