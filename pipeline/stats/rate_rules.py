"""The monitor's rules on learning rates: each finds one sign that the rate was too high, or too low."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.stats.curves import difference_std
from thalweg.stats.run_curves import Curve, CurveVerdict, Evidence, RunCurves, count_tail, fit_trend

MIN_PLATEAU_VALIDATIONS = 3  # fewer are no plateau
MIN_PLATEAU_SHARE = 0.25  # of the whole fall of the loss, which comes only once the rate falls
MIN_SWING_SHARE = 0.1  # of the whole fall of the loss, and of its level
MIN_RISE = 0.1  # of the whole fall of validation loss, from its first value
MIN_LATE_SPEED = 0.2  # of the first half of the way, at which a loss still falls in the second


def find_explosion(run: RunCurves) -> CurveVerdict | None:
    """Find a training loss that ends above twice its value before training, or rose above thrice it and lost by that.

    It lost if it ends no lower than it was before it rose.
    """
    if not np.isfinite(run.start):
        return None
    noise, end = np.nan_to_num(run.spread).min(), run.train[-count_tail(len(run.train)) :].mean()
    unit = max(abs(run.start), 4 * noise)
    # not in the first epoch: the first steps may throw a sound run far
    worst = 1 + int(run.train[1:].argmax())
    has_lost = run.train[worst] - run.start > 2 * unit and end > run.train[:worst].min()
    if not (end - run.start > unit or has_lost):
        return None
    highest = int(run.train.argmax())
    numbers = {
        "start": run.start,
        "worst": run.train[highest],
        "epoch": int(run.epoch[highest]),
        "end": end,
        "rate": run.rate.max(),
    }
    return CurveVerdict("rate too high", None, Evidence("explosion", numbers))


class _LateFall(NamedTuple):
    """The fall of a loss once the rate fell: from what level, to what, its share of the whole fall, and its error."""

    level: float
    end: float
    share: float
    error: float


def _measure_late_fall(loss: Curve, high: NDArray[np.intp], late: NDArray[np.intp], start: float) -> _LateFall:
    level, end = loss[high].mean(), loss[late].mean()
    fluctuation = min(difference_std(loss[high], robust=True), difference_std(loss[high]))
    error = fluctuation * np.sqrt(1 / len(high) + 1 / len(late))
    return _LateFall(level, end, (level - end) / max(max(start, level) - end, 1e-12), error)


def find_plateau(run: RunCurves) -> CurveVerdict | None:
    """Find a loss that fell only once the rate fell: from a plateau, or from a rise that it did not make good.

    A plateau counts only before a jump of the rate. A rate that falls smoothly passes every lower one, so a plateau
    before costs little but time.
    """
    high = np.flatnonzero(run.rate >= 0.5 * run.rate.max())
    late = np.flatnonzero(run.rate <= 0.25 * run.rate.max())
    late = late[late > high[-1]]
    before, half = high[len(high) // 4 : len(high) // 2], high[len(high) // 2 :]
    if len(half) < MIN_PLATEAU_VALIDATIONS or len(late) < 2:
        return None
    jumps, late = late[0] == high[-1] + 1, late[-2:]
    train, val = (_measure_late_fall(loss, half, late, run.find_start(loss)) for loss in (run.train, run.val))
    numbers = {
        "first_epoch": int(run.epoch[half[0]]),
        "last_epoch": int(run.epoch[half[-1]]),
        "high_rate": run.rate[half].min(),
        "low_rate": run.rate[late].max(),
    }
    # a loss that fell about as much before the rate fell is on its way, not on a plateau
    is_level = train.level - train.end > max(3 * train.error, (run.train[before].mean() - train.level) / 0.6)
    if jumps and is_level and train.share >= MIN_PLATEAU_SHARE and val.share >= MIN_PLATEAU_SHARE / 2:
        numbers |= {"plateau": train.level, "end": train.end, "percent": 100 * train.share}
        return CurveVerdict("rate too high", int(run.epoch[half[0]]), Evidence("plateau", numbers))
    rises = val.level - run.val[0] > max(MIN_RISE * (run.find_start(run.val) - run.val.min()), 3 * val.error)
    if rises and val.level > val.end > run.val[0]:
        numbers |= {"first": run.val[0], "mean": val.level, "end": val.end}
        return CurveVerdict("rate too high", int(run.epoch[half[0]]), Evidence("rise", numbers))
    return None


def find_swings(run: RunCurves) -> CurveVerdict | None:
    """Find a validation loss that swings widely, or rose from its first value, and does not fall."""
    start, first = len(run.val) // 2, run.val[0]
    half, before = run.val[start:], max(run.find_start(run.val), first)
    swing, level = difference_std(half), half.mean()
    swings_widely = swing > MIN_SWING_SHARE * max(before - level, abs(level))
    rises = level - first > max(swing, MIN_RISE * (before - run.val.min()))
    # 3 standard errors of the fall of a straight line through these points; or 2 of the difference of two points
    falls = -fit_trend(half) > max(3 * swing * np.sqrt(12 / len(half)), 0.01 * np.ptp(run.val))
    falls = falls or first - run.val[-count_tail(len(run.val)) :].mean() > 2 * np.sqrt(2) * swing
    falls = falls or half[0] - half[-1] > 2 * np.sqrt(2) * swing
    if falls or not (swings_widely or rises):
        return None
    numbers = {
        "swing": swing,
        "mean": half.mean(),
        "first_epoch": int(run.epoch[start]),
        "first": half[0],
        "last_epoch": int(run.epoch[-1]),
        "last": half[-1],
        "rate": run.rate.max(),
    }
    if np.isfinite(run.spread[-1]):
        numbers["batch_spread"] = run.spread[-1]
    if rises:
        numbers["initial"] = first
    return CurveVerdict("rate too high", None, Evidence("swings", numbers))


def find_low_rate(run: RunCurves) -> CurveVerdict | None:
    """Find a training loss that still falls steadily in the second half of the way.

    It falls nearly in a straight line, and by less than half; or smoothly, at a fifth of the first half's speed at
    least, and not mostly at the very end, as noise does that goes with the rate.
    """
    # a mean over an epoch belongs to the middle of its part of the way
    way = run.way - np.diff(run.way, prepend=0.0) / 2
    way = (way - way[0]) / max(way[-1] - way[0], 1e-30)
    first, half, quarter, last = np.interp([0, 0.5, 0.75, 1], way, run.train)
    early, late = first - half, half - last
    if min(early, late) <= 0:
        return None
    speed, robust, noise = late / early, difference_std(run.train, robust=True), difference_std(run.train)
    is_straight = speed >= 0.6 and early + late > 4 * robust and early + late <= 0.5 * abs(first)
    is_steady = speed >= MIN_LATE_SPEED and late > 12 * noise and quarter - last <= 1.5 * (half - quarter)
    if not (is_straight or is_steady):
        return None
    numbers = {"first": first, "last": last, "rate": run.rate.max(), "percent": 100 * speed}
    return CurveVerdict("rate too low", None, Evidence("straight fall", numbers))
