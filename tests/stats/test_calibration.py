"""Intervals cover the truth as often as they claim, over thousands of draws."""

import numpy as np
import pytest

from tests.helpers.coverage import GROUPS, STUDIES, draw_noise, is_coverage_shown
from thalweg.stats import intervals


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [0.0, 0.5], ids=["normal", "skewed"])
def test_clustered_interval_coverage(sigma: float) -> None:
    """Twelve groups of 5 to 16 examples that share half of their variance: the report's intervals of errors."""
    sizes = np.arange(GROUPS) + 5
    group = np.repeat(np.arange(GROUPS), sizes)
    draw = np.random.default_rng(7)
    effects = draw_noise(draw.standard_normal((STUDIES, GROUPS)), sigma)
    values = effects[:, group] + draw.standard_normal((STUDIES, sizes.sum()))
    estimates = [intervals.cluster_robust_interval(row, group) for row in values]
    assert is_coverage_shown(sum(interval is not None and interval.low <= 0 <= interval.high for interval in estimates))
