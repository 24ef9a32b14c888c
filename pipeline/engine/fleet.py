"""The lanes of a study in training: where each stands, how far it is wanted, and what it has come to."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import jax

from thalweg.engine import population, state_folder
from thalweg.engine.fit import LaneState
from thalweg.engine.program import Data, Hyper, Program
from thalweg.engine.results import LaneKey, LaneResult, LaneSeed, TrainedLane, TrainedLanes, build_lane_result
from thalweg.engine.state_folder import Journal
from thalweg.engine.workers import Workers, start_worker_pool
from thalweg.system import timing
from thalweg.system.files import UserError

SEGMENT_SECONDS = 2.0
"""Seconds that a segment should take: long enough to cost nothing, short enough to be watched."""
SNAPSHOT_SECONDS = 10.0
"""Seconds from one snapshot to the next, at least."""


@dataclass
class _FleetLane:
    """One lane: its state (None: it trains no more), the epoch it is wanted at, and what it came to if it is there."""

    program: Program
    hyper: Hyper
    state: LaneState | None
    target_epoch: int = 0
    result: LaneResult | None = None

    @property
    def epoch(self) -> int:
        return int(self.state.step) // self.program.steps_per_epoch if self.state else 0


class Fleet:
    """All lanes of the trials that are not over, on the host between segments.

    With a journal, what lanes come to is written there, and what it knows of them is not trained again. Without one
    only their states count, which the snapshot keeps.
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
        self._saved = time.monotonic()
        self._trials: dict[int, dict[LaneSeed, _FleetLane]] = {}
        self._period: float | None = None

    def add_trial(self, trial: int, program: Program, hyper: Hyper, lanes: Sequence[LaneSeed]) -> None:
        """The lanes of a trial: where the snapshot has them, or before their first step."""
        shape = state_folder.read_shape(self._folder, program)
        if shape is not None:
            population.shapes[program] = shape
        self._trials[trial] = {}
        for lane in lanes:
            state, leaves = population.init_lane(program, *lane), self._snapshot.pop((trial, *lane), None)
            if leaves is not None:
                state = jax.tree.unflatten(jax.tree.structure(state), leaves)
            self._trials[trial][lane] = _FleetLane(program, hyper, state)

    def set_target(self, trials: Iterable[int], epoch: int) -> None:
        """Let the lanes of trials go on to an epoch; what the journal knows of them there is taken from it."""
        for trial in trials:
            for lane, one in self._trials[trial].items():
                one.target_epoch = epoch
                one.result = self._journal.find_result((trial, *lane), epoch) if self._journal else None

    def stop_trials(self, trials: Iterable[int]) -> None:
        """Trials that train no more: what they came to stays, what they would go on from does not."""
        for trial in trials:
            for one in self._trials[trial].values():
                one.state = None

    def drop_trial(self, trial: int) -> None:
        """Forget a trial that is over."""
        del self._trials[trial]

    def find_results(self, trial: int) -> TrainedLanes | None:
        """What the lanes of a trial have come to; None while one of them is on its way."""
        lanes = self._trials[trial]
        found = [TrainedLane(*lane, one.result) for lane, one in lanes.items() if one.result is not None]
        return tuple(found) if len(found) == len(lanes) else None

    def list_states(self, trial: int) -> list[LaneState]:
        """Where the lanes of a trial stand that are still to train, or have trained to their end."""
        return [one.state for one in self._trials[trial].values() if one.state is not None]

    def _lanes(self) -> dict[LaneKey, _FleetLane]:
        return {(trial, *lane): one for trial, lanes in self._trials.items() for lane, one in lanes.items()}

    @property
    def active_count(self) -> int:
        """How many lanes are on their way."""
        return sum(lane.result is None for lane in self._lanes().values())

    def run_segment(self) -> bool:
        """Every lane that is on its way goes on by a few validations at most; whether there was one."""
        waiting = {key: lane for key, lane in self._lanes().items() if lane.result is None}
        if not waiting:
            return False
        began = time.monotonic()
        periods = 1 if self._period is None else max(1, int(SEGMENT_SECONDS / self._period))
        results: dict[LaneKey, LaneResult] = {}
        stood = [lane.epoch for lane in waiting.values()]
        for program in dict.fromkeys(lane.program for lane in waiting.values()):
            chosen = {key: lane for key, lane in waiting.items() if lane.program == program}
            results |= self._advance_program(program, chosen, periods)
            if program in population.shapes:  # so that the next life of the study has the same bits
                state_folder.write_shape(self._folder, program, population.shapes[program])
        epochs = [lane.epoch - before for lane, before in zip(waiting.values(), stood, strict=True)]
        timing.TRAINED_EPOCHS.append(sum(epochs))
        validations = [n / lane.program.validate_every for lane, n in zip(waiting.values(), epochs, strict=True)]
        self._period = (time.monotonic() - began) / max(1.0, *validations)
        if self._journal:
            self._journal.record_results(results)
        if time.monotonic() - self._saved > SNAPSHOT_SECONDS:
            self.save_snapshot()
        return True

    def _advance_program(
        self, program: Program, chosen: dict[LaneKey, _FleetLane], periods: int
    ) -> dict[LaneKey, LaneResult]:
        """Lanes of one program go on; what those came to that have arrived."""
        states = [lane.state for lane in chosen.values() if lane.state is not None]
        until = [min(lane.target_epoch, lane.epoch + periods * program.validate_every) for lane in chosen.values()]
        hypers = [lane.hyper for lane in chosen.values()]
        arrived: dict[LaneKey, LaneResult] = {}
        try:
            after = population.advance_lanes(program, hypers, states, self._data, until, self._width, self._workers)
        except BrokenProcessPool:
            raise UserError(
                "a process that trained was ended from outside; if memory ran out, hold it to fewer cores "
                "(taskset); start again, and it goes on where it was"
            ) from None
        except jax.errors.JaxRuntimeError as error:
            if not population.is_out_of_memory(error):
                raise
            raise UserError(
                "memory is too small for a single network in training; use a smaller `training.batch_size`, smaller "
                "images or a smaller model. What is trained is kept"
            ) from None
        for (key, lane), state in zip(chosen.items(), after, strict=True):
            lane.state = state
            if not population.has_work_left(program, state, lane.target_epoch):
                lane.result = arrived[key] = build_lane_result(program, state)
        return arrived

    def save_snapshot(self) -> None:
        """Keep where all lanes stand, to go on from after a kill."""
        kept = {key: (lane.program, lane.state) for key, lane in self._lanes().items() if lane.state is not None}
        state_folder.write_snapshot(self._folder, kept)
        self._saved = time.monotonic()


def train_to_end(
    folder: Path, data: Data, trials: Mapping[int, tuple[Program, Hyper, Sequence[LaneSeed]]], width: int | None = None
) -> dict[int, list[LaneState]]:
    """Trials, each with its program, its numbers and its lanes, trained to their end: the states of its lanes.

    Killed, it goes on from the last snapshot in `folder`, which is kept for the same trials only.
    """
    with start_worker_pool(data) as workers:
        fleet = Fleet(folder, data, width=width, workers=workers)
        for trial, (program, hyper, of_trial) in trials.items():
            fleet.add_trial(trial, program, hyper, of_trial)
            fleet.set_target([trial], program.epochs)
        while fleet.run_segment():
            pass
        fleet.save_snapshot()
        return {trial: fleet.list_states(trial) for trial in trials}
