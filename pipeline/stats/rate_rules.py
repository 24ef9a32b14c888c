"""The monitor's rules on learning rates: each finds one sign that the rate was too high, or too low."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thalweg.stats.curves import difference_std
from thalweg.stats.run_curves import MIN_VALIDATIONS, Curve, CurveVerdict, Evidence, RunCurves, count_tail, fit_trend

MIN_PLATEAU_VALIDATIONS = 3  # fewer are no plateau
MIN_PLATEAU_SHARE = 0.25  # of the whole fall of the loss, which comes only once the rate falls
MIN_RISE_SHARE = 0.15  # the same, where validation loss rose from its beginning
MIN_REBOUND_SHARE = 0.15  # of the fall so far, which each restart undoes
MIN_CYCLE_RISE = 0.1  # of the validation loss's whole range, between ends of cycles
MAX_CYCLE_GAIN = 0.05  # of the first cycle's fall, which all later ones add where restarts undo it
MIN_LATE_SPEED = 0.2  # of the first half of the way, at which a loss still falls in the second


def find_high_rate(run: RunCurves) -> CurveVerdict | None:
    """Find a sign that the rate was too high; where the schedule restarts, in whole cycles only."""
    if len(run.cycle_ends):
        return _find_rebounds(run) or _find_lost_cycles(run) or _find_swings(run.select(run.cycle_ends))
    return _find_plateau(run) or _find_swings(run)


def find_explosion(run: RunCurves) -> CurveVerdict | None:
    """Find a training loss that ends above twice its value before training, or rose above thrice it and lost by that.

    It lost if it ends no lower than it was before it rose.
    """
    noise, end = np.nan_to_num(run.spread).min(), run.train[-count_tail(len(run.train)) :].mean()
    unit = max(abs(run.start), 4 * noise)
    # not in the first epoch: the first steps may throw a sound run far
    worst = 1 + int(run.train[1:].argmax())
    has_lost = run.train[worst] - run.start > 2 * unit and end > run.train[:worst].min()
    if not (end - run.start > unit or has_lost):
        return None
    numbers = {
        "start": run.start,
        "worst": run.train[worst],
        "epoch": int(run.epoch[worst]),
        "end": end,
        "rate": run.rate.max(),
    }
    return CurveVerdict("rate too high", None, Evidence("explosion", numbers))


def _find_rebounds(run: RunCurves) -> CurveVerdict | None:
    """Find restarts that each undo a part of the loss's fall, while the ends of cycles hardly get lower."""
    ends, is_high = run.cycle_ends, run.rate >= 0.5 * run.rate.max()
    if run.val[ends[0]] - run.val[ends[-1]] > MAX_CYCLE_GAIN * (run.start - run.val[ends[0]]):
        return None
    shares = []
    for last, after in pairwise(ends):
        restart = last + 1 + np.flatnonzero(is_high[last + 1 : after + 1])
        if not len(restart) or not run.start > max(run.train[last], run.val[last]):
            return None
        shares.append([(loss[restart].mean() - loss[last]) / (run.start - loss[last]) for loss in (run.train, run.val)])
    train, val = np.min(shares, 0)
    if not (train >= MIN_REBOUND_SHARE and val > 0):
        return None
    numbers = {
        "percent": 100 * train,
        "rate": run.rate.max(),
        "first": run.val[ends[0]],
        "first_epoch": int(run.epoch[ends[0]]),
        "last": run.val[ends[-1]],
        "last_epoch": int(run.epoch[ends[-1]]),
    }
    return CurveVerdict("rate too high", None, Evidence("rebounds", numbers))


def _find_lost_cycles(run: RunCurves) -> CurveVerdict | None:
    """Find losses, in training and validation, that are higher at the end of the last cycle than of an earlier one."""
    ends = run.select(run.cycle_ends)
    best, rise = find_cycle_rise(ends, run)
    if rise <= 0 or ends.train[-1] < ends.train[best]:
        return None
    numbers = {
        "best": ends.val[best],
        "epoch": int(ends.epoch[best]),
        "end": ends.val[-1],
        "train_at_best": ends.train[best],
        "train_end": ends.train[-1],
        "rate": run.rate.max(),
    }
    return CurveVerdict("rate too high", int(ends.epoch[best]), Evidence("lost cycles", numbers))


def find_cycle_rise(ends: RunCurves, run: RunCurves) -> tuple[int, float]:
    """Find the end of a cycle with the best validation loss, and the rise from there to the last; 0 if it is small."""
    best = int(ends.val.argmin())
    rise = ends.val[-1] - ends.val[best]
    return best, float(rise) if rise > MIN_CYCLE_RISE * np.ptp(run.val) else 0.0


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


def _find_plateau(run: RunCurves) -> CurveVerdict | None:
    """Find a loss that fell only once the rate fell: on a plateau before, or higher than it was at the beginning."""
    high = np.flatnonzero(run.rate >= 0.5 * run.rate.max())
    late = np.flatnonzero(run.rate <= 0.25 * run.rate.max())
    late = late[late > high[-1]][-2:]
    before, half = high[len(high) // 4 : len(high) // 2], high[len(high) // 2 :]
    if len(half) < MIN_PLATEAU_VALIDATIONS or len(late) < 2:
        return None
    is_known = np.isfinite(run.start)
    train, val = (
        _measure_late_fall(loss, half, late, run.start if is_known else loss[high[0]]) for loss in (run.train, run.val)
    )
    numbers = {
        "first_epoch": int(run.epoch[half[0]]),
        "last_epoch": int(run.epoch[half[-1]]),
        "high_rate": run.rate[half].min(),
        "low_rate": run.rate[late].max(),
    }
    # a loss that fell about as much before the rate fell is on its way, not on a plateau
    is_level = train.level - train.end > max(3 * train.error, (run.train[before].mean() - train.level) / 0.6)
    if is_level and train.share >= MIN_PLATEAU_SHARE and val.share >= MIN_PLATEAU_SHARE / 2:
        numbers |= {"plateau": train.level, "end": train.end, "percent": 100 * train.share}
        return CurveVerdict("rate too high", int(run.epoch[half[0]]), Evidence("plateau", numbers))
    rise = val.level - run.val[0]
    if rise > max(0.1 * (run.start - run.val.min()), 3 * val.error) and train.share >= MIN_RISE_SHARE and val.share > 0:
        numbers |= {"first": run.val[0], "mean": val.level, "end": val.end}
        return CurveVerdict("rate too high", int(run.epoch[half[0]]), Evidence("rise", numbers))
    return None


def _find_swings(run: RunCurves) -> CurveVerdict | None:
    """Find wide swings of a validation loss that does not fall."""
    if len(run.val) < MIN_VALIDATIONS:
        return None
    start = len(run.val) // 2
    half = run.val[start:]
    swing = difference_std(half)
    swings_widely = swing > 0.15 * (run.val[0] - half.mean()) and swing > 0.1 * abs(half.mean())
    # 3 standard errors of the fall of a straight line through these points; or 2 of the difference of two points
    falls = fit_trend(half) < -3 * swing * np.sqrt(12 / len(half))
    falls = falls or run.val[0] - run.val[-count_tail(len(run.val)) :].mean() > 2 * np.sqrt(2) * swing
    falls = falls or half[0] - half[-1] > 2 * np.sqrt(2) * swing
    if falls or not (swings_widely or half.mean() > run.val[0] + swing):
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
