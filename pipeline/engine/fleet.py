"""All lanes of a study in training: each lane's state, target epoch and result."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import jax

from thalweg.engine import population, state_folder
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState
from thalweg.engine.launchers import LOCAL, EngineOptions, Workers, start_workers
from thalweg.engine.program import Data, Hyper, Program
from thalweg.engine.resident import count_bytes, read_state
from thalweg.engine.results import LaneKey, LaneResult, LaneSeed, TrainedLane, TrainedLanes, build_lane_result
from thalweg.engine.state_folder import Journal
from thalweg.system import progress, running, timing
from thalweg.system.files import UserError

SEGMENT_SECONDS = 2.0  # of a segment: long enough to cost nothing, short enough to show progress
SNAPSHOT_SECONDS = 600.0  # from one snapshot to the next, at most
SNAPSHOT_SHARE = 0.01  # of the time since the last one that a snapshot may take
SNAPSHOT_RATE = 1e8  # bytes a second, until the first one is measured


@dataclass
class _FleetLane:
    """One lane: its state (None: it was stopped), its target epoch, and its result once it is there."""

    program: Program
    hyper: Hyper
    state: LaneState | None
    target_epoch: int = 0
    result: LaneResult | None = None

    @property
    def epoch(self) -> int:
        return int(self.state.step) // self.program.steps_per_epoch if self.state else 0


class Fleet:
    """All lanes of the unfinished trials, on the host between segments.

    With a journal, lanes' results are written there, and a result that it has is not trained again. Without one, only
    the lanes' states survive, in the snapshot.
    """

    def __init__(
        self,
        folder: Path,
        data: Data,
        journal: Journal | None = None,
        width: int | None = None,
        workers: Workers | None = None,
    ) -> None:
        self._folder, self._data, self._journal, self._workers = folder, data, journal, workers
        self._width = width
        self._snapshot = state_folder.read_snapshot(folder)
        self._saved, self._rate = time.monotonic(), SNAPSHOT_RATE
        self._trials: dict[int, dict[LaneSeed, _FleetLane]] = {}
        self._period: float | None = None

    def add_trial(self, trial: int, program: Program, hyper: Hyper, lanes: Sequence[LaneSeed]) -> None:
        """Add a trial's lanes, as the snapshot has them or else before their first step."""
        shape = state_folder.read_shape(self._folder, program)
        if shape is not None:
            population.shapes[program] = shape
        self._trials[trial] = {}
        for lane in lanes:
            state, leaves = population.init_lane(program, hyper, *lane), self._snapshot.pop((trial, *lane), None)
            if leaves is not None:
                state = jax.tree.unflatten(jax.tree.structure(state), leaves)
            self._trials[trial][lane] = _FleetLane(program, hyper, state)
            progress.skip(self._trials[trial][lane].epoch)

    def set_target(self, trials: Iterable[int], epoch: int) -> None:
        """Let trials train to an epoch, or take their results there from the journal."""
        for trial in trials:
            for seed, lane in self._trials[trial].items():
                lane.target_epoch = epoch
                lane.result = self._journal.find_result((trial, *seed), epoch) if self._journal else None

    def stop_trials(self, trials: Iterable[int]) -> None:
        """End the training of trials: keep their results, drop their states."""
        for trial in trials:
            for lane in self._trials[trial].values():
                lane.state = None

    def drop_trial(self, trial: int) -> None:
        """Forget a finished trial."""
        del self._trials[trial]

    def find_results(self, trial: int) -> TrainedLanes | None:
        """Return the results of a trial's lanes; None while one of them still trains."""
        lanes = self._trials[trial]
        trained = [TrainedLane(*seed, lane.result) for seed, lane in lanes.items() if lane.result is not None]
        return tuple(trained) if len(trained) == len(lanes) else None

    def list_states(self, trial: int) -> list[LaneState]:
        """List the states of a trial's lanes that were not stopped, on the host."""
        return [read_state(lane.state) for lane in self._trials[trial].values() if lane.state is not None]

    def _collect_lanes(self) -> dict[LaneKey, _FleetLane]:
        return {(trial, *seed): lane for trial, lanes in self._trials.items() for seed, lane in lanes.items()}

    @property
    def active_count(self) -> int:
        """The number of lanes still training."""
        return sum(lane.result is None for lane in self._collect_lanes().values())

    def run_segment(self) -> bool:
        """Advance every active lane by at most a few validations. Returns whether there was one.

        Raises `Stopped` afterwards, with all saved, if `thalweg stop` has asked for it.
        """
        waiting = {key: lane for key, lane in self._collect_lanes().items() if lane.result is None}
        if not waiting:
            return False
        began = time.monotonic()
        periods = 1 if self._period is None else max(1, int(SEGMENT_SECONDS / self._period))
        results: dict[LaneKey, LaneResult] = {}
        epochs_before = [lane.epoch for lane in waiting.values()]
        for program in dict.fromkeys(lane.program for lane in waiting.values()):
            lanes = {key: lane for key, lane in waiting.items() if lane.program == program}
            results |= self._advance_program(program, lanes, periods)
            if program in population.shapes:  # so that the study has the same bits after a kill
                state_folder.write_shape(self._folder, program, population.shapes[program])
        epochs = [lane.epoch - before for lane, before in zip(waiting.values(), epochs_before, strict=True)]
        timing.TRAINED_EPOCHS.append(sum(epochs))
        validations = [n / lane.program.validate_every for lane, n in zip(waiting.values(), epochs, strict=True)]
        self._period = (time.monotonic() - began) / max(1.0, *validations)
        if self._journal:
            self._journal.record_results(results)
        is_last = running.is_stop_asked()
        if is_last or time.monotonic() - self._saved > choose_interval(self._count_bytes() / self._rate):
            self.save_snapshot()
        if is_last:
            raise running.Stopped
        return True

    def _advance_program(
        self, program: Program, lanes: dict[LaneKey, _FleetLane], periods: int
    ) -> dict[LaneKey, LaneResult]:
        """Advance lanes of one program. Returns the results of lanes that arrived at their target."""
        states = [lane.state for lane in lanes.values() if lane.state is not None]
        target_epochs = [
            min(lane.target_epoch, lane.epoch + periods * program.validate_every) for lane in lanes.values()
        ]
        hypers = [lane.hyper for lane in lanes.values()]
        arrived: dict[LaneKey, LaneResult] = {}
        try:
            after = population.advance_lanes(
                program, hypers, states, self._data, target_epochs, self._width, self._workers, resident=True
            )
        except BrokenProcessPool:
            raise UserError(
                "a training process was killed; if memory ran out, allow fewer cores (taskset); start again to continue"
            ) from None
        except jax.errors.JaxRuntimeError as error:
            if not population.is_out_of_memory(error):
                raise
            raise UserError(
                "memory is too small for a single run; use smaller batches, smaller examples or a smaller model. "
                "Finished training is kept"
            ) from None
        for (key, lane), state in zip(lanes.items(), after, strict=True):
            before, lane.state = lane.epoch, state
            progress.advance(lane.epoch - before)
            if not population.has_work_left(program, state, lane.target_epoch):
                lane.result = arrived[key] = build_lane_result(program, state)
                progress.skip(lane.target_epoch - lane.epoch)
        return arrived

    def save_snapshot(self) -> None:
        """Write all lanes' states, to continue from after a kill."""
        states = {
            key: (lane.program, lane.state) for key, lane in self._collect_lanes().items() if lane.state is not None
        }
        began = time.monotonic()
        state_folder.write_snapshot(self._folder, states)
        self._saved = time.monotonic()
        self._rate = self._count_bytes() / max(self._saved - began, 1e-3) or SNAPSHOT_RATE

    def _count_bytes(self) -> int:
        """Count the bytes of all lanes' states."""
        states = [(lane.program, lane.state) for lane in self._collect_lanes().values() if lane.state is not None]
        sizes = {program: count_bytes(state) for program, state in dict(states).items()}
        return sum(sizes[program] for program, _ in states)

    def remove_snapshot(self) -> None:
        """Remove the snapshot of a study that is over: its results are in the journal, and no lane goes on."""
        state_folder.remove_snapshot(self._folder)


def choose_interval(seconds: float) -> float:
    """Choose the seconds from one snapshot to the next, where one takes `seconds`: as much as a kill may lose."""
    return min(SNAPSHOT_SECONDS, seconds / SNAPSHOT_SHARE)


def train_to_end(
    folder: Path,
    data: Data,
    trials: Mapping[int, tuple[Program, Hyper, Sequence[LaneSeed]]],
    purpose: str,
    options: EngineOptions = LOCAL,
) -> dict[int, list[LaneState]]:
    """Train trials, each with its program, numbers and lanes, to their end. Returns the lanes' states by trial.

    `data` is on the host. `purpose` is what a person who waits reads.
    After a kill it continues from the last snapshot in `folder`, which must be used for the same trials only.
    """
    epochs = sum(program.epochs * len(lanes) for program, _, lanes in trials.values())
    with (
        progress.show_part(purpose, epochs, "epoch"),
        running.announce_training(),
        start_workers(data, options) as workers,
    ):
        fleet = Fleet(folder, copy_to_devices(data), width=options.width, workers=workers)
        for trial, (program, hyper, lanes) in trials.items():
            fleet.add_trial(trial, program, hyper, lanes)
            fleet.set_target([trial], program.epochs)
        while fleet.run_segment():
            pass
        fleet.save_snapshot()
        return {trial: fleet.list_states(trial) for trial in trials}
