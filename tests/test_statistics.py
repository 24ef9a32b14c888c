"""Intervals over few seeds and over groups of examples."""

import numpy as np
import pytest
from scipy import stats

from pipeline import statistics


def test_without_blocks_it_is_students_interval() -> None:
    by_seed = np.array([1.0, 2.0, 4.0, 3.5])
    found = statistics.interval(by_seed, np.array([by_seed.mean()]))
    low, high = stats.t.interval(0.95, 3, loc=by_seed.mean(), scale=stats.sem(by_seed))
    assert (found.mean, found.low, found.high) == pytest.approx((by_seed.mean(), low, high))


def test_equal_seeds_leave_the_blocks_jackknife() -> None:
    """The jackknife of a mean over equal blocks is the mean's standard error over blocks."""
    blocks = np.array([0.5, 1.5, 2.0, 4.0, 2.5])
    without = (blocks.sum() - blocks) / (len(blocks) - 1)
    found = statistics.interval(np.full(3, blocks.mean()), without)
    low, high = stats.t.interval(0.95, 4, loc=blocks.mean(), scale=stats.sem(blocks))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_blocks_beside_two_seeds_do_not_make_the_interval_narrower() -> None:
    by_seed = np.array([0.02, 0.08])
    low, high = stats.t.interval(0.95, 1, loc=0.05, scale=stats.sem(by_seed))
    found = statistics.interval(by_seed, 0.05 + 0.01 * np.linspace(-1, 1, 10))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_nothing_that_varies_is_a_point() -> None:
    assert statistics.interval(np.full(4, 2.0), np.full(9, 2.0)) == statistics.Interval(2.0, 2.0, 2.0)


def test_blocks_are_groups_and_no_more_than_there_may_be() -> None:
    groups = np.array(["b", "a", "b", "c"])
    block = statistics.blocks(groups)
    assert block[0] == block[2]
    assert len(set(block.tolist())) == 3
    many = statistics.blocks(np.array([f"{i:05d}" for i in range(1000)]))
    assert set(many.tolist()) == set(range(statistics.BLOCKS))
    weights = statistics.leave_out(block)
    assert weights.shape == (3, 4)
    assert (weights.sum(0) == 2).all()


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    """2,000 studies with effects of seed, group and their interaction; 95 % intervals hold the mean in 92 to 99 %."""
    draw = np.random.default_rng(0)
    seeds, groups, studies = 8, 12, 2000
    held = 0
    for _ in range(studies):
        table = draw.normal(0, 1, (seeds, 1)) + draw.normal(0, 1, (1, groups)) + draw.normal(0, 0.5, (seeds, groups))
        by_group = table.mean(0)
        without = (by_group.sum() - by_group) / (groups - 1)
        found = statistics.interval(table.mean(1), without)
        held += found.low <= 0.0 <= found.high
    error = 3 * np.sqrt(0.95 * 0.05 / studies)
    assert 0.92 - error < held / studies < 0.99
