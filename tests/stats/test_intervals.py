"""Intervals over few seeds and over groups of examples, against closed answers."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from thalweg.stats import intervals
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import (
    VarianceSource,
    cluster_robust_interval,
    compare_with_zero,
    t_interval,
    wilson_interval,
)


def test_t_interval_by_hand() -> None:
    # mean 3, standard deviation sqrt(2.5), t(4, 0.975) = 2.7764451
    interval = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert interval is not None
    assert interval.mean == 3.0
    assert interval.high - 3.0 == pytest.approx(2.7764451 * np.sqrt(2.5 / 5))
    assert interval.n == 5


def test_skewed_interval_is_longer_on_one_side() -> None:
    """Hall's transformation of both ends gives t's quantiles back: T + g T^2 / 3 + g^2 T^3 / 27 + g / 6."""

    def transform_ends(values: np.ndarray, skew: float) -> list[float]:
        interval, error = t_interval(values), stats.sem(values)
        assert interval is not None
        assert interval.high - interval.mean > interval.mean - interval.low
        ends = [(interval.mean - end) / error for end in (interval.low, interval.high)]
        return [by + skew * by**2 / 3 + skew**2 * by**3 / 27 + skew / 6 for by in ends]

    quantiles = [stats.t.ppf(0.975, 7), -stats.t.ppf(0.975, 7)]
    mild = np.array([1.0, 1.1, 1.2, 1.3, 1.5, 1.6, 1.9, 2.1])
    apart = mild - mild.mean()
    assert transform_ends(mild, (apart**3).sum() / (apart**2).sum() ** 1.5) == pytest.approx(quantiles)
    assert transform_ends(np.append(mild[:-1], 90.0), intervals.MAX_SKEWNESS) == pytest.approx(quantiles)
    for count in (4, 7):  # too few to say how skewed they are
        few = t_interval([1.0] * (count - 1) + [9.0])
        assert few is not None
        assert few.high - few.mean == pytest.approx(few.mean - few.low)


def test_skewness_ignores_scale() -> None:
    values = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 5.0])
    interval = t_interval(values)
    assert interval is not None
    for scale in (1e-130, 1e130):
        scaled = t_interval(scale * values)
        assert scaled is not None
        assert (scaled.low / scale, scaled.high / scale) == pytest.approx((interval.low, interval.high))


def test_one_value_has_no_interval() -> None:
    assert t_interval([1.0]) is None
    assert t_interval([1.0, np.nan]) is None
    assert cluster_robust_interval([1.0, 2.0], ["a", "a"]) is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_singleton_groups_give_t_interval(values: list[float]) -> None:
    plain, grouped = t_interval(values), cluster_robust_interval(values, [str(index) for index in range(len(values))])
    assert plain is not None
    assert grouped is not None
    assert grouped.low == pytest.approx(plain.low, rel=1e-6, abs=1e-6)


def test_copies_add_no_certainty() -> None:
    values, groups = [1.0, 2.0, 4.0], ["a", "b", "c"]
    once, often = (
        cluster_robust_interval(values, groups),
        cluster_robust_interval(np.repeat(values, 10), np.repeat(groups, 10)),
    )
    assert once is not None
    assert often is not None
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


@pytest.mark.parametrize(
    ("low", "high", "sign", "answer"),
    [
        (-2, -1, 1, "better"),
        (-2, -1, -1, "worse"),
        (1, 2, 1, "worse"),
        (1, 2, -1, "better"),
        (-1, 1, 1, "same"),
        (0, 1, 1, "same"),
    ],
)
def test_verdict_needs_interval_beside_zero(low: float, high: float, sign: int, answer: str) -> None:
    assert compare_with_zero(Interval((low + high) / 2, low, high, 8), sign) == answer


def test_large_group_weighs_more() -> None:
    """CR2: a group's squared shift counts by the share of the examples that are not in it."""
    values, groups = np.array([1.0, 1.0, 1.0, 4.0, 7.0]), np.array(["a", "a", "a", "b", "c"])
    interval = cluster_robust_interval(values, groups)
    assert interval is not None
    left_out = np.array([5.5, 2.5, 7.0 / 4])[[0, 2, 1]]
    error = np.sqrt((np.array([0.4, 0.8, 0.8]) * (left_out - 2.8) ** 2).sum())
    assert (interval.mean, interval.n) == (2.8, 3)
    assert interval.high - 2.8 == pytest.approx(stats.t.ppf(0.975, compute_dof([3, 1, 1])) * error, rel=0.03)


def compute_dof(sizes: list[int]) -> float:
    """Simulated degrees of freedom of a CR2 variance, 2 mean^2 / variance, of groups whose values are alike."""
    draw = np.random.default_rng(0).standard_normal((400_000, len(sizes)))
    weights = np.array(sizes) / sum(sizes)
    shifts = (draw - draw @ weights[:, None]) * weights / (1 - weights)
    variances = ((1 - weights) * shifts**2).sum(1)
    return float(2 * variances.mean() ** 2 / variances.var())


@pytest.mark.parametrize("sizes", [[3, 1, 1], [10, 20, 50], [1, 2, 4, 8, 16]])
def test_dof_of_unequal_groups(sizes: list[int]) -> None:
    source = intervals._cluster_variance(np.zeros(len(sizes)), np.array(sizes))
    assert source.dof == pytest.approx(compute_dof(sizes), rel=0.02)
    assert intervals._cluster_variance(np.zeros(5), np.full(5, 7)).dof == pytest.approx(4)


def repeat_for_blocks(by_seed: np.ndarray, blocks: int) -> np.ndarray:
    """Return the values without each block, where all blocks are alike."""
    return np.repeat(by_seed[:, None], blocks, axis=1)


def compute_two_way_interval(by_seed: np.ndarray, without: np.ndarray) -> Interval:
    """With blocks of one size."""
    return intervals.two_way_interval(by_seed, without, np.ones(without.shape[1], int))


def compute_group_error(without: np.ndarray) -> float:
    """With blocks of one size."""
    return float(np.sqrt(intervals.group_variance(without, np.ones(without.shape[1], int)).variance))


def leave_out_blocks(table: np.ndarray) -> np.ndarray:
    """Means without each block of a table [seeds, blocks] of equally large blocks."""
    result: np.ndarray = (table.sum(1, keepdims=True) - table) / (table.shape[1] - 1)
    return result


@pytest.mark.parametrize("blocks", [1, 9])
def test_equal_blocks_give_seed_interval(blocks: int) -> None:
    by_seed = np.array([1.0, 2.0, 4.0, 3.5])
    interval = compute_two_way_interval(by_seed, repeat_for_blocks(by_seed, blocks))
    low, high = stats.t.interval(0.95, 3, loc=by_seed.mean(), scale=stats.sem(by_seed))
    assert (interval.mean, interval.low, interval.high) == pytest.approx((by_seed.mean(), low, high))
    assert interval.n == 4


def test_equal_seeds_give_block_jackknife() -> None:
    """The jackknife of a mean over equal blocks is the mean's standard error over blocks."""
    blocks = np.array([0.5, 1.5, 2.0, 4.0])
    interval = compute_two_way_interval(np.full(3, blocks.mean()), leave_out_blocks(np.tile(blocks, (3, 1))))
    low, high = stats.t.interval(0.95, 3, loc=blocks.mean(), scale=stats.sem(blocks))
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_seed_block_variance_counts_once() -> None:
    """Effects of seed a and block g, and their own of both: the variance of the mean is that of an analysis of it."""
    draw = np.random.default_rng(0)
    table = 3 * draw.normal(size=(4, 1)) + 2 * draw.normal(size=(1, 3)) + draw.normal(size=(4, 3))
    seeds, blocks = table.mean(1), table.mean(0)
    rest = table - seeds[:, None] - blocks + table.mean()
    both = (rest**2).sum() / (3 * 2) / 12
    variance = seeds.var(ddof=1) / 4 + blocks.var(ddof=1) / 3 - both
    freedom = variance**2 / ((seeds.var(ddof=1) / 4) ** 2 / 3 + (blocks.var(ddof=1) / 3) ** 2 / 2 + both**2 / 6)
    interval = compute_two_way_interval(seeds, leave_out_blocks(table))
    reach = np.sqrt(variance) * stats.t.ppf(0.975, max(freedom, 2))
    assert interval.high - interval.mean == pytest.approx(reach)
    assert compute_group_error(leave_out_blocks(table)) == pytest.approx(np.sqrt(blocks.var(ddof=1) / 3 - both))


def test_group_error_is_common_to_seeds() -> None:
    blocks = np.array([0.5, 1.5, 2.0, 4.0])
    assert compute_group_error(leave_out_blocks(np.tile(blocks, (3, 1)))) == pytest.approx(stats.sem(blocks))
    assert compute_group_error(np.array([[1.0], [2.0]])) == 0.0
    # each seed has a block of its own: the blocks' means do not differ
    assert compute_group_error(leave_out_blocks(np.eye(4))) == 0.0


def test_equivalence_interval_is_of_90_percent() -> None:
    values = np.array([1.0, 2.0, 4.0])
    interval = intervals.compute_equivalence_interval(values, repeat_for_blocks(values, 4), np.ones(4, int))
    low, high = stats.t.interval(0.9, 2, values.mean(), stats.sem(values))
    assert (interval.mean, interval.low, interval.high) == pytest.approx((7 / 3, low, high))


def test_blocks_never_lower_variance() -> None:
    """Seeds and blocks that cancel by chance leave the larger of both."""
    by_seed = np.array([0.02, 0.08])
    low, high = stats.t.interval(0.95, 1, loc=0.05, scale=stats.sem(by_seed))
    table = by_seed[:, None] + 0.01 * np.outer([1, -1], np.linspace(-1, 1, 10))
    interval = compute_two_way_interval(by_seed, table)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_family_holds_together() -> None:
    """Among five equal candidates on eight seeds, no difference is said in 95 % of studies (Tukey's test)."""
    draw = np.random.default_rng(0).standard_normal((1500, 5, 8))
    false = 0
    for candidates in draw:
        pairs = [candidates[first] - candidates[second] for first in range(5) for second in range(first)]
        # a pooled variance, as Tukey's; a difference has twice the variance of a candidate
        spread = 2 * candidates.var(axis=1, ddof=1).mean() / 8
        reach = VarianceSource(float(spread), 35).half_widths(family=5)[1]
        false += any(abs(pair.mean()) > reach for pair in pairs)
    assert stats.binom.cdf(false, 1500, 0.05) > 1e-3
    assert stats.binom.sf(false - 1, 1500, 0.05) > 1e-3


def test_joint_intervals_are_holms() -> None:
    """Of p-values 0.004, 0.013, 0.04 and 0.3, Holm rejects those below 0.05 / 4 and 0.05 / 3, and then no more."""
    chances = {"a": 0.3, "b": 0.004, "c": 0.04, "d": 0.013}

    def build(chance: float, comparisons: int) -> Interval:
        mean, reach = stats.norm.isf(chance / 2), stats.norm.isf(0.025 / comparisons)
        return Interval(mean, mean - reach, mean + reach, 8)

    found = intervals.judge_together({name: partial(build, chance) for name, chance in chances.items()})
    assert list(found) == list(chances)
    assert [name for name, interval in found.items() if interval.low > 0] == ["b", "d"]
    assert found["b"] == build(chances["b"], 4)
    assert found["d"] == build(chances["d"], 3)
    assert found["c"] == build(chances["c"], 2)
    assert intervals.judge_together({}) == {}


def test_joint_intervals_are_seldom_wrong() -> None:
    """Five differences from one reference, none of them true: 5 % of studies at most name any."""
    draw, false = np.random.default_rng(0), 0
    for values in draw.standard_normal((1500, 6, 8)):
        builds = {str(i): partial(t_interval, values[i] - values[0]) for i in range(1, 6)}
        found = intervals.judge_together(builds)  # type: ignore[arg-type]
        false += any(interval.low > 0 or interval.high < 0 for interval in found.values())
    assert stats.binom.sf(false - 1, 1500, 0.05) > 1e-3


def test_more_comparisons_need_more() -> None:
    """Bonferroni's quantile, for seeds alone and for seeds and groups."""
    values = np.array([1.0, 2.0, 4.0, 3.5])
    reach = stats.t.isf(0.025 / 3, 3) * stats.sem(values)
    single, both = t_interval(values, 3), repeat_for_blocks(values, 5)
    assert single is not None
    assert single.high - single.mean == pytest.approx(reach)
    joint = intervals.two_way_interval(values, both, np.ones(5, int), comparisons=3)
    assert joint.high - joint.mean == pytest.approx(reach)


def test_unequal_groups_leave_fewer_degrees_of_freedom() -> None:
    """Three groups hold most examples, of ten: Satterthwaite's degrees of freedom are those of about three."""
    sizes = np.array([40, 40, 40, 2, 2, 2, 2, 2, 2, 2])
    left_out = np.tile(np.linspace(1, 2, 10), (3, 1))
    assert intervals.group_variance(left_out, np.full(10, 7)).dof == pytest.approx(9)
    assert 1.5 < intervals.group_variance(left_out, sizes).dof < 3.5


def test_share_at_its_bound_is_exact() -> None:
    """60 of 60 examples are right with each seed: Clopper and Pearson's limit is 0.025 ** (1 / 60)."""
    right = np.ones((3, 60))
    interval = intervals.two_way_interval(right.mean(1), right, np.ones(60, int), bounds=(0.0, 1.0))
    assert (interval.low, interval.high) == pytest.approx((0.025 ** (1 / 60), 1.0))
    grouped = cluster_robust_interval(np.zeros(60), np.arange(60) % 6, bounds=(0.0, 1.0))
    assert grouped is not None
    assert (grouped.low, grouped.high) == pytest.approx((0.0, 1 - 0.025 ** (1 / 6)))


def test_share_far_from_bounds_is_binomial() -> None:
    """40 of 100 independent examples: the binomial's exact interval, for 99 instead of 100 examples (n - 1 in s^2)."""
    interval = cluster_robust_interval(np.arange(100) < 40, np.arange(100), bounds=(0.0, 1.0))
    exact = stats.binomtest(40, 100).proportion_ci(0.95, "exact")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high), abs=2e-3)


@pytest.mark.parametrize(("examples", "accuracy"), [(60, 0.99), (200, 0.997), (200, 0.8)])
def test_rare_errors_are_within_the_interval(examples: int, accuracy: float) -> None:
    """The same hard examples are wrong with each seed."""
    draw, held = np.random.default_rng(0), 0
    for _ in range(400):
        wrong = np.tile(draw.random(examples) > accuracy, (8, 1)).astype(float)
        blocks = np.arange(examples) % 100
        left_out = np.stack([wrong[:, blocks != block].mean(1) for block in range(blocks.max() + 1)], axis=1)
        sizes = np.bincount(blocks)
        interval = intervals.two_way_interval(wrong.mean(1), left_out, sizes, bounds=(0.0, 1.0))
        held += interval.low <= 1 - accuracy <= interval.high
    assert held >= 375  # 93.75 %; the exact bound of 95 % begins at 92.6


def test_constant_values_give_a_point() -> None:
    assert compute_two_way_interval(np.full(4, 2.0), np.full((4, 9), 2.0)) == Interval(2.0, 2.0, 2.0, 4)


def test_combined_sources_by_satterthwaite() -> None:
    first, second = VarianceSource(1.0, 3), VarianceSource(2.0, 5)
    freedom: Any = pytest.approx(9 / (1 / 3 + 4 / 5))
    assert intervals.combine_sources(first, second) == VarianceSource(3.0, freedom)
    assert intervals.combine_sources(first, VarianceSource(0.0, 5)) == first


def test_interval_clips_and_spans() -> None:
    wide = Interval(0.9, 0.7, 1.1, 3)
    assert wide.clip_to_bounds((0.0, 1.0)) == Interval(0.9, 0.7, 1.0, 3)
    assert wide.clip_to_bounds((-np.inf, np.inf)) == wide
    assert wide.span_both(Interval(0.5, 0.4, 0.8, 3)) == Interval(0.9, 0.4, 1.1, 3)


def test_blocks_are_groups_up_to_maximum() -> None:
    groups = np.array(["b", "a", "b", "c"])
    block = intervals.assign_blocks(groups)
    assert block[0] == block[2]
    assert len(set(block.tolist())) == 3
    many = intervals.assign_blocks(np.array([f"{i:05d}" for i in range(1000)]))
    assert set(many.tolist()) == set(range(intervals.MAX_BLOCKS))
    weights = intervals.leave_one_out_weights(block)
    assert weights.shape == (3, 4)
    assert (weights.sum(0) == 2).all()


def test_residuals_exclude_rows_and_columns() -> None:
    rows, columns = np.array([[0.0], [3.0]]), np.array([1.0, 2.0, 6.0])
    assert intervals.two_way_residuals(rows + columns) == pytest.approx(np.zeros((2, 3)))
    corner = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert intervals.two_way_residuals(corner) == pytest.approx(np.array([[1, -1], [-1, 1]]) / 4)


@given(st.integers(1, 10**6), st.data())
def test_wilson_interval_is_scipys(trials: int, data: st.DataObject) -> None:
    """To the last bit. SciPy's own is in scipy.stats, which takes half a second to import."""
    successes = data.draw(st.integers(0, trials))
    scipy_interval = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson_interval(successes, trials) == (scipy_interval.low, scipy_interval.high)


def test_seeds_of_their_own_are_welch() -> None:
    """With one block it is Welch's interval; with seeds that all agree, that of the blocks' differences."""
    draw = np.random.default_rng(0)
    first, second, one_block = draw.normal(3, 1, 5), draw.normal(1, 4, 7), np.array([9])
    found = intervals.independent_seeds_interval((first, first[:, None]), (second, second[:, None]), one_block)
    wanted = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    assert found.n == 5
    assert found.mean == pytest.approx(first.mean() - second.mean())
    values, sizes = draw.normal(0, 1, (2, 6)), np.ones(6, np.intp)
    without = (values.sum(1, keepdims=True) - values) / 5
    sides = [
        (np.full(n, row.mean()), np.tile(left, (n, 1))) for n, row, left in zip((3, 4), values, without, strict=True)
    ]
    found = intervals.independent_seeds_interval(sides[0], sides[1], sizes)
    by_group = t_interval(values[0] - values[1])
    assert by_group is not None
    assert (found.mean, found.low, found.high) == pytest.approx((by_group.mean, by_group.low, by_group.high))
