"""Comparisons that may stop after each pair: error rates, intervals, and what closed answers there are."""

import math

import numpy as np
import pytest
from scipy import stats

from thalweg.stats.sequential import (
    ALPHA,
    FIRST_LOOK,
    MAX_PAIRS,
    PairedResult,
    compute_level,
    count_pairs_needed,
    judge_pairs,
)


def test_single_look_is_usual_test() -> None:
    assert compute_level(FIRST_LOOK, ALPHA) == pytest.approx(ALPHA, rel=0.05)
    values = np.array([0.1, 0.3, 0.2, 0.5, -0.1])
    result = judge_pairs(values, FIRST_LOOK)
    usual = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (result.low, result.high) == pytest.approx(usual, rel=0.03)


def test_more_looks_need_lower_levels() -> None:
    levels = [compute_level(planned, ALPHA) for planned in (5, 8, 12, 24, 48)]
    assert levels == sorted(levels, reverse=True)
    assert ALPHA / 44 < levels[-1] < levels[0]


@pytest.mark.parametrize("count", range(FIRST_LOOK))
def test_too_few_pairs_decide_nothing(count: int) -> None:
    result = judge_pairs([1000.0] * count, 12, smallest=1.0)
    assert result == PairedResult("open", count, 1000.0 if count else 0.0, -math.inf, math.inf)


@pytest.mark.parametrize(
    ("differences", "smallest", "verdict"),
    [
        ([-1.0, -1.1, -0.9, -1.0, -1.05], None, "lower"),
        ([1.0, 1.1, 0.9, 1.0, 1.05], None, "higher"),
        ([0.01, -0.01, 0.0, 0.02, -0.02], None, "open"),
        ([0.01, -0.01, 0.0, 0.02, -0.02], 1.0, "same"),
        ([0.1, 0.11, 0.09, 0.1, 0.105], 1.0, "same"),  # surely above 0, and surely too small to count
        ([0.5] * 5, None, "higher"),
        ([0.0] * 5, None, "open"),
        ([0.0] * 5, 0.1, "same"),
    ],
)
def test_verdicts(differences: list[float], smallest: float | None, verdict: str) -> None:
    assert judge_pairs(differences, 12, smallest).verdict == verdict


def test_equals_seldom_differ_and_interval_holds_at_any_stop() -> None:
    """Of 1,500 comparisons of equals that stop as early as they can, 5 % leave out the truth."""
    draw, planned = np.random.default_rng(0), 12
    missed = 0
    for values in draw.standard_normal((1500, planned)):
        results = (judge_pairs(values[:count], planned) for count in range(FIRST_LOOK, planned + 1))
        missed += any(result.verdict != "open" for result in results)
    assert stats.binom.cdf(missed, 1500, ALPHA) > 1e-3
    assert stats.binom.sf(missed - 1, 1500, ALPHA) > 1e-3


def test_count_of_pairs_needed() -> None:
    """With noise of 1 and a mean of 0.5, the interval leaves out 0 from some 40 pairs on; equals never end."""
    result = PairedResult("open", 12, 0.5, -0.5, 1.5)
    needed = count_pairs_needed(result, 1.0, 12, None, ALPHA)
    assert needed is not None
    assert 25 < needed < 60
    assert count_pairs_needed(PairedResult("open", 12, 0.0, -1.0, 1.0), 1.0, 12, None, ALPHA) is None
    alike = count_pairs_needed(PairedResult("open", 12, 0.0, -1.0, 1.0), 1.0, 12, 0.5, ALPHA)
    assert alike is not None
    assert 12 < alike < MAX_PAIRS
