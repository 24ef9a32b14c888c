"""What a few runs say, against closed answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from thalweg.stats import samples
from thalweg.stats.samples import Noise


def test_a_noise_that_few_seeds_told_of_is_less_sure() -> None:
    # t(2, 0.975) = 4.3026527, and 1.96 in the limit
    assert Noise(1.0, 2).least == pytest.approx(4.3026527 * np.sqrt(2))
    assert Noise(1.0, 10**6).least == pytest.approx(2.772, abs=1e-3)


def test_separation_counts_pairs() -> None:
    assert samples.rank_separation([3, 4], [1, 2]) == 1.0
    assert samples.rank_separation([1, 2], [3, 4]) == 0.0
    assert samples.rank_separation([1, 2], [1, 2]) == 0.5


def test_the_widest_gap_leaves_two_on_each_side() -> None:
    found = samples.widest_gap([0.0, 0.1, 5.0, 5.1, 5.2, 90.0])
    assert found is not None
    assert (found.below.tolist(), found.above.tolist()) == ([0.0, 0.1], [5.0, 5.1, 5.2, 90.0])
    assert found.share == pytest.approx(4.9 / 90)
    assert samples.widest_gap([0.0, 1.0, 2.0, 8.0, 9.0]) is None
    assert samples.widest_gap([2.0] * 8) is None


@pytest.mark.parametrize("shape", ["normal", "lognormal", "uniform"])
@pytest.mark.parametrize("count", [6, 8, 20])
def test_one_clump_is_rarely_called_two(shape: str, count: int) -> None:
    """3,000 studies of three candidates: in no more than 5 % of them some gap is wide, to the binomial's 99.9 %."""
    draw = np.random.default_rng(count).standard_normal((3000, 3, count))
    values = {"normal": draw, "lognormal": np.exp(0.5 * draw), "uniform": stats.norm.cdf(draw)}[shape]
    limit = samples.gap_limit(count, 3)
    ordered = np.sort(values, axis=2)
    share = np.diff(ordered, axis=2)[..., 1:-1].max(2) / (ordered[..., -1] - ordered[..., 0])
    found = int((share > limit).any(1).sum())
    assert samples.widest_gap(values[0, 0]).share == pytest.approx(share[0, 0])  # type: ignore[union-attr]
    assert stats.binom.sf(found - 1, 3000, 0.05) > 1e-3


def test_two_clumps_far_apart_are_seen() -> None:
    draw = np.random.default_rng(0).standard_normal((200, 8)) + np.repeat([0.0, 16.0], 4)
    found = [samples.widest_gap(values).share > samples.gap_limit(8, 3) for values in draw]  # type: ignore[union-attr]
    assert np.mean(found) > 0.9


def test_seeds_to_settle_are_the_fewest_whose_interval_leaves_out_zero() -> None:
    # without groups: |d| > t(S - 1) s / sqrt(S); with d = s / 2 that is first so at S = 18
    assert samples.seeds_to_settle(-0.5, 1.0, (0.0, 0)) == 18
    assert stats.t.ppf(0.975, 17) / np.sqrt(18) < 0.5 < stats.t.ppf(0.975, 16) / np.sqrt(17)
    surer = samples.seeds_to_settle(-0.5, 1.0, (0.0, 0), power=0.8)
    assert surer is not None
    assert 30 < surer < 40
    assert samples.seeds_to_settle(0.001, 1.0, (0.0, 0)) is None


@given(st.floats(0.01, 10), st.floats(0.01, 10))
def test_what_groups_alone_leave_open_no_seeds_settle(deviation: float, error: float) -> None:
    edge = float(stats.t.ppf(0.975, 3)) * error
    assert samples.seeds_to_settle(0.99 * edge, deviation, (error, 4), most=200) is None
    assert samples.seeds_to_settle(1.01 * edge, 1e-6 * error, (error, 4)) == 2


def test_more_seeds_do_what_was_said_of_them() -> None:
    """Simulated: with so many seeds about half, and about four of five, of the intervals leave out zero."""
    draw = np.random.default_rng(1)
    for power in (0.5, 0.8):
        seeds = samples.seeds_to_settle(0.5, 1.0, (0.0, 0), power)
        assert seeds is not None
        values = 0.5 + draw.standard_normal((4000, seeds))
        reach = stats.t.ppf(0.975, seeds - 1) * values.std(1, ddof=1) / np.sqrt(seeds)
        assert abs((values.mean(1) > reach).mean() - power) < 0.05
