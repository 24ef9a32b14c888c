"""The verdict on candidates: whom fresh seeds choose, and how often it calls one of two equals better."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from thalweg.duel.objective.study import Candidate
from thalweg.duel.objective.verdict import judge_candidates
from thalweg.stats.candidates import choose_by_other_seeds

FIRST, SECOND, THIRD = (Candidate(number, {"rate": float(number)}) for number in range(3))
DEFAULT = Candidate(None, {"rate": 9.0})
NAN = float("nan")


def values(**rows: list[float]) -> dict[str, np.ndarray]:
    candidates = {"first": FIRST, "second": SECOND, "third": THIRD, "default": DEFAULT}
    return {candidates[name].key: np.array(row) for name, row in rows.items()}


def test_fresh_seeds_choose_the_winner() -> None:
    """By hand: the second is best on fresh seeds, whatever the search said; a maximum turns the order."""
    table = values(first=[3.0, 3.1, 3.2], second=[1.0, 1.1, 1.3], third=[2.0, 2.2, 2.1], default=[5.0, 5.2, 5.1])
    verdict = judge_candidates([FIRST, SECOND, THIRD], DEFAULT, table, 1)
    assert (verdict.kind, verdict.ranked) == ("better", (SECOND, THIRD, FIRST))
    assert verdict.difference is not None
    assert verdict.difference.mean == pytest.approx(np.mean([1.0 - 5, 1.1 - 5.2, 1.3 - 5.1]))
    turned = judge_candidates([FIRST, SECOND, THIRD], DEFAULT, table, -1)
    assert (turned.kind, turned.ranked) == ("worse", (FIRST, THIRD, SECOND))


def test_interval_of_one_candidate_is_students() -> None:
    """With one candidate nothing was chosen, so the interval is that of a paired t-test, as SciPy has it."""
    winner, default = np.array([1.0, 1.4, 0.9, 1.2]), np.array([1.5, 1.6, 1.7, 1.4])
    difference = judge_candidates([FIRST], DEFAULT, {FIRST.key: winner, DEFAULT.key: default}, 1).difference
    expected = ttest_1samp(winner - default, 0).confidence_interval(0.95)
    assert difference is not None
    assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))


def test_other_seeds_choose() -> None:
    """A candidate that is best on one lucky seed alone has its value there, but was not chosen without it."""
    table = np.array([[0.0, 5.0, 5.0], [4.0, 4.0, 4.0]])
    assert choose_by_other_seeds(table, 1).tolist() == [4.0, 5.0, 5.0]
    slow = [table[int(np.delete(table, seed, 1).mean(1).argmin()), seed] for seed in range(3)]
    assert choose_by_other_seeds(table, 1).tolist() == slow


def test_failures_come_last_and_do_not_count() -> None:
    table = values(first=[1.0, NAN, 1.0], second=[2.0, 2.1, 2.2], default=[NAN, 4.0, 4.1])
    verdict = judge_candidates([FIRST, SECOND], DEFAULT, table, 1)
    assert verdict.ranked == (SECOND, FIRST)
    assert verdict.failures == {FIRST.key: 1, SECOND.key: 0, DEFAULT.key: 1}
    assert verdict.difference is not None
    assert verdict.difference.n == 2
    assert verdict.difference.mean == pytest.approx(-1.9)


def test_other_kinds() -> None:
    alone = values(first=[1.0, 1.1], second=[2.0, 2.1], default=[1.0, 1.1])
    assert judge_candidates([FIRST, SECOND], None, alone, 1).kind == "no default"
    assert judge_candidates([FIRST, SECOND], FIRST, alone, 1).kind == "same setting"
    lost = values(first=[NAN, NAN], default=[1.0, 1.1])
    assert judge_candidates([FIRST], DEFAULT, lost, 1).kind == "all failed"
    single = judge_candidates([FIRST], DEFAULT, values(first=[NAN, 1.0], default=[2.0, 2.1]), 1)
    assert (single.kind, single.difference) == ("open", None)


def test_open_difference_names_seeds() -> None:
    noise = np.array([-1.0, 1.0, -0.5, 0.5, -0.8, 0.8, -0.2, 0.2])
    verdict = judge_candidates([FIRST], DEFAULT, {FIRST.key: noise - 0.3, DEFAULT.key: 0 * noise}, 1)
    assert verdict.kind == "open"
    assert verdict.seeds_needed is not None
    assert 30 < verdict.seeds_needed < 100  # (2.8 deviations / effect)^2: (2.8 * 0.73 / 0.3)^2 = 46


def test_equals_are_seldom_told_apart() -> None:
    """Of 600 studies of four equals and an equal default, at most 5 % find the winner better, 2.5 % are expected."""
    rng, false = np.random.default_rng(3), 0
    candidates = [Candidate(number, {"rate": number}) for number in range(4)]
    for _ in range(600):
        draw = {each.key: rng.normal(size=8) + rng.normal() for each in (*candidates, DEFAULT)}
        draw = {key: row - row.mean() + rng.normal() / np.sqrt(8) for key, row in draw.items()}
        false += judge_candidates(candidates, DEFAULT, draw, 1).kind == "better"
    assert false / 600 <= 0.05
