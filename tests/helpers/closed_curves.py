"""Learning curves in closed form, and the monitor's verdict on them."""

from typing import Any

import numpy as np

from thalweg.stats.monitor import diagnose_curves
from thalweg.stats.run_curves import CurveVerdict

STAIRCASE = np.repeat([1.0, 0.1, 0.01], [6, 5, 5])
RESTARTS = np.tile([0.85, 0.5, 0.15, 1e-4], 4)


def measure_way(rate: Any) -> Any:
    """The sum of the rate up to the middle and to the end of each epoch, as a share of the whole."""
    end = np.cumsum(rate) / rate.sum()
    return end - rate / rate.sum() / 2, end


def judge_losses(train: Any, val: Any, rate: Any, **more: Any) -> CurveVerdict:
    return diagnose_curves(np.arange(1, len(val) + 1), train, val, val, "min", rate, **more)


def judge_decay(speed: float, rate: Any) -> CurveVerdict:
    """The verdict on losses that fall as exp(-speed * way)."""
    middle, end = measure_way(rate)
    return judge_losses(1 + np.exp(-speed * middle), 1 + np.exp(-speed * end), rate, first_loss=2.0)
