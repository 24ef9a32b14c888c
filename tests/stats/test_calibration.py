"""Intervals hold what they say: thousands of draws with a known truth."""

import numpy as np
import pytest
from scipy import stats

from tests.helpers.coverage import GROUPS, SEEDS, STUDIES, holds, noise
from thalweg.stats import intervals, samples


@pytest.mark.parametrize("sigma", [0.0, 0.5], ids=["normal", "skewed"])
@pytest.mark.parametrize("shared", [0.0, 0.4], ids=["apart", "shared"])
@pytest.mark.parametrize("ahead", [0.0, 1.0, 1.5])
def test_the_chance_to_be_the_better_run_is_held(sigma: float, shared: float, ahead: float) -> None:
    """Pairs of eight seeds, whose luck is their own, or shared to a correlation of 0.4; at 0.5 it is 97.7 %."""
    draw = np.random.default_rng(3)
    grid = noise(stats.norm.ppf((np.arange(2000) + 0.5) / 2000), sigma)
    truth = samples.rank_separation(grid, grid - ahead)
    luck = draw.standard_normal((2, 3 * STUDIES, SEEDS))
    ours, theirs = noise(luck[0], sigma) - ahead, noise(shared * luck[0] + np.sqrt(1 - shared**2) * luck[1], sigma)
    found = [samples.improvement(a, b) for a, b in zip(ours, theirs, strict=True)]
    assert holds(sum(known is not None and known.low <= truth <= known.high for known in found), len(found))


@pytest.mark.parametrize("sigma", [0.0, 0.5], ids=["normal", "skewed"])
def test_values_alike_within_groups_of_any_size_hold_their_mean(sigma: float) -> None:
    """Twelve groups of 5 to 16 examples that share half of their variance: the report's intervals of errors."""
    sizes = np.arange(GROUPS) + 5
    group = np.repeat(np.arange(GROUPS), sizes)
    draw = np.random.default_rng(7)
    effects = noise(draw.standard_normal((STUDIES, GROUPS)), sigma)
    values = effects[:, group] + draw.standard_normal((STUDIES, sizes.sum()))
    found = [intervals.clustered(own, group) for own in values]
    assert holds(sum(known is not None and known.low <= 0 <= known.high for known in found))
