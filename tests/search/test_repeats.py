"""Trials that repeat a setting: which are trained, with how many seeds, and what counts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.study_runs import format_csv
from thalweg.artifacts.distinct_trials import merge_repeated_rows
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.config import settings
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.engine import fleet
from thalweg.engine.results import list_lane_seeds
from thalweg.search import study
from thalweg.search.run import build_study_record, build_trials_table
from thalweg.search.trials import Trial, merge_repeats, rank_trials
from thalweg.training.plan import TrainingData

RATE, KIND = "optimizer.learning_rate", "loss.terms.count.kind"
TWO = {RATE: {"choices": [0.01, 0.02]}}
THREE = {RATE: {"choices": [0.001, 0.01, 0.02]}}
SIX = {**THREE, KIND: {"choices": ["l1", "l2"]}}
GRID = {RATE: {"low": 0.001, "high": 0.1, "log": True, "points": 3}, KIND: {"choices": ["l1", "l2", "huber"]}}
CONDITIONAL = {
    KIND: {"choices": ["l2", "huber"]},
    "loss.terms.count.delta": {"choices": [0.5, 2.0], "when": {KIND: "huber"}},
}
STEPS = 3 * 3  # of a lane: epochs, and batches of 8 out of 24 examples

RunStudy = Callable[..., list[Trial]]


@pytest.fixture
def run_study(config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path) -> RunStudy:
    """Run a study with values of the section `study`, and others by path, in a folder of that name."""

    def run(space: dict[str, Any], folder: str = "one", callbacks: Sequence[Any] = (), **study_values: Any) -> Any:
        searched = build_config(config, space, **study_values)
        return study.run_trials(searched, data_spec, training_data, tmp_path / folder, callbacks).trials

    return run


def build_config(config: Config, space: dict[str, Any], **study_values: Any) -> Config:
    values = {"study.sampler": "tpe", "study.cohort": 2} | {f"study.{n}": value for n, value in study_values.items()}
    return config.replace_values({"study.space": space} | values)


@pytest.mark.parametrize(
    ("space", "trials", "same_as", "seeds"),
    [
        (TWO, 6, [None, None, 0, 1, 0, 1], 3),
        (THREE, 4, [None, None, None, 0], 1),
        (THREE, 6, [None, None, None, 0, 1, 2], 2),
        (SIX, 8, [None] * 6 + [0, 1], 1),
        (SIX, 12, [None] * 6 + [0, 1, 2, 3, 4, 5], 2),
        (CONDITIONAL, 6, [None, None, None, 0, 1, 2], 2),
        ({}, 4, [None, 0, 0, 0], 4),
    ],
)
@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2"])
def test_small_space_gets_further_seeds(
    run_study: RunStudy,
    config: Config,
    trained_steps: list[int],
    sampler: str,
    space: dict[str, Any],
    trials: int,
    same_as: list[int | None],
    seeds: int,
) -> None:
    results = run_study(space, trials=trials, sampler=sampler)
    assert [trial.outcome.same_as for trial in results] == same_as
    trained = [trial for trial in results if trial.outcome.same_as is None]
    planned = {settings.build_setting_key(trial.outcome.values) for trial in trained}
    assert len(planned) == len(trained) == same_as.count(None)
    assert sum(trained_steps) == len(trained) * seeds * STEPS
    for trial in trained:
        assert [lane[:2] for lane in trial.lanes] == sorted(list_lane_seeds(config.seed, "study", seeds, 1))
        bests = [np.nanmin(lane.result.get_curve("mae")) for lane in trial.lanes]
        assert trial.outcome.value == pytest.approx(np.mean(bests), rel=1e-12)
    table = build_trials_table(build_config(config, space, trials=trials), results).drop(columns=["number", "same_as"])
    for number, first in enumerate(same_as):
        if first is not None:
            pd.testing.assert_series_equal(table.iloc[number], table.iloc[first], check_names=False)


@pytest.mark.parametrize(("trials", "seeds"), [(4, 1), (8, 1), (10, 1), (20, 2)])
def test_grid_is_covered_once_and_then_with_seeds(
    run_study: RunStudy, trained_steps: list[int], trials: int, seeds: int
) -> None:
    results = run_study(GRID, trials=trials, sampler="grid")
    trained = [trial for trial in results if trial.outcome.same_as is None]
    assert len(trained) == min(trials, 9)
    assert sum(trained_steps) == len(trained) * seeds * STEPS
    assert [trial.outcome.same_as for trial in results[9:]] == [i % 9 for i in range(max(0, trials - 9))]


def test_independent_repeats_are_trained(run_study: RunStudy, config: Config, trained_steps: list[int]) -> None:
    results = run_study(TWO, trials=6, randomness="independent")
    assert [trial.outcome.same_as for trial in results] == [None, None, 0, 1, 0, 1]
    assert sum(trained_steps) == 6 * STEPS
    assert len({lane.seed for trial in results for lane in trial.lanes}) == 6
    assert len({trial.outcome.value for trial in results}) == 6
    merged = merge_repeats(results)
    assert [trial.outcome.number for trial in merged] == [0, 1]
    values = [[trial.outcome.scores[0] for trial in results if trial.outcome.number % 2 == first] for first in (0, 1)]
    assert [trial.outcome.scores[0] for trial in merged] == [pytest.approx(np.mean(scores)) for scores in values]
    assert {trial.outcome.number for trial in rank_trials(config, results)} == {0, 1}


def test_enqueued_twice_is_trained_once(
    run_study: RunStudy, config: Config, training_data: TrainingData, trained_steps: list[int]
) -> None:
    """Also in a space without end, where the sampler goes on as usual."""
    space, twice = {RATE: {"low": 0.001, "high": 0.1, "log": True}}, [{RATE: 0.02}, {RATE: 0.01}, {RATE: 0.02}]
    results = run_study(space, trials=6, enqueue=twice)
    assert [trial.outcome.same_as for trial in results] == [None, None, 0, 1, None, None]
    assert sum(trained_steps) == 4 * STEPS
    searched = build_config(config, space, trials=6, enqueue=twice)
    record = build_study_record(searched, study.StudyResult(results, None), training_data, "")
    assert (record.study.trials, record.study.settings, record.study.complete) == (6, 4, 4)
    assert record.study.epochs == 4 * 3
    assert len({trial.number for trial in record.ranked}) == len(record.ranked) == 4


def test_rung_counts_a_setting_once(run_study: RunStudy, trained_steps: list[int]) -> None:
    """Of three settings in a cohort of six the best half trains on: two, and the copies follow their own."""
    prune = {"first": 1, "eta": 2, "audit": 0.0}
    results = run_study(THREE, trials=6, cohort=6, prune=prune)
    assert sorted(trial.pruned_at or 3 for trial in results[:3]) == [1, 2, 3]
    assert [trial.pruned_at for trial in results[3:]] == [trial.pruned_at for trial in results[:3]]
    assert [trial.state for trial in results[3:]] == [trial.state for trial in results[:3]]
    assert sum(trained_steps) == (1 + 2 + 3) * 2 * 3


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "grid"])
@pytest.mark.parametrize("in_flight", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_killed_study_has_the_same_bytes(
    run_study: RunStudy,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    trained_steps: list[int],
    sampler: str,
    in_flight: int,
) -> None:
    class Killer:
        def on_segment(self, *_: int) -> None:
            raise KeyboardInterrupt

        def on_cohort(self, _: object) -> None:
            pass

    values = {"trials": 14, "sampler": sampler, "in_flight": in_flight, "prune": {"first": 1, "eta": 2}}
    undisturbed, steps = format_csv(config, run_study(SIX, "whole", **values)), sum(trained_steps)
    trained_steps.clear()
    monkeypatch.setattr(fleet, "SNAPSHOT_SECONDS", 0.0)
    kills = 0
    while True:
        try:
            again = run_study(SIX, "killed", [Killer()], **values)
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills > 3
    assert format_csv(config, again) == undisturbed
    assert sum(trained_steps) == steps


def test_longer_study_keeps_its_lanes(run_study: RunStudy, config: Config, trained_steps: list[int]) -> None:
    run_study(SIX, "grown", trials=6)
    grown = run_study(SIX, "grown", trials=18)
    assert sum(trained_steps) == 6 * 3 * STEPS
    assert format_csv(config, grown) == format_csv(config, run_study(SIX, "whole", trials=18))


def test_study_below_the_space_grows_into_it(run_study: RunStudy, trained_steps: list[int]) -> None:
    """The sampler chose the first trials, and may have repeated some; the others follow."""
    for sampler in ("tpe", "nsga2"):
        trained_steps.clear()
        run_study(SIX, sampler, trials=4, sampler=sampler, in_flight=2)
        results = run_study(SIX, sampler, trials=24, sampler=sampler, in_flight=2)
        assert len(merge_repeats(results)) == 6
        assert sum(trained_steps) == 6 * 4 * STEPS


def test_limit_comes_before_further_seeds(run_study: RunStudy, trained_steps: list[int]) -> None:
    results = run_study(THREE, trials=12, stop={"epochs": 1000})
    assert len(merge_repeats(results)) == 3
    assert sum(trained_steps) == 3 * STEPS


def test_front_has_different_settings(run_study: RunStudy, config: Config, training_data: TrainingData) -> None:
    values = {"trials": 8, "sampler": "nsga2", "also": ["rmse"]}
    finished = run_study(TWO, **values)
    record = build_study_record(
        build_config(config, TWO, **values), study.StudyResult(finished, None), training_data, ""
    )
    assert record.study.front is not None
    assert set(record.study.front) <= {0, 1}
    assert record.study.complete == record.study.settings == 2


@pytest.mark.parametrize("randomness", ["paired", "independent"])
def test_table_gives_the_same_settings(run_study: RunStudy, config: Config, randomness: str) -> None:
    """What later stages read from trials.csv is what the study ranked."""
    values = {"trials": 16, "randomness": randomness, "prune": {"first": 1, "eta": 2}, "also": ["rmse"]}
    results = run_study(SIX, cohort=4, sampler="nsga2", **values)
    lanes = [(trial.outcome.number, *lane) for trial in results if not trial.is_copy for lane in trial.lanes]
    table, curves = merge_repeated_rows(
        build_trials_table(build_config(config, SIX, **values), results),
        build_curves_table(config, lanes),
        ["rmse"],
        is_paired=randomness == "paired",
    )
    merged = merge_repeats(results)
    assert table["number"].tolist() == [trial.outcome.number for trial in merged]
    assert table["state"].tolist() == [trial.state for trial in merged]
    np.testing.assert_allclose(table[["value", "rmse"]], [trial.outcome.scores for trial in merged], rtol=1e-12)
    assert curves.groupby("trial")["seed"].nunique().tolist() == [len(trial.lanes) for trial in merged]
