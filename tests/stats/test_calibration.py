"""Intervals cover the truth as often as they claim, over thousands of draws."""

import numpy as np
import pytest

from tests.helpers.coverage import GROUPS, STUDIES, compute_share_bounds, draw_noise, is_coverage_shown
from thalweg.stats import intervals


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.0, 0.5], ids=["normal", "skewed"])
def test_clustered_interval_coverage(sigma: float) -> None:
    """Twelve groups of 5 to 16 examples that share half of their variance: the report's intervals of errors."""
    sizes = np.arange(GROUPS) + 5
    group = np.repeat(np.arange(GROUPS), sizes)
    studies = 4 * STUDIES  # skewed groups are held in about 93 %: fewer would not show that it is 92 or more
    draw = np.random.default_rng(7)
    effects = draw_noise(draw.standard_normal((studies, GROUPS)), sigma)
    values = effects[:, group] + draw.standard_normal((studies, sizes.sum()))
    estimates = [intervals.cluster_robust_interval(row, group) for row in values]
    held = sum(interval is not None and interval.low <= 0 <= interval.high for interval in estimates)
    assert is_coverage_shown(held, studies)


@pytest.mark.parametrize(("apart", "low", "high"), [(0.05, 0.0, 0.05), (0.0, 0.4, 0.6)])
def test_equivalence_is_seldom_wrong(apart: float, low: float, high: float) -> None:
    """Two trials, a smallest effect of 0.05, and 16 seeds: called alike in 5 % at most if they differ by the effect.

    The numbers are those of `benchmarks.calibration`. Of equals about half are called alike: no more can be had.
    """
    draw, alike = np.random.default_rng(3), 0
    sizes, root = np.full(10, 20), np.sqrt(2)
    for _ in range(500):
        seeds, leans = 0.05 * root * draw.standard_normal((16, 1)), 0.025 * root * draw.standard_normal(10)
        cells = apart + seeds + leans + 0.05 * root * draw.standard_normal((16, 10))
        left_out = (cells.sum(1, keepdims=True) - cells) / 9
        interval = intervals.compute_equivalence_interval(cells.mean(1), left_out, sizes)
        alike += max(-interval.low, interval.high) < 0.05
    bounds = compute_share_bounds(alike, 500)
    assert bounds[0] <= high
    assert bounds[1] >= low
