"""Who goes on: halving against tables made by hand, and the machine as a whole against any order of events."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.search import cohorts
from thalweg.search.cohorts import Cohort, Rules, Score, SearchState


def build_scores(*values: float | None) -> dict[int, Score | None]:
    """One objective a trial, None for one that diverged."""
    return {trial: None if value is None else Score((value,)) for trial, value in enumerate(values)}


@pytest.mark.parametrize(
    ("values", "eta", "kept"),
    [
        ([3.0, 1.0, 2.0, 5.0, 4.0, 6.0], 3, [1, 2]),
        ([3.0, 1.0, 2.0, 5.0, 4.0, 6.0], 2, [0, 1, 2]),
        ([3.0, 1.0, 2.0, 5.0, 4.0, 6.0, 7.0], 3, [0, 1, 2]),  # ceil(7 / 3)
        ([1.0, 1.0, 1.0, 1.0], 2, [0, 1]),  # ties by number
        ([2.0, 1.0, 1.0, 1.0], 3, [1, 2]),
        ([None, None, 9.0, None], 2, [2]),  # what diverged never goes on, even where there is room
        ([None, None], 2, []),
        ([5.0], 3, [0]),
    ],
)
def test_survivors_by_hand(values: list[float | None], eta: int, kept: list[int]) -> None:
    assert list(cohorts.select_survivors(build_scores(*values), eta)) == kept


def test_halving_27_leaves_9_3_1() -> None:
    order = [(7 * i) % 27 for i in range(27)]
    alive = {trial: Score((float(value),)) for trial, value in enumerate(order)}
    for size in (9, 3, 1):
        kept = cohorts.select_survivors(alive, 3)
        assert len(kept) == size
        assert sorted(alive[trial].values[0] for trial in kept) == list(range(size))
        alive = {trial: alive[trial] for trial in kept}


def test_fronts_rank_before_numbers() -> None:
    table = {0: (1.0, 5.0), 1: (5.0, 1.0), 2: (3.0, 3.0), 3: (4.0, 4.0), 4: (6.0, 6.0), 5: (3.0, 3.0)}
    scores = {trial: Score(values) for trial, values in table.items()}
    assert cohorts.rank_fronts(scores) == {0: 0, 1: 0, 2: 0, 5: 0, 3: 1, 4: 2}
    assert cohorts.select_survivors(scores, 2) == (0, 1, 2)
    assert cohorts.select_survivors(scores, 6) == (0,)


def test_feasible_ranks_first() -> None:
    scores = {0: Score((1.0,), 2.0), 1: Score((9.0,)), 2: Score((0.5,), 3.0), 3: Score((8.0,))}
    assert cohorts.rank_fronts(scores) == {3: 0, 1: 1, 0: 2, 2: 3}
    two = {trial: Score((*score.values, 0.0), score.violation) for trial, score in scores.items()}
    assert cohorts.rank_fronts(two) == {3: 0, 1: 1, 0: 2, 2: 3}


@settings(derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_fronts_are_never_dominated_by_later(points: list[tuple[int, int]]) -> None:
    scores = {trial: Score(tuple(map(float, values))) for trial, values in enumerate(points)}
    rank = cohorts.rank_fronts(scores)
    for one, score in scores.items():
        for other, its in scores.items():
            dominates = all(a <= b for a, b in zip(score.values, its.values, strict=True)) and score != its
            assert not (dominates and rank[one] >= rank[other])
        if rank[one]:
            before = [scores[t].values for t in scores if rank[t] == rank[one] - 1]
            assert any(all(a <= b for a, b in zip(v, score.values, strict=True)) and v != score.values for v in before)


@pytest.mark.parametrize(
    ("arguments", "brackets"),
    [
        ((16, 1, 2, 4, 1), ((4, 8, 16),)),
        ((16, 1, 3, 2, 3), ((2, 6, 16), (6, 16), (16,))),
        ((16, 4, 3, 2, 1), ((4, 8, 16),)),  # rungs lie on validations
        ((5, 1, 3, 9, 4), ((5,),)),  # too short to judge before the end
        ((27, 1, 3, 1, 2), ((1, 3, 9, 27), (3, 9, 27))),
    ],
)
def test_brackets_by_hand(arguments: tuple[int, int, int, int, int], brackets: tuple[tuple[int, ...], ...]) -> None:
    assert cohorts.build_brackets(*arguments) == brackets


def test_no_rung_after_a_restart() -> None:
    # cycles of 5 epochs: what would be judged at 6 and 12, at the top of the rate, is judged where it has come down
    assert cohorts.build_brackets(20, 1, 2, 6, 1, restart_epochs=[5, 10, 15, 20]) == ((5, 10, 20),)
    assert cohorts.build_brackets(20, 1, 2, 3, 1, restart_epochs=[5, 10, 15, 20]) == ((5, 10, 20),)
    assert cohorts.build_brackets(20, 1, 2, 3, 1) == ((3, 6, 12, 20),)
    # between validations it is the one before the cycle's end: the one after is past the restart
    assert cohorts.build_brackets(20, 2, 2, 6, 1, restart_epochs=[5, 10, 15, 20]) == ((4, 10, 20),)


RULES = Rules(trial_count=12, cohort_size=4, brackets=((2, 4, 8),), eta=2)


def test_cohort_halves_at_each_rung() -> None:
    state = cohorts.begin_cohort(RULES, SearchState())
    (cohort,) = state.open_cohorts
    assert cohort.training_trials == (0, 1, 2, 3)
    cohort = cohorts.judge_cohort(RULES, cohort, build_scores(4.0, None, 2.0, 3.0))
    assert (cohort.alive, cohort.stopped, cohort.rungs) == ((2, 3), {0: 2}, (4, 8))
    cohort = cohorts.judge_cohort(RULES, cohort, {2: Score((2.0,)), 3: Score((1.0,))})
    assert (cohort.alive, cohort.stopped, cohort.rungs) == ((3,), {0: 2, 2: 4}, (8,))
    cohort = cohorts.judge_cohort(RULES, cohort, {3: Score((1.0,))})
    assert (cohort.alive, cohort.rungs) == ((3,), ())


def test_diverged_cohort_is_over() -> None:
    cohort = cohorts.judge_cohort(RULES, Cohort(0, (2, 4, 8), (0, 1)), {0: None, 1: None})
    assert (cohort.alive, cohort.stopped, cohort.rungs) == ((), {}, ())


def test_audited_never_compete_again() -> None:
    rules = Rules(trial_count=4, cohort_size=4, brackets=((2, 4, 8),), eta=2, audit=1.0)
    cohort = cohorts.judge_cohort(
        rules, cohorts.begin_cohort(rules, SearchState()).open_cohorts[0], build_scores(4.0, 1.0, 2.0, 3.0)
    )
    assert (cohort.alive, cohort.audited, cohort.training_trials) == ((1, 2), (0, 3), (0, 1, 2, 3))
    cohort = cohorts.judge_cohort(rules, cohort, {1: Score((1.0,)), 2: Score((0.5,))})
    assert (cohort.alive, cohort.audited, cohort.stopped) == ((2,), (0, 3, 1), {0: 2, 3: 2, 1: 4})
    # even where all that compete have diverged, what is watched goes on
    lone = cohorts.judge_cohort(rules, Cohort(0, (4, 8), (1,), (0,)), {1: None})
    assert (lone.training_trials, lone.rungs) == ((0,), (8,))


def test_audits_are_drawn_by_seed_and_share() -> None:
    rules = Rules(trial_count=1, cohort_size=1, brackets=((1,),), audit=0.1)
    is_audited = [cohorts.is_audited(rules, trial) for trial in range(5000)]
    assert abs(sum(is_audited) - 500) < 4 * math.sqrt(450)  # four standard deviations
    assert is_audited == [cohorts.is_audited(rules, trial) for trial in range(5000)]
    other = Rules(trial_count=1, cohort_size=1, brackets=((1,),), audit=0.1, seed=1)
    assert is_audited != [cohorts.is_audited(other, trial) for trial in range(5000)]
    assert not any(cohorts.is_audited(RULES, trial) for trial in range(100))


@settings(derandomize=True)
@given(st.data(), st.integers(1, 3), st.integers(1, 3))
def test_finish_order_does_not_matter(data: st.DataObject, in_flight: int, brackets: int) -> None:
    """The driver's loop with results that come in any order: each cohort begins with the same ones known."""
    rungs = cohorts.build_brackets(8, 1, 2, 2, brackets)
    rules = Rules(trial_count=20, cohort_size=4, brackets=rungs, eta=2, audit=0.3, in_flight=in_flight)
    state = SearchState()
    over: list[Any] = []
    knew: dict[Any, Any] = {}

    def begin() -> None:
        nonlocal state
        while cohorts.can_begin_cohort(rules, state):
            knew[state.begun_count] = list(over)
            state = cohorts.begin_cohort(rules, state)

    begin()
    while state.open_cohorts:
        going = [cohort for cohort in state.open_cohorts if cohort.rungs]
        cohort = data.draw(st.sampled_from(going))
        scores = {trial: Score((float((trial * 7919) % 101),)) for trial in cohort.alive}
        state = cohorts.replace_cohort(state, cohorts.judge_cohort(rules, cohort, scores))
        while state.open_cohorts and not state.open_cohorts[0].rungs:
            over.append(state.open_cohorts[0].number)
            state = cohorts.close_oldest_cohort(state)
            begin()
    assert over == list(range(5))
    assert knew == {number: list(range(max(0, number + 1 - in_flight))) for number in range(5)}


def test_groups_compete_among_themselves() -> None:
    """With earlier trials of their group: the worst of all goes on if it is the best of its own group."""
    rules = Rules(8, 4, ((2, 4),), eta=2, groups=(0, 0, 1, 1, 0, 1, 1, 1))
    state = cohorts.begin_cohort(rules, SearchState())
    scores = build_scores(1.0, 2.0, 9.0, 8.0)
    first = cohorts.judge_cohort(rules, state.open_cohorts[0], scores)
    assert first.alive == (0, 3)
    state = cohorts.replace_cohort(cohorts.record_scores(state, 2, scores), replace(first, rungs=()))
    state = cohorts.begin_cohort(rules, cohorts.close_oldest_cohort(state))
    second = state.open_cohorts[0]
    earlier = cohorts.find_earlier_scores(rules, state, second)
    assert earlier == scores
    # trial 4 competes with 0 and 1, trials 5 to 7 with 2 and 3: the best half of five is three
    later = {4: Score((1.5,)), 5: Score((7.0,)), 6: Score((8.5,)), 7: None}
    assert cohorts.judge_cohort(rules, second, later, earlier).alive == (4, 5, 6)


def test_cohorts_in_flight_see_no_later_scores() -> None:
    rules = Rules(12, 4, ((2, 4),), eta=2, in_flight=2, groups=(0,) * 12)
    state = SearchState(3, (Cohort(2, (2, 4), (8, 9, 10, 11)),), {2: {0: None, 4: Score((1.0,))}})
    assert cohorts.find_earlier_scores(rules, state, state.open_cohorts[0]) == {0: None}
    assert cohorts.find_earlier_scores(replace(rules, groups=()), state, state.open_cohorts[0]) == {}


@settings(derandomize=True)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), max_size=12))
def test_one_objective_ranks_as_two_alike(pairs: list[tuple[int, int]]) -> None:
    """The objective given twice goes through the fronts of several."""
    one, two = (
        {trial: Score((float(value),) * count, float(limit)) for trial, (value, limit) in enumerate(pairs)}
        for count in (1, 2)
    )
    assert cohorts.rank_fronts(one) == cohorts.rank_fronts(two)
