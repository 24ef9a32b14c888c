"""Candidates on fresh seeds, by the rules of our own confirmation."""

import numpy as np
import pandas as pd
import pytest

from thalweg.foreign.confirmation import build_confirmation, build_runs, compare_runners_up
from thalweg.foreign.study import ForeignRun
from thalweg.stats.intervals import compare_with_zero, t_interval


def build(values: dict[str, list[float | None]], sign: int = 1) -> pd.DataFrame:
    rows = [
        ForeignRun(name, None if name == "baseline" else place, seed, value)
        for place, (name, column) in enumerate(values.items())
        for seed, value in enumerate(column)
    ]
    return build_runs(rows, "loss", sign)


def test_difference_is_that_of_pairs() -> None:
    winner, baseline = [1.0, 2.0, 4.0, 3.0], [2.0, 4.0, 5.0, 5.0]
    found = build_confirmation(build({"winner": [*winner], "baseline": [*baseline]}), "loss", 1)
    expected = t_interval(np.subtract(winner, baseline))
    assert found is not None
    assert expected is not None
    assert found.difference.interval == expected
    assert found.decisive_difference.interval == expected  # one candidate: nothing was chosen


def test_best_on_fresh_seeds_is_the_winner() -> None:
    values: dict[str, list[float | None]] = {"winner": [3.0, 3.0], "runner-up 1": [1.0, 2.0], "baseline": [0.0, 0.0]}
    runs = build(values)
    names = dict(zip(runs["trial"].fillna(-1), runs["candidate"], strict=True))
    assert names == {0: "runner-up 1", 1: "winner", -1: "baseline"}
    turned = build(values, sign=-1)
    assert dict(zip(turned["trial"].fillna(-1), turned["candidate"], strict=True))[0] == "winner"


def test_failed_candidate_comes_last() -> None:
    runs = build({"winner": [0.0, None], "runner-up 1": [1.0, 2.0], "baseline": [0.0, 0.0]})
    assert set(runs[runs["candidate"] == "winner"]["trial"]) == {1}
    assert runs["diverged_step"].notna().sum() == 1


def test_corrected_value_takes_the_choice_of_other_seeds() -> None:
    """Without seed 0 the second candidate leads, without the others the first: (9 + 1 + 1) / 3."""
    found = build_confirmation(
        build({"winner": [0.0, 1.0, 1.0], "runner-up 1": [9.0, 0.5, 0.5], "baseline": [2.0, 2.0, 2.0]}), "loss", 1
    )
    assert found is not None
    assert found.corrected is not None
    assert found.corrected.mean == pytest.approx(11 / 3)
    assert found.winner.mean == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "values",
    [{"winner": [1.0, 2.0]}, {"winner": [1.0], "baseline": [2.0]}, {"winner": [None, 1.0], "baseline": [1.0, 2.0]}, {}],
)
def test_nothing_is_compared_without_two_pairs(values: dict[str, list[float | None]]) -> None:
    assert build_confirmation(build(values), "loss", 1) is None


def test_runners_up_are_compared_together() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=8)
    columns = {"winner": base, "runner-up 1": base + 1 + 0.1 * rng.normal(size=8), "runner-up 2": base + 5}
    runs = build({name: [*map(float, column)] for name, column in columns.items()})
    found = {each.name: each.difference.interval for each in compare_runners_up(runs, "loss")}
    assert [compare_with_zero(found[name], 1) for name in ("runner-up 1", "runner-up 2")] == ["worse", "worse"]
    alone = t_interval(columns["runner-up 1"] - base)
    assert alone is not None
    assert found["runner-up 1"].high - found["runner-up 1"].low > alone.high - alone.low


def test_equals_rarely_beat_the_default() -> None:
    """Among equals one wrongly differs from the default in 5 % of studies; 3 standard errors of 600 studies are 2.7."""
    rng, wrong, studies = np.random.default_rng(1), 0, 600
    for _ in range(studies):
        drawn = {name: [*map(float, rng.normal(size=8))] for name in ("winner", "runner-up 1", "baseline")}
        found = build_confirmation(build({name: [*values] for name, values in drawn.items()}), "loss", 1)
        assert found is not None
        wrong += compare_with_zero(found.decisive_difference.interval, 1) != "same"
    assert wrong / studies < 0.05 + 0.027
