"""The answer to a question: what more trials may gain, and when a difference counts, by hand and by simulation."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from tests.helpers.answers import with_answer
from tests.helpers.five_parameters import KIND, compute_rate_position, draw_trials
from thalweg.reporting.analysis.questions import (
    answer_question,
    compute_search_margin,
    judge_difference,
    measure_search_gap,
)
from thalweg.reporting.tables import StudyTables


def test_search_gap_by_counting() -> None:
    costs = np.array([1.0, 1.5, 2.6, 3.0, 4.0])
    halves = [min(chosen) for chosen in combinations(costs, 2)]
    assert measure_search_gap(costs) == pytest.approx(np.mean(halves) - 1.0)
    assert measure_search_gap(np.array([2.0])) == 0.0


def test_margin_holds_differences_of_shortfalls() -> None:
    # levels lack exponential amounts; the first is the leader
    draw, levels = np.random.default_rng(0), 4
    lacks = draw.exponential(1.0, (20_000, levels))
    costs = [np.array([1.0, 3.0])] * levels  # the best of one of two is 2 on average: a gap of 1
    margin = compute_search_margin(costs)
    share = np.mean((lacks[:, 1:] - lacks[:, :1] > margin).any(axis=1))
    assert share == pytest.approx(0.024, abs=0.004)
    assert compute_search_margin([*costs[:3], np.array([1.0, 99.0])]) == margin  # one odd level moves no median


@pytest.mark.parametrize(
    ("mean", "half", "bound", "margin", "effect", "verdict"),
    [
        (0.5, 0.1, 0.58, 0.0, 0.1, "worse"),
        (0.5, 0.3, 0.78, 0.39, 0.1, "worse"),  # 0.5 > sqrt(0.3² + 0.39²)
        (0.5, 0.3, 0.78, 0.4, 0.1, "behind"),  # 0.5 = sqrt(0.3² + 0.4²)
        (0.5, 0.1, 0.58, np.inf, 0.1, "behind"),
        (0.05, 0.1, 0.13, 0.0, 0.2, "alike"),
        (0.05, 0.1, 0.13, 0.0, 0.13, "open"),  # the bound is no smaller
        (0.05, 0.1, 0.13, np.inf, 0.2, "open"),  # too few trials
        (0.05, 0.04, 0.08, 0.0, 0.1, "alike"),  # worse, but by less than counts
        (0.05, 0.1, 0.13, 0.0, None, "open"),
        (-0.5, 0.1, 0.58, 0.0, 0.1, "ahead"),
        (-0.5, 0.1, 0.58, np.inf, None, "ahead"),
        (-0.05, 0.1, 0.13, 0.0, 0.1, "open"),
        (-0.05, 0.04, 0.08, 0.0, 0.1, "alike"),  # better, but by less than counts
    ],
)
def test_difference_is_judged_by_hand(
    mean: float, half: float, bound: float, margin: float, effect: float | None, verdict: str
) -> None:
    assert judge_difference(mean, mean - half, mean + half, bound, margin, effect) == verdict


def test_answer_reads_the_metric_direction(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(60, 3)
    tables = build_study(trials, 1 + compute_rate_position(trials), noise=0.1)
    assert answer_question(tables, KIND) is None
    answer = answer_question(with_answer(tables, KIND, "l1", {"huber": (0.4, 0.1), "l2": (0.2, 0.1)}), KIND)
    assert answer is not None
    assert [other.label for other in answer.others] == ["l2", "huber"]
    assert (answer.leader, answer.seeds) == ("l1", 8)
    assert answer.smallest_effect == pytest.approx(0.1)
    assert [other.bound for other in answer.others] == pytest.approx([0.28, 0.48])
    assert [other.trial_count for other in answer.others] == [
        (trials["kind"] == "l2").sum(),
        (trials["kind"] == "huber").sum(),
    ]
