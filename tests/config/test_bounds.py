"""What each number of a training may be: the ends of its range, and values just beyond them."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.helpers.paths import ROOT
from thalweg.config.load import load_config

CONFIG = load_config(ROOT / "params.yaml")
NEAR = 1e-6

POSITIVE = ((NEAR, 1e6), (0.0, -1.0))
NON_NEGATIVE = ((0.0, 1e6), (-NEAR,))
SHARE = ((0.0, 1.0), (-NEAR, 1.0 + NEAR))
BELOW_ONE = ((0.0, 1.0 - NEAR), (-NEAR, 1.0))

BOUNDS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "optimizer.learning_rate": POSITIVE,
    "optimizer.momentum": BELOW_ONE,
    "optimizer.b2": BELOW_ONE,
    "optimizer.eps": POSITIVE,
    "optimizer.weight_decay": NON_NEGATIVE,
    "optimizer.clip": POSITIVE,
    "schedule.warmup": NON_NEGATIVE,
    "schedule.decay": NON_NEGATIVE,
    "schedule.every": POSITIVE,
    "schedule.final": SHARE,
    "schedule.period": POSITIVE,
    "schedule.peak_at": SHARE,
    "schedule.start": SHARE,
    "loss.huber.weight": NON_NEGATIVE,
    "loss.huber.delta": POSITIVE,
    "loss.charbonnier.epsilon": POSITIVE,
    "loss.cross_entropy.smoothing": SHARE,
    "loss.focal.gamma": NON_NEGATIVE,
    "loss.binary_focal.gamma": NON_NEGATIVE,
    **{f"augment.online.{name}": SHARE for name in ("brightness", "contrast", "noise", "flip", "shift", "cutout")},
}
"""For each number values that it may have, and values that it may not."""


def build_change(path: str, value: float) -> dict[str, Any]:
    """The change of the experiment that gives a number this value; `loss.KIND.NUMBER` is a term of that kind."""
    if path.startswith("loss."):
        _, kind, number = path.split(".")
        return {"loss.terms.count": {"kind": kind, number: value}}
    return {path: value}


@pytest.mark.parametrize("path", BOUNDS)
def test_number_bounds(path: str) -> None:
    allowed, refused = BOUNDS[path]
    for value in allowed:
        CONFIG.replace_values(build_change(path, value))
    for value in refused:
        with pytest.raises(ValidationError, match=r"be (greater|less)"):
            CONFIG.replace_values(build_change(path, value))
