"""A study: propose, train and judge cohorts of trials until there are enough.

A lane's result depends only on the experiment, its trial's values, its seed and its fold. Decisions depend only on
results. So a study that was killed is replayed from its start: results in the journal are read, all others are
trained, from the last snapshot where there is one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.config.levels import assign_levels
from thalweg.config.spaces import Setting
from thalweg.core.types import DataSpec
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fleet import Fleet
from thalweg.engine.launchers import Workers, start_workers
from thalweg.engine.results import list_lane_seeds
from thalweg.engine.state_folder import Journal
from thalweg.search import cohorts, stopping
from thalweg.search.balance import build_sampler
from thalweg.search.cohorts import Cohort, Rules
from thalweg.search.trials import Trial, build_scorer, copy_trial
from thalweg.system import running
from thalweg.system.files import UserError
from thalweg.training import build
from thalweg.training.plan import TrainingData


class StudyCallback(Protocol):
    """An observer of the progress of a study."""

    def on_segment(self, finished_trials: int, active_lanes: int) -> None:
        """Lanes went on: `finished_trials` are over, `active_lanes` still train."""

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """A cohort is over; `trials` are all trials so far."""


@dataclass(frozen=True)
class StudyResult:
    """The trials of a study in order, and the reason why it stopped before its last cohort, if it did."""

    trials: list[Trial]
    stop_reason: dict[str, Any] | None


def build_rules(config: Config) -> Rules:
    """Return the rules by which the study's cohorts run."""
    study, training, schedule, prune = config.study, config.training, config.schedule, config.study.prune
    lengths = study.space.get("training.epochs")
    epochs = max(int(epoch_count or 0) for epoch_count in lengths.choices or ()) if lengths else training.epochs
    if prune is None:
        return Rules(study.trials, study.cohort, ((epochs,),), in_flight=study.in_flight, seed=config.seed)
    searched = {"schedule.kind", "schedule.period", "schedule.warmup"} & study.space.keys()
    cycles = int((epochs - schedule.warmup) / schedule.period) if schedule.kind == "restarts" and not searched else 0
    cycle_ends = [int(schedule.warmup + schedule.period * (i + 1)) for i in range(cycles)]
    brackets = cohorts.build_brackets(
        epochs, training.validate_every, prune.eta, prune.first, prune.brackets, cycle_ends
    )
    combinations = [tuple(levels.items()) for levels in assign_levels(config)]
    numbers = {combination: number for number, combination in enumerate(dict.fromkeys(combinations))}
    groups = tuple(numbers[combination] for combination in combinations) if len(numbers) > 1 else ()
    return Rules(study.trials, study.cohort, brackets, prune.eta, prune.audit, study.in_flight, config.seed, groups)


def run_trials(
    config: Config, spec: DataSpec, data: TrainingData, folder: Path, callbacks: Sequence[StudyCallback]
) -> StudyResult:
    """Run every trial of the study in order of number; results in `folder` are read, all others trained."""
    _check_programs(config, spec, data)
    device_data = copy_to_devices(data)
    with running.announce_training(), start_workers(data, build.build_engine_options(config)) as workers:
        return _Study(config, spec, device_data, folder, callbacks, workers).run()


class _Study:
    """A study in progress; `began` is the time at which it would have begun without breaks."""

    def __init__(
        self,
        config: Config,
        spec: DataSpec,
        data: TrainingData,
        folder: Path,
        callbacks: Sequence[StudyCallback],
        workers: Workers | None,
    ) -> None:
        self.config, self.spec, self.data, self.callbacks = config, spec, data, callbacks
        self.rules = build_rules(config)
        self.scorer = build_scorer(config, np.asarray(data.validation_weights, np.float64).sum(-1))
        self.journal = Journal(folder)
        self.fleet = Fleet(folder, data, self.journal, config.engine.width, workers)
        self.sampler = build_sampler(config)
        self.began = time.monotonic() - self.journal.seconds
        self.state = cohorts.SearchState()
        self.trials: list[Trial] = []
        self.seeds = settings.count_trial_seeds(config)
        self.first_trials: dict[settings.SettingKey, int] = {}
        self.same_as: dict[int, int] = {}
        self.stop: dict[str, Any] | None = None

    def run(self) -> StudyResult:
        self._begin_cohorts()
        while self.state.open_cohorts:
            if self.fleet.run_segment():
                self.journal.record_seconds(round(time.monotonic() - self.began, 3))
                for callback in self.callbacks:
                    callback.on_segment(len(self.trials), self.fleet.active_count)
            for cohort in self.state.open_cohorts:
                self._judge_rung(cohort)
            # finish one cohort, then begin the next at once: it must not learn from others that happen to be over
            while self.state.open_cohorts and not self.state.open_cohorts[0].rungs:
                self._finish_cohort(self.state.open_cohorts[0])
                self._begin_cohorts()
        self.fleet.remove_snapshot()
        return StudyResult(self.trials, self.stop)

    def _begin_cohorts(self) -> None:
        """Begin cohorts while there is room for one."""
        while self.stop is None and cohorts.can_begin_cohort(self.rules, self.state):
            number, first = self.state.begun_count, self.state.begun_count * self.rules.cohort_size
            seconds = time.monotonic() - self.began
            self.stop = stopping.find_stop_reason(self.config, self.rules, self.trials, number, seconds, self.journal)
            if self.stop is not None:
                return
            if number in self.journal.proposed:
                self.sampler.replay(first, self.journal.proposed[number])
            else:
                self.journal.record_proposals(number, self.sampler.ask(first, self.rules.cohort_size))
            for trial, values in enumerate(self.journal.proposed[number], first):
                first_trial = self.first_trials.setdefault(settings.build_setting_key(values), trial)
                if first_trial != trial:
                    self.same_as[trial] = first_trial
                if not self._is_copy(trial):
                    self._add_trial(trial, values)
            self.state = cohorts.begin_cohort(self.rules, self.state, list(filter(self._is_copy, self.same_as)))
            cohort = self.state.open_cohorts[-1]
            self.fleet.set_target(cohort.training_trials, max(cohort.rungs[:1], default=0))

    def _is_copy(self, trial: int) -> bool:
        """Return whether a trial would repeat an earlier one to the bit: the same setting with the same seeds."""
        return trial in self.same_as and self.config.study.randomness == "paired"

    def _add_trial(self, trial: int, values: Setting) -> None:
        """Add a trial's lanes to the fleet."""
        config, study = self.config.replace_values(values), self.config.study
        plan = build.build_plan(config, self.spec, self.data, searched=True)
        seed_group = trial if study.randomness == "independent" else None
        lanes = list_lane_seeds(self.config.seed, "study", self.seeds, len(self.data.train_rows), seed_group)
        self.fleet.add_trial(trial, plan, build.build_hyper(config), lanes)

    def _judge_rung(self, cohort: Cohort) -> None:
        """Decide which trials of a cohort go on, once all have reached their rung."""
        lanes_by_trial = {trial: self.fleet.find_results(trial) for trial in cohort.training_trials}
        results = {trial: lanes for trial, lanes in lanes_by_trial.items() if lanes is not None}
        if not cohort.rungs or len(results) < len(lanes_by_trial):
            return
        scores = {trial: self.scorer.score_rung(results[trial], cohort.rungs[0]) for trial in cohort.alive}
        earlier = cohorts.find_earlier_scores(self.rules, self.state, cohort)
        after = cohorts.judge_cohort(self.rules, cohort, scores, earlier)
        self.state = cohorts.replace_cohort(cohorts.record_scores(self.state, cohort.rungs[0], scores), after)
        self.fleet.stop_trials(
            trial for trial in cohort.training_trials if not after.rungs or trial not in after.training_trials
        )
        if after.rungs:
            self.fleet.set_target(after.training_trials, after.rungs[0])

    def _finish_cohort(self, cohort: Cohort) -> None:
        """Turn the oldest cohort into finished trials and tell the sampler of them."""
        self.state = cohorts.close_oldest_cohort(self.state)
        for trial, values in enumerate(self.journal.proposed[cohort.number], cohort.number * self.rules.cohort_size):
            if self._is_copy(trial):
                self.trials.append(copy_trial(self.trials[self.same_as[trial]], trial, values))
                continue
            lanes = self.fleet.find_results(trial)
            assert lanes is not None
            self.fleet.drop_trial(trial)
            finished = self.scorer.build_trial(trial, values, lanes, cohort.stopped.get(trial))
            self.trials.append(finished.mark_repeat(self.same_as.get(trial)))
        self.sampler.tell([trial.outcome for trial in self.trials[-self.rules.cohort_size :]])
        for callback in self.callbacks:
            callback.on_cohort(self.trials)


def _check_programs(config: Config, spec: DataSpec, data: TrainingData) -> None:
    """Plan every program that the search can reach. Raises `UserError` with all faults, before any trains."""
    faults = []
    for values in spaces.list_program_variants(config):
        try:
            build.build_plan(config.replace_values(values), spec, data, searched=True)
        except UserError as error:
            values_text = ", ".join(f"{name} {value}" for name, value in values.items())
            faults.append(f"{values_text}: {error}" if values_text else f"{error}")
    if faults:
        raise UserError("\n".join(faults))
