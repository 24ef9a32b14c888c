"""A study: cohorts of trials proposed, trained and judged, until there are enough.

A lane's result depends on nothing but the experiment, its trial's values, its seed and its fold, and what is decided on
nothing but results. So a study that was killed is played again from its start: what the journal knows is read, what it
does not know is trained, from the last snapshot where there is one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.core.types import DataSpec
from thalweg.engine.fleet import Fleet
from thalweg.engine.results import list_lane_seeds
from thalweg.engine.state_folder import Journal
from thalweg.engine.workers import Workers, copy_to_devices, start_worker_pool
from thalweg.search import cohorts, stopping
from thalweg.search.cohorts import Cohort, Rules
from thalweg.search.samplers import OptunaSampler
from thalweg.search.trials import Trial, build_scorer
from thalweg.system.files import UserError
from thalweg.training import build
from thalweg.training.plan import TrainingData


class StudyCallback(Protocol):
    """Who is told how the study goes on."""

    def on_segment(self, finished_trials: int, active_lanes: int) -> None:
        """Lanes went on: so many trials are over, so many lanes are still on their way."""

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """A cohort is over: all trials so far."""


@dataclass(frozen=True)
class StudyResult:
    """What a study has come to: its trials in order, and why it ended before its last cohort, if it did."""

    trials: list[Trial]
    stop_reason: dict[str, Any] | None


def build_rules(config: Config) -> Rules:
    """How the study's cohorts are run."""
    study, training, schedule, prune = config.study, config.training, config.schedule, config.study.prune
    lengths = study.space.get("training.epochs")
    epochs = max(int(one) for one in lengths.choices or ()) if lengths else training.epochs
    if prune is None:
        return Rules(study.trials, study.cohort, ((epochs,),), in_flight=study.in_flight, seed=config.seed)
    searched = {"schedule.kind", "schedule.period", "schedule.warmup"} & study.space.keys()
    cycles = int((epochs - schedule.warmup) / schedule.period) if schedule.kind == "restarts" and not searched else 0
    ends = [int(schedule.warmup + schedule.period * (i + 1)) for i in range(cycles)]
    made = cohorts.build_brackets(epochs, training.validate_every, prune.eta, prune.first, prune.brackets, ends)
    return Rules(study.trials, study.cohort, made, prune.eta, prune.audit, study.in_flight, config.seed)


def run_trials(
    config: Config, spec: DataSpec, data: TrainingData, folder: Path, callbacks: Sequence[StudyCallback]
) -> StudyResult:
    """Every trial of the study in order of number, from `folder` where it has them, trained where it has not."""
    _check_programs(config, spec, data)
    placed = copy_to_devices(data)
    with start_worker_pool(placed) as workers:
        return _Study(config, spec, placed, folder, callbacks, workers).run()


class _Study:
    """A study on its way; `began` is when it would have begun without a break."""

    def __init__(
        self,
        config: Config,
        shape: DataSpec,
        data: TrainingData,
        folder: Path,
        listeners: Sequence[StudyCallback],
        workers: Workers | None,
    ) -> None:
        self.config, self.shape, self.data, self.listeners = config, shape, data, listeners
        self.rules = build_rules(config)
        self.judge = build_scorer(config, np.asarray(data.validation_weights, np.float64).sum(-1))
        self.journal = Journal(folder)
        self.fleet = Fleet(folder, data, self.journal, config.engine.width, workers)
        self.proposer = OptunaSampler(config)
        self.began = time.monotonic() - self.journal.seconds
        self.state = cohorts.SearchState()
        self.trials: list[Trial] = []
        self.stop: dict[str, Any] | None = None

    def run(self) -> StudyResult:
        self._begin()
        while self.state.open_cohorts:
            if self.fleet.run_segment():
                self.journal.record_seconds(round(time.monotonic() - self.began, 3))
                for listener in self.listeners:
                    listener.on_segment(len(self.trials), self.fleet.active_count)
            for cohort in self.state.open_cohorts:
                self._judge(cohort)
            # one at a time, and the next cohort begun at once: it must know this one and none that is over by chance
            while self.state.open_cohorts and not self.state.open_cohorts[0].rungs:
                self._finish(self.state.open_cohorts[0])
                self._begin()
        return StudyResult(self.trials, self.stop)

    def _begin(self) -> None:
        """Begin cohorts while there is room for one."""
        while self.stop is None and cohorts.can_begin_cohort(self.rules, self.state):
            number, first = self.state.begun_count, self.state.begun_count * self.rules.cohort_size
            spent = time.monotonic() - self.began
            self.stop = stopping.find_stop_reason(self.config, self.rules, self.trials, number, spent, self.journal)
            if self.stop is not None:
                return
            if number in self.journal.proposed:
                self.proposer.replay(first, self.journal.proposed[number])
            else:
                self.journal.record_proposals(number, self.proposer.ask(first, self.rules.cohort_size))
            for trial, values in enumerate(self.journal.proposed[number], first):
                self._add(trial, values)
            self.state = cohorts.begin_cohort(self.rules, self.state)
            begun = self.state.open_cohorts[-1]
            self.fleet.set_target(begun.training_trials, begun.rungs[0])

    def _add(self, trial: int, values: Setting) -> None:
        """Give a trial's lanes to the fleet."""
        chosen, study = self.config.replace_values(values), self.config.study
        plan = build.build_plan(chosen, self.shape, self.data, searched=True)
        own = trial if study.randomness == "independent" else None
        lanes = list_lane_seeds(self.config.seed, "study", study.seeds, len(self.data.train_rows), own)
        self.fleet.add_trial(trial, plan, build.build_hyper(chosen), lanes)

    def _judge(self, cohort: Cohort) -> None:
        """Where all trials of a cohort have reached their rung, decide who goes on."""
        known = {trial: self.fleet.find_results(trial) for trial in cohort.training_trials}
        results = {trial: lanes for trial, lanes in known.items() if lanes is not None}
        if not cohort.rungs or len(results) < len(known):
            return
        scores = {trial: self.judge.score_rung(results[trial], cohort.rungs[0]) for trial in cohort.alive}
        after = cohorts.judge_cohort(self.rules, cohort, scores)
        self.state = cohorts.replace_cohort(self.state, after)
        self.fleet.stop_trials(
            trial for trial in cohort.training_trials if not after.rungs or trial not in after.training_trials
        )
        if after.rungs:
            self.fleet.set_target(after.training_trials, after.rungs[0])

    def _finish(self, cohort: Cohort) -> None:
        """The oldest cohort is over: its trials are known, and the sampler learns them."""
        self.state = cohorts.close_oldest_cohort(self.state)
        for trial, values in enumerate(self.journal.proposed[cohort.number], cohort.number * self.rules.cohort_size):
            lanes = self.fleet.find_results(trial)
            assert lanes is not None
            self.fleet.drop_trial(trial)
            self.trials.append(self.judge.build_trial(trial, values, lanes, cohort.stopped.get(trial)))
        self.proposer.tell([trial.outcome for trial in self.trials[-self.rules.cohort_size :]])
        for listener in self.listeners:
            listener.on_cohort(self.trials)


def _check_programs(config: Config, shape: DataSpec, data: TrainingData) -> None:
    """Plan every program that the search can ask for. Raises `UserError` with all that cannot be, before any trains."""
    wrong = []
    for values in spaces.list_program_variants(config):
        try:
            build.build_plan(config.replace_values(values), shape, data, searched=True)
        except UserError as error:
            told = ", ".join(f"{name} {value}" for name, value in values.items())
            wrong.append(f"{told}: {error}" if told else f"{error}")
    if wrong:
        raise UserError("\n".join(wrong))
