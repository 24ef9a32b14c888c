"""A study from its first cohort to its last."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.study_runs import SegmentRecorder, format_csv, list_reached_values
from tests.helpers.training_calls import watch_training
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import population, results
from thalweg.engine.devices import copy_to_devices
from thalweg.search import study, trials
from thalweg.search.run import build_trials_table
from thalweg.search.trials import Trial
from thalweg.system import running, timing
from thalweg.system.files import UserError
from thalweg.training.plan import TrainingData


@pytest.fixture(scope="module")
def whole_study(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Trial], SegmentRecorder]:
    """The study run once without a stop: its folder, trials, listener."""
    folder, listener = tmp_path_factory.mktemp("study"), SegmentRecorder()
    return folder, study.run_trials(config, data_spec, training_data, folder, [listener]).trials, listener


def test_trials_come_in_order(whole_study: tuple[Path, list[Trial], SegmentRecorder]) -> None:
    _, finished, listener = whole_study
    assert [trial.outcome.number for trial in finished] == list(range(8))
    assert all(trial.outcome.value is not None and trial.epochs == 3 for trial in finished)
    assert len({tuple(trial.outcome.values.values()) for trial in finished}) == 8
    assert finished[0].outcome.values == {"optimizer.learning_rate": 0.01, "optimizer.momentum": 0.5}
    assert listener.segments[-1] == (4, 0)  # reported before the finished cohort is judged
    assert {alive for _, alive in listener.segments} <= {0, 4}
    assert listener.cohorts == [4, 8]


def test_trial_value_is_its_best(whole_study: tuple[Path, list[Trial], SegmentRecorder]) -> None:
    for trial in whole_study[1]:
        ((_, _, result),) = trial.lanes
        assert trial.outcome.intermediate == dict(enumerate(result.curves["mae"], 1))
        assert trial.outcome.value == min(list_reached_values(result.curves["mae"]))


def test_rerun_trains_nothing(
    whole_study: tuple[Path, list[Trial], SegmentRecorder],
    config: Config,
    data_spec: DataSpec,
    training_data: TrainingData,
    trained_steps: list[int],
) -> None:
    before = len(timing.COMPILE_SECONDS)
    again = study.run_trials(config, data_spec, training_data, whole_study[0], [])
    assert format_csv(config, again.trials) == format_csv(config, whole_study[1])
    assert trained_steps == []
    assert len(timing.COMPILE_SECONDS) == before


def test_trial_equals_lone_run(
    whole_study: tuple[Path, list[Trial], SegmentRecorder],
    config: Config,
    data_spec: DataSpec,
    training_data: TrainingData,
) -> None:
    from thalweg.training import build

    for trial in whole_study[1][2:5]:
        chosen = config.replace_values(trial.outcome.values)
        plan = build.build_plan(chosen, data_spec, training_data, searched=True)
        ((seed, fold),) = results.list_lane_seeds(config.seed, "study", 1, 1)
        state = population.init_lane(plan, build.build_hyper(chosen), seed, fold)
        (alone,) = population.advance_lanes(
            plan, [build.build_hyper(chosen)], [state], copy_to_devices(training_data), [plan.epochs]
        )
        assert results.build_lane_result(plan, alone) == trial.lanes[0].result


def test_diverged_trial_stops_nothing(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    wild = config.replace_values(
        {"study.space": {"optimizer.learning_rate": {"choices": [0.01, 1e30]}}, "study.cohort": 2, "study.trials": 4}
    )
    finished = study.run_trials(wild, data_spec, training_data, tmp_path, []).trials
    bad = [trial for trial in finished if trial.outcome.values["optimizer.learning_rate"] == 1e30]
    assert 0 < len(bad) < 4
    table = build_trials_table(wild, finished).set_index("number")
    for trial in finished:
        diverged = trial in bad
        assert (trial.outcome.value is None) == (trial.diverged_step is not None) == diverged
        assert table["state"][trial.outcome.number] == ("diverged" if diverged else "complete")


def test_every_seed_and_fold_trains(
    config: Config,
    data_spec: DataSpec,
    folded_splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    config = config.replace_values({"study.seeds": 2, "study.trials": 2, "study.cohort": 2})
    finished = study.run_trials(config, data_spec, compose_data(config, folded_splits), tmp_path, []).trials
    wanted = results.list_lane_seeds(config.seed, "study", 2, 3)
    assert wanted[:4] == [(rng.derive_seed(3, "study", s), f) for s, f in [(0, 0), (0, 1), (0, 2), (1, 0)]]
    for trial in finished:
        assert sorted(wanted) == [(seed, fold) for seed, fold, _ in trial.lanes]
        curves = np.array([lane.result.curves["mae"] for lane in trial.lanes])
        weights = [[16, 12, 8][fold] for _, fold, _ in trial.lanes]
        mean = np.average(curves, axis=0, weights=weights)
        np.testing.assert_allclose(list(trial.outcome.intermediate.values()), mean, rtol=1e-12)
        assert trial.outcome.value == pytest.approx(mean.min(), rel=1e-12)


def test_trials_share_seeds(config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path) -> None:
    single = config.replace_values({"study.space": {}, "study.trials": 4})
    paired = study.run_trials(single, data_spec, training_data, tmp_path / "paired", []).trials
    assert len({trial.outcome.value for trial in paired}) == 1
    alone = study.run_trials(
        single.replace_values({"study.randomness": "independent"}), data_spec, training_data, tmp_path / "own", []
    ).trials
    assert len({trial.outcome.value for trial in alone}) == 4
    assert len({trial.lanes[0][0] for trial in alone}) == 4


@pytest.mark.slow
def test_static_choice_compiles_each_program(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    space = {"training.batch_size": {"choices": [4, 12]}, "training.epochs": {"choices": [1, 2]}}
    config = config.replace_values({"study.space": space, "study.cohort": 8, "study.trials": 8})
    before = len(timing.COMPILE_SECONDS)
    finished = study.run_trials(config, data_spec, training_data, tmp_path, []).trials
    assert [trial.epochs for trial in finished] == [trial.outcome.values["training.epochs"] for trial in finished]
    programs = {tuple(trial.outcome.values.values()) for trial in finished}
    assert 2 < len(programs) == len(timing.COMPILE_SECONDS) - before


def test_infeasible_trial_cannot_win(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    free = study.run_trials(config, data_spec, training_data, tmp_path / "free", []).trials
    best = trials.rank_trials(config, free)[0].outcome
    at = int(np.argmin(list_reached_values(free[best.number].lanes[0].result.curves["mae"])))
    rmse = list_reached_values(free[best.number].lanes[0].result.curves["rmse"])[at]
    limited = config.replace_values({"study.constraints": {"rmse": {"low": rmse + 1e-6}}})
    finished = study.run_trials(limited, data_spec, training_data, tmp_path / "limited", []).trials
    assert finished[best.number].state == "infeasible"
    assert finished[best.number].outcome.violations["rmse"] == pytest.approx(1e-6, rel=0.2)
    assert best.number not in [trial.outcome.number for trial in trials.rank_trials(limited, finished)]


def test_study_can_be_stopped_from_its_first_segment(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trains: list[bool] = []
    watch_training(monkeypatch, lambda *_: trains.append(running.list_running()[0].trains))
    with running.announce_stage("study"):
        study.run_trials(config, data_spec, training_data, tmp_path, [])
    assert trains[0]


def test_impossible_programs_fail_first(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path, trained_steps: list[int]
) -> None:
    sizes = {"training.batch_size": {"choices": [8, 100, 200]}}
    wrong = config.replace_values({"study.space": config.study.model_dump()["space"] | sizes})
    with pytest.raises(UserError) as error:
        study.run_trials(wrong, data_spec, training_data, tmp_path, [])
    first, second = str(error.value).splitlines()
    assert first.startswith("training.batch_size 100: training.batch_size: 100 is more than the 24 training examples")
    assert second.startswith("training.batch_size 200: ")
    assert trained_steps == []
