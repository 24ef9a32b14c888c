"""The winners of two studies: how often the verdict errs, and what stands in the way of one."""

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.helpers.drawn_winners import Pairs, draw_winners
from thalweg.artifacts.judged import JudgedWinner, SeedValues, build_seed_values
from thalweg.diff.winners import find_obstacles, judge_winners
from thalweg.stats.intervals import two_way_interval

PAIRS = 300
KINDS = {
    "paired": Pairs(),
    "seeds of their own": Pairs(are_paired=False),
    "few seeds and groups": Pairs(seed_count=4, group_count=6),
    "groups decide": Pairs(own_groups=0.3, own_seeds=0.02),
}


@cache
def count_verdicts(of: Pairs) -> Counter[str]:
    draw = np.random.default_rng(1)
    return Counter(judge_winners(*draw_winners(of, draw))[0] for _ in range(PAIRS))


@pytest.mark.parametrize("of", KINDS.values(), ids=KINDS.keys())
def test_false_alarms_are_rare(of: Pairs) -> None:
    """A regression among equals in 5 % of 300 pairs at most; any difference in 5 % to the error of the test itself."""
    verdicts = count_verdicts(of)
    assert verdicts["worse"] <= 0.05 * PAIRS
    assert stats.binom.sf(verdicts["worse"] + verdicts["better"] - 1, PAIRS, 0.05) > 1e-3


@pytest.mark.parametrize("of", KINDS.values(), ids=KINDS.keys())
def test_regression_is_found(of: Pairs) -> None:
    verdicts = count_verdicts(replace(of, gap=0.5))
    assert verdicts["worse"] > 0.8 * PAIRS
    assert verdicts["better"] == 0


def test_pairs_of_seeds_find_more() -> None:
    """Where a seed matters for both studies alike, its effect cancels."""
    of = Pairs(seeds=0.4, gap=0.2)
    assert count_verdicts(of)["worse"] > 2 * count_verdicts(replace(of, are_paired=False))["worse"]


@pytest.fixture
def pair() -> tuple[JudgedWinner, JudgedWinner]:
    return draw_winners(Pairs(gap=0.5), np.random.default_rng(2))


def test_interval_is_that_of_the_report(pair: tuple[JudgedWinner, JudgedWinner]) -> None:
    """Without a choice among candidates it is `two_way_interval` of the differences by seed."""
    a, b = (replace(side, corrected=side.values) for side in pair)
    (by_seed_a, left_out_a), (by_seed_b, left_out_b) = a.values.to_arrays(), b.values.to_arrays()
    wanted = two_way_interval(by_seed_b - by_seed_a, left_out_b - left_out_a, np.array(a.block_sizes))
    verdict, found = judge_winners(a, b)
    assert (found.mean, found.low, found.high) == (wanted.mean, wanted.low, wanted.high)
    assert (verdict, found.paired, found.seeds_a, found.seeds_b) == ("worse", True, 8, 8)
    assert (found.groups, found.examples) == (20, sum(a.block_sizes))
    back, other = judge_winners(b, a)
    assert (back, other.mean) == ("better", -found.mean)
    higher = judge_winners(replace(a, sign=-1), replace(b, sign=-1))
    assert higher == ("better", found)


def test_only_shared_seeds_are_pairs(pair: tuple[JudgedWinner, JudgedWinner]) -> None:
    a, b = pair
    fewer = replace(
        b,
        seeds=b.seeds[:5],
        values=build_seed_values(*(values[:5] for values in b.values.to_arrays())),
        corrected=build_seed_values(*(values[:5] for values in b.corrected.to_arrays())),
    )
    _, found = judge_winners(a, fewer)
    assert (found.paired, found.seeds_a, found.seeds_b) == (True, 5, 5)
    _, found = judge_winners(a, replace(fewer, seeds=(90, 91, 92, 93, 0)))
    assert (found.paired, found.seeds_a, found.seeds_b) == (False, 8, 5)


def test_equal_winners_differ_by_nothing(pair: tuple[JudgedWinner, JudgedWinner]) -> None:
    verdict, found = judge_winners(pair[0], pair[0])
    assert (verdict, found.mean, found.low, found.high) == ("unclear", 0, 0, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"objective": "rmse"}, "A was judged by mae, B by rmse."),
        ({"task": {"kind": "classify"}}, "A has the task count, B classify."),
        ({"task": {"kind": "count", "side": 2}}, "They differ in what is measured: task.side."),
        ({"part": "validation"}, "A was judged on a test set, B on a validation set."),
        ({"sha256": "1" * 64}, "The test sets hold other images or labels ("),
    ],
)
def test_other_questions_do_not_compare(
    pair: tuple[JudgedWinner, JudgedWinner], changes: dict[str, Any], reason: str
) -> None:
    a, b = pair
    assert find_obstacles(a, b) == []
    (found,) = find_obstacles(a, replace(b, **changes))
    assert found.startswith(reason)


def test_failed_seed_does_not_compare(pair: tuple[JudgedWinner, JudgedWinner]) -> None:
    a, b = pair
    by_seed, left_out = b.values.to_arrays()
    by_seed[2] = np.nan
    assert find_obstacles(a, replace(b, values=build_seed_values(by_seed, left_out))) == [
        "The winner of B has no value on some seed."
    ]


def test_gap_of_a_group_does_not_compare(pair: tuple[JudgedWinner, JudgedWinner]) -> None:
    """A metric may have no value without some group, such as a share of a class that only this group has."""
    a, b = pair
    by_seed, left_out = b.values.to_arrays()
    left_out[2, 1] = np.nan
    (found,) = find_obstacles(a, replace(b, values=build_seed_values(by_seed, left_out)))
    assert found.startswith("The winner of B has no mae without some group of examples, ")
    alone = [replace(side, block_sizes=(9,), values=SeedValues((1.0, 2.0), ((None,), (None,)))) for side in pair]
    assert find_obstacles(*alone) == []


def test_unknown_correction_is_said(pair: tuple[JudgedWinner, JudgedWinner]) -> None:
    a, b = pair
    by_seed, left_out = b.corrected.to_arrays()
    by_seed[2] = np.nan
    _, plain = judge_winners(a, replace(b, corrected=build_seed_values(by_seed, left_out)))
    assert judge_winners(a, b)[1].corrected
    assert not plain.corrected
    assert plain.mean == plain.uncorrected == pytest.approx(np.mean(b.values.to_arrays()[0] - a.values.to_arrays()[0]))
