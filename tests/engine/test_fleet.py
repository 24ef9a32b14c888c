"""Lanes in training: on their way, arrived, kept."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import jax
import pytest

from tests.helpers.training_calls import watch_training
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import fleet as fleet_module
from thalweg.engine import population, results, state_folder
from thalweg.engine.block_layout import BlockShape
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fleet import Fleet
from thalweg.engine.launchers.local import start_local_workers
from thalweg.engine.program import Program
from thalweg.engine.results import LaneKey, LaneResult
from thalweg.engine.state_folder import Journal
from thalweg.system import running
from thalweg.system.files import UserError
from thalweg.training import build
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram

LANES = [(1, 0), (2, 0)]


def raise_killed(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def build_fleet(
    config: Config,
    data_spec: DataSpec,
    splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> tuple[Callable[..., Fleet], NetworkProgram]:
    data = copy_to_devices(compose_data(config, splits))
    plan = build.build_plan(config, data_spec, data, searched=True)

    def make(journal: bool = True) -> Fleet:
        fleet = Fleet(tmp_path, data, Journal(tmp_path) if journal else None)
        for trial in (0, 1):
            fleet.add_trial(trial, plan, build.build_hyper(config), LANES)
        return fleet

    return make, plan


def test_lanes_stop_at_their_target(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram],
) -> None:
    fleet = build_fleet[0]()
    assert fleet.active_count == 4
    fleet.set_target([0, 1], 1)
    assert fleet.find_results(0) is None
    assert fleet.run_segment()
    assert fleet.active_count == 0
    assert not fleet.run_segment()
    assert [(seed, fold, result.epochs, result.ended) for seed, fold, result in fleet.find_results(0) or ()] == [
        (1, 0, 1, False),
        (2, 0, 1, False),
    ]
    fleet.set_target([1], 3)
    fleet.stop_trials([0])
    while fleet.run_segment():
        pass
    assert [result.epochs for *_, result in fleet.find_results(0) or ()] == [1, 1]
    assert [result.epochs for *_, result in fleet.find_results(1) or ()] == [3, 3]
    assert (len(fleet.list_states(0)), len(fleet.list_states(1))) == (0, 2)


def test_journaled_lanes_are_not_retrained(build_fleet: tuple[Callable[..., Fleet], NetworkProgram]) -> None:
    first = build_fleet[0]()
    first.set_target([0, 1], 3)
    while first.run_segment():
        pass
    again = build_fleet[0]()
    again.set_target([0, 1], 3)
    assert again.active_count == 0
    assert again.find_results(1) == first.find_results(1)


def test_fleet_resumes_without_journal(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "SNAPSHOT_SECONDS", 0.0)
    monkeypatch.setattr(fleet_module, "SEGMENT_SECONDS", 1e-9)
    first = build_fleet[0](journal=False)
    first.set_target([0, 1], 3)
    first.run_segment()
    again = build_fleet[0](journal=False)
    assert [int(state.step) for state in again.list_states(0)] == [3, 3]


def test_block_shape_is_kept(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "shapes", {})
    make, plan = build_fleet
    other = replace(plan, batch_size=4)
    fleet = make()
    fleet.set_target([0, 1], 1)
    fleet.run_segment()
    assert state_folder.read_shape(tmp_path, plan) is None  # on a CPU there is none to find
    population.shapes[plan] = BlockShape(2, 8)
    fleet.set_target([0, 1], 2)
    fleet.run_segment()
    assert state_folder.read_shape(tmp_path, plan) == BlockShape(2, 8)
    assert state_folder.read_shape(tmp_path, other) is None
    population.shapes.clear()
    make()
    assert population.shapes.get(plan) == BlockShape(2, 8)
    assert population.shapes.get(other) is None


def test_validation_time_is_measured(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few validations a lane has left to its rung, a validation's time is what was measured."""
    make, _ = build_fleet
    clock = [0.0]

    def takes_half_a_second_an_epoch(program: Program, steps: list[int]) -> None:
        clock[0] += 0.5 * max(steps) / program.steps_per_epoch

    watch_training(monkeypatch, takes_half_a_second_an_epoch)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    fleet = make()
    for until in (1, 2, 3):
        fleet.set_target([0, 1], until)
        fleet.run_segment()
        assert fleet._period == pytest.approx(0.5)


def test_stop_keeps_the_segment(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with running.announce_stage("study"):
        first = build_fleet[0](journal=False)
        first.set_target([0, 1], 3)
        running.ask_to_stop(os.getpid())
        with pytest.raises(running.Stopped, match="run the same command again"):
            first.run_segment()
    again = build_fleet[0](journal=False)
    assert [int(state.step) for state in again.list_states(0)] == [3, 3]


def test_training_can_be_stopped_from_its_first_segment(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram],
    config: Config,
    splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A first segment holds the compilation, so it may take minutes."""
    monkeypatch.chdir(tmp_path)
    trains: list[bool] = []
    watch_training(monkeypatch, lambda *_: trains.append(running.list_running()[0].trains))
    trials = {0: (build_fleet[1], build.build_hyper(config), LANES)}
    with running.announce_stage("confirm"):
        fleet_module.train_to_end(tmp_path, compose_data(config, splits), trials, "training")
        assert trains[0]
        assert not running.list_running()[0].trains


@pytest.mark.parametrize(("cost", "gap"), [(0.001, 2.0), (1.0, 102.0), (30.0, 602.0)])
def test_snapshots_take_one_percent(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram], monkeypatch: pytest.MonkeyPatch, cost: float, gap: float
) -> None:
    """Segments of 2 s for 2 hours, and a snapshot that takes `cost` seconds: `gap` seconds are lost at most."""
    clock, snapshots = [0.0], [0.0]

    def train_for_a_while(*_: object) -> dict[LaneKey, LaneResult]:
        clock[0] += 2.0
        return {}

    def write_slowly(*_: object) -> None:
        clock[0] += cost
        snapshots.append(clock[0])

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(Fleet, "_advance_program", train_for_a_while)
    monkeypatch.setattr(state_folder, "write_snapshot", write_slowly)
    fleet = build_fleet[0]()
    fleet.set_target([0, 1], 3)
    while clock[0] < 7200:
        fleet.run_segment()
    gaps = [after - before - cost for before, after in pairwise(snapshots)]
    assert max(gaps[1:]) <= gap + 1e-6  # before the first one, its time is an estimate
    assert all(cost <= between / 100 or between >= 600 for between in gaps[1:])


def test_lanes_are_shared_or_per_trial(config: Config) -> None:
    alike = results.list_lane_seeds(config.seed, "study", 2, 3)
    assert [fold for _, fold in alike] == [0, 1, 2, 0, 1, 2]
    assert len({seed for seed, _ in alike}) == 2
    per_trial = [results.list_lane_seeds(config.seed, "study", 2, 3, trial) for trial in (0, 1)]
    assert len({seed for lanes in (alike, *per_trial) for seed, _ in lanes}) == 6


def test_killed_process_is_explained(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram],
    config: Config,
    splits: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    data = copy_to_devices(compose_data(config, splits))
    with start_local_workers(data, 2) as two:
        fleet = Fleet(tmp_path, data, Journal(tmp_path), workers=two)
        fleet.add_trial(0, build_fleet[1], build.build_hyper(config), LANES)
        fleet.set_target([0], 1)
        assert two is not None
        with pytest.raises(BrokenProcessPool):
            two.submit(raise_killed).result()
        with pytest.raises(UserError, match="training process was killed"):
            fleet.run_segment()


def test_too_small_memory_is_explained(
    build_fleet: tuple[Callable[..., Fleet], NetworkProgram], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_full(*_: object, **__: object) -> None:
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(population, "advance_lanes", raise_full)
    fleet = build_fleet[0]()
    fleet.set_target([0], 1)
    with pytest.raises(UserError, match="memory is too small for a single run; use smaller batches"):
        fleet.run_segment()
