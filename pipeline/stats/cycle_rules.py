"""The monitor's rules on runs whose schedule restarts: they compare the ends of cycles."""

from itertools import pairwise

import numpy as np

from thalweg.stats.curves import difference_std
from thalweg.stats.rate_rules import find_explosion, find_low_rate
from thalweg.stats.run_curves import CurveVerdict, Evidence, RunCurves

MIN_REBOUND_SHARE = 0.15  # of the fall of training loss so far, which each restart undoes
MAX_CYCLE_GAIN = 0.05  # of the first cycle's fall, which all later ones add where restarts undo it
MIN_CYCLE_RISE = 0.1  # of a loss's whole range, from the best end of a cycle to the last


def judge_cycles(run: RunCurves) -> CurveVerdict:
    """Judge a run whose schedule restarts."""
    return (
        find_explosion(run)
        or _find_overfitting_cycles(run)
        or _find_rebounds(run)
        or _find_lost_cycles(run)
        or find_low_rate(run)
        or _compare_last_cycles(run)
    )


def _find_rebounds(run: RunCurves) -> CurveVerdict | None:
    """Find restarts that each undo a part of training loss's fall, while the ends of cycles hardly get lower."""
    ends, is_high = run.cycle_ends, run.rate >= 0.5 * run.rate.max()
    if run.val[ends[0]] - run.val[ends[-1]] > MAX_CYCLE_GAIN * (run.start - run.val[ends[0]]):
        return None
    shares = []
    for last, after in pairwise(ends):
        restart = last + 1 + np.flatnonzero(is_high[last + 1 : after + 1])
        if not len(restart) or not run.start > run.train[last]:
            return None
        shares.append((run.train[restart].mean() - run.train[last]) / (run.start - run.train[last]))
    if min(shares) < MIN_REBOUND_SHARE:
        return None
    numbers = {
        "percent": 100 * min(shares),
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
    best, rise = _find_cycle_rise(ends, run)
    if rise <= 0 or ends.train[-1] - ends.train[best] <= MIN_CYCLE_RISE * np.ptp(run.train):
        return None
    numbers = _collect_rise_numbers(ends, best) | {"rate": run.rate.max()}
    return CurveVerdict("rate too high", int(ends.epoch[best]), Evidence("lost cycles", numbers))


def _find_overfitting_cycles(run: RunCurves) -> CurveVerdict | None:
    """Find a validation loss that rose from the end of one cycle to that of the last, while training loss fell."""
    ends = run.select(run.cycle_ends)
    best, rise = _find_cycle_rise(ends, run)
    if rise <= 0 or ends.train[-1] >= min(ends.train[best], ends.val[-1]):
        return None
    numbers = _collect_rise_numbers(ends, best)
    return CurveVerdict("overfitting", int(ends.epoch[best]), Evidence("overfitting cycles", numbers))


def _compare_last_cycles(run: RunCurves) -> CurveVerdict:
    """Compare the ends of the last two cycles."""
    ends = run.select(run.cycle_ends)
    fluctuation = difference_std(ends.cost if len(ends.cost) > 3 else run.cost, robust=True)
    # four ends in a row fall by chance in one of 24
    falls = len(ends.cost) > 3 and (np.diff(ends.cost[-4:]) < 0).all()
    allowed = max(0.0 if falls else 2.5 * np.sqrt(2) * fluctuation, 0.01 * np.ptp(run.cost))
    numbers = {
        "before": ends.metric[-2],
        "before_epoch": int(ends.epoch[-2]),
        "last": ends.metric[-1],
        "last_epoch": int(ends.epoch[-1]),
        "allowed": allowed,
    }
    if ends.cost[-2] - ends.cost[-1] > allowed:
        return CurveVerdict("improving", None, Evidence("cycles", numbers))
    return CurveVerdict("converged", int(ends.epoch[-2]), Evidence("cycles", numbers))


def _find_cycle_rise(ends: RunCurves, run: RunCurves) -> tuple[int, float]:
    """Find the end of a cycle with the best validation loss, and the rise from there to the last; 0 if it is small."""
    best = int(ends.val.argmin())
    rise = ends.val[-1] - ends.val[best]
    return best, float(rise) if rise > MIN_CYCLE_RISE * np.ptp(run.val) else 0.0


def _collect_rise_numbers(ends: RunCurves, best: int) -> dict[str, float]:
    """Collect the losses at the best end of a cycle and at the last."""
    return {
        "best": ends.val[best],
        "epoch": int(ends.epoch[best]),
        "end": ends.val[-1],
        "train_at_best": ends.train[best],
        "train_end": ends.train[-1],
    }
