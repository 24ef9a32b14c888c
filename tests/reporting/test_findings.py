"""The statistics behind a finding, against closed answers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reporting.findings import (
    Interval,
    Noise,
    by_seed,
    clustered,
    interval,
    judge,
    rank_separation,
    seed_noise,
)
from pipeline.reporting.tables import Tables


def test_the_interval_is_students() -> None:
    # mean 3, standard deviation sqrt(2.5), t(4, 0.975) = 2.7764451
    known = interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert known is not None
    assert known.mean == 3.0
    assert known.high - 3.0 == pytest.approx(2.7764451 * np.sqrt(2.5 / 5))
    assert known.n == 5


def test_one_value_has_no_interval() -> None:
    assert interval([1.0]) is None
    assert interval([1.0, np.nan]) is None
    assert clustered([1.0, 2.0], ["a", "a"]) is None


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_each_its_own_group_is_the_plain_interval(values: list[float]) -> None:
    plain, grouped = interval(values), clustered(values, [str(index) for index in range(len(values))])
    assert plain is not None
    assert grouped is not None
    assert grouped.low == pytest.approx(plain.low, rel=1e-6, abs=1e-6)


def test_copies_within_a_group_add_no_certainty() -> None:
    values, groups = [1.0, 2.0, 4.0], ["a", "b", "c"]
    once, often = clustered(values, groups), clustered(np.repeat(values, 10), np.repeat(groups, 10))
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
def test_only_an_interval_beside_zero_is_a_verdict(low: float, high: float, sign: int, answer: str) -> None:
    assert judge(Interval((low + high) / 2, low, high, 8), sign) == answer


def test_differences_pair_by_seed_in_any_order() -> None:
    runs = pd.DataFrame(
        {
            "candidate": ["winner", "baseline", "baseline", "winner", "winner"],
            "seed": [2, 1, 2, 1, 3],
            "test_mae": [1.0, 5.0, 4.0, 2.0, 9.0],
        }
    )
    assert by_seed(runs, "test_mae", "winner").to_dict() == {1: -3.0, 2: -3.0}
    assert by_seed(runs, "test_rmse", "winner").empty


def test_noise_pools_the_best_and_shrinks_with_seeds_a_trial(usual: Tables) -> None:
    names = ["winner"] * 3 + ["runner-up 1"] * 2 + ["baseline"] * 2
    runs = pd.DataFrame({"candidate": names, "validation_mae": [1.0, 2.0, 3.0, 10.0, 12.0, 0.0, 900.0]})
    # variances 1 (2 degrees of freedom) and 2 (1): (2 * 1 + 1 * 2) / 3
    tables = replace(usual, runs=runs, params={"study": {"seeds": 1}})
    assert seed_noise(tables) == Noise(pytest.approx(np.sqrt(4 / 3)), 3)
    fewer = seed_noise(replace(tables, params={"study": {"seeds": 4}}))
    assert fewer is not None
    assert fewer.deviation == pytest.approx(np.sqrt(1 / 3))
    assert seed_noise(replace(tables, runs=pd.DataFrame())) is None


def test_a_noise_that_few_seeds_told_of_is_less_sure() -> None:
    # t(2, 0.975) = 4.3026527, and 1.96 in the limit
    assert Noise(1.0, 2).least == pytest.approx(4.3026527 * np.sqrt(2))
    assert Noise(1.0, 10**6).least == pytest.approx(2.772, abs=1e-3)


def test_noise_of_other_epochs_or_of_a_seed_that_diverged_is_none_of_the_trials(usual: Tables) -> None:
    params = {"training": {"epochs": 16}, "confirm": {"epochs": 16}}
    assert seed_noise(replace(usual, params=params)) == seed_noise(usual)
    assert seed_noise(replace(usual, params=params | {"confirm": {"epochs": 32}})) is None
    runs = usual.runs.assign(diverged_step=np.nan)
    runs.loc[runs.index[-1], ["validation_mae", "diverged_step"]] = [900.0, 3.0]
    known = seed_noise(replace(usual, runs=runs))
    assert known is not None
    assert known.deviation < 0.1
    assert known.freedom == 20


def test_separation_counts_pairs() -> None:
    assert rank_separation([3, 4], [1, 2]) == 1.0
    assert rank_separation([1, 2], [3, 4]) == 0.0
    assert rank_separation([1, 2], [1, 2]) == 0.5
