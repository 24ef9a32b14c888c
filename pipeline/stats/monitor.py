"""One verdict on a run from its learning curves, with the numbers behind it. Pure NumPy on the host.

Every threshold is a multiple of the fluctuation between validations, or a share of a loss or of its fall, so a verdict
does not depend on the loss's unit. Time is the sum of learning rates so far: the way that descent could go. So a
schedule that slows down is not mistaken for a run that has arrived. Where a schedule restarts, only the ends of its
cycles are compared. `benchmarks/calibration/monitor.py` measures how often each verdict is right.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thalweg.stats.curves import difference_std
from thalweg.stats.cycle_rules import judge_cycles
from thalweg.stats.rate_rules import find_explosion, find_low_rate, find_plateau, find_swings
from thalweg.stats.run_curves import (
    MIN_VALIDATIONS,
    Curve,
    CurveVerdict,
    Evidence,
    RunCurves,
    count_tail,
    smooth_curve,
)

MIN_REST_SHARE = 0.05  # of the metric's whole range, gained in the fourth fifth of the way and again in the last


def diagnose_curves(
    epoch: ArrayLike,
    train_loss: ArrayLike,
    val_loss: ArrayLike,
    metric: ArrayLike,
    direction: str,
    learning_rate: ArrayLike,
    diverged_step: int | None = None,
    train_spread: ArrayLike | None = None,
    first_loss: float = np.nan,
) -> CurveVerdict:
    """Judge one run by its curves, each [V], one value a validation.

    `direction` is the better direction of `metric`: `min`, `max` or `zero`. A validation without a finite learning rate
    was never reached. `diverged_step` is the first step with a loss that was not finite, if any; `train_spread` is the
    standard deviation of the batch losses within the epoch, in the loss's unit; `first_loss` is the first batch's loss,
    before the first update (NaN: not known).
    """
    curves = [np.asarray(c, np.float64) for c in (train_loss, val_loss, metric, learning_rate)]
    curves.append(np.full(len(curves[0]), np.nan) if train_spread is None else np.asarray(train_spread, np.float64))
    reached = np.isfinite(curves[3])
    train, val, measured, rate, spread = (c[reached] for c in curves)
    epochs = np.asarray(epoch)[reached].astype(np.int64)
    if diverged_step is not None or not (_is_finite(train) & _is_finite(val)).all():
        return _describe_divergence(epochs, train, val, rate, diverged_step)
    if len(epochs) < MIN_VALIDATIONS:
        return CurveVerdict("too short to tell", None, Evidence("too short", {"validations": len(epochs)}))
    cost = {"min": measured, "max": -measured, "zero": np.abs(measured)}[direction]
    usable = _is_finite(cost).all()
    cost, measured = (cost, measured) if usable else (val, val)
    run = RunCurves(epochs, train, val, cost, measured, rate, spread, first_loss)
    if len(run.cycle_ends):
        return judge_cycles(run)
    return (
        find_explosion(run)
        or _find_overfitting(run)
        or find_plateau(run)
        or find_swings(run)
        or find_low_rate(run)
        or _find_improvement(run)
        or _find_rest(run)
        or _judge_convergence(run)
    )


def _describe_divergence(
    epochs: NDArray[np.int64], train: Curve, val: Curve, rate: Curve, step: int | None
) -> CurveVerdict:
    """Describe when a run diverged, and what its loss was before."""
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


def _find_overfitting(run: RunCurves) -> CurveVerdict | None:
    """Find a validation loss that rose from its best, by more than fluctuation and 5 %, while training still fell."""
    tail = count_tail(len(run.val))
    best = int(smooth_curve(run.val).argmin())
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


def _find_improvement(run: RunCurves) -> CurveVerdict | None:
    """Find a metric whose last validations are better than those before by more than fluctuation."""
    tail = count_tail(len(run.cost))
    before, last = run.cost[-2 * tail : -tail].mean(), run.cost[-tail:].mean()
    fluctuation = difference_std(run.cost, robust=True) * np.sqrt(2 / tail)
    if before - last <= max(2.5 * fluctuation, 0.01 * np.ptp(run.cost)):
        return None
    values = run.metric[-2 * tail : -tail].mean(), run.metric[-tail:].mean()
    numbers = {"before": values[0], "last": values[1], "validations": 2 * tail, "fluctuation": fluctuation}
    return CurveVerdict("improving", None, Evidence("improving", numbers))


def _find_rest(run: RunCurves) -> CurveVerdict | None:
    """Find a metric that gained by the fourth fifth of the way and by the last, and rests as the rate has fallen."""
    tail = count_tail(len(run.cost))
    third, fourth = ((run.way > low) & (run.way <= low + 0.2) for low in (0.4, 0.6))
    if not (third.any() and fourth.any()) or run.rate[-tail:].max() > 0.5 * run.rate[fourth].max():
        return None
    levels = run.cost[third].mean(), run.cost[fourth].mean(), run.cost[-tail:].mean()
    fluctuation = difference_std(run.cost, robust=True) * np.sqrt(1 / third.sum() + 1 / fourth.sum())
    gain = min(levels[0] - levels[1], levels[1] - levels[2])
    if gain <= max(2.5 * fluctuation, MIN_REST_SHARE * np.ptp(run.cost)):
        return None
    numbers = {
        "third": run.metric[third].mean(),
        "fourth": run.metric[fourth].mean(),
        "last": run.metric[-tail:].mean(),
        "high_rate": run.rate[fourth].max(),
        "low_rate": run.rate[-tail:].max(),
    }
    return CurveVerdict("came to rest with its rate", None, Evidence("rest", numbers))


def _judge_convergence(run: RunCurves) -> CurveVerdict:
    """Find the first epoch from which the metric stays within fluctuation of its last level."""
    tail = count_tail(len(run.cost))
    level = run.cost[-tail:].mean()
    fluctuation, spread = difference_std(run.cost, robust=True), 0.02 * (run.cost.max() - run.cost.min())
    allowed = max(3 * fluctuation, spread)
    reason = {"times": 3} if 3 * fluctuation >= spread else {"percent": 2}
    away = np.flatnonzero(np.abs(smooth_curve(run.cost) - level) > allowed)
    since = int(run.epoch[min(away[-1] + 1, len(run.epoch) - 1)] if len(away) else run.epoch[0])
    numbers = {"epoch": since, "allowed": allowed, "level": run.metric[-tail:].mean(), **reason}
    return CurveVerdict("converged", since, Evidence("level", numbers))


def _is_finite(curve: Curve) -> NDArray[np.bool_]:
    return np.asarray(np.abs(curve) < 1e38)  # where float32 ends
