"""The noise of a curve about its trend."""

import numpy as np
import pytest

from thalweg.stats.curves import difference_std


@pytest.mark.parametrize("robust", [False, True])
def test_curve_noise_is_about_its_trend(robust: bool) -> None:
    rng = np.random.default_rng(0)
    trend = np.exp(-np.linspace(0, 3, 4000))
    assert difference_std(trend + 0.1 * rng.standard_normal(4000), robust) == pytest.approx(0.1, rel=0.06)
    assert difference_std(np.linspace(0, 5, 20), robust) == pytest.approx(0.0, abs=1e-12)
    assert difference_std(np.array([1.0, 3.0]), robust) == 0.0


def test_rare_swing_counts_unless_robust() -> None:
    curve = 0.01 * np.random.default_rng(0).standard_normal(200)
    curve[100] = 5.0
    assert difference_std(curve) > 10 * difference_std(curve, robust=True)
