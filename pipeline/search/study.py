"""A study: cohorts of trials proposed, trained and judged, until there are enough.

A lane's result depends on nothing but the experiment, its trial's values, its seed and its fold, and what is decided on
nothing but results. So a study that was killed is played again from its start: what the journal knows is read, what it
does not know is trained, from the last snapshot where there is one.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Values
from thalweg.core.types import Spec
from thalweg.engine.devices import to_devices
from thalweg.engine.fleet import Fleet
from thalweg.engine.journal import Journal
from thalweg.engine.results import lane_seeds
from thalweg.engine.workers import Workers, worker_pool
from thalweg.search import cohorts, stopping
from thalweg.search.cohorts import Cohort, Rules
from thalweg.search.samplers import Proposer
from thalweg.search.trials import Judge, Trial, judge_of
from thalweg.system.files import UserError
from thalweg.training import build
from thalweg.training.plan import Data


class Listener(Protocol):
    """Who is told how the study goes on."""

    def segment(self, over: int, alive: int) -> None:
        """Lanes went on: so many trials are over, so many lanes are still on their way."""

    def cohort(self, trials: Sequence[Trial]) -> None:
        """A cohort is over: all trials so far."""


@dataclass(frozen=True)
class Studied:
    """What a study has come to: its trials in order, and why it ended before its last cohort, if it did."""

    trials: list[Trial]
    stop: dict[str, Any] | None


@dataclass
class _Now:
    """A study on its way; `stop` is why no more cohorts begin, `began` when it would have begun without a break."""

    config: Config
    rules: Rules
    judge: Judge
    journal: Journal
    shape: Spec
    data: Data
    fleet: Fleet
    proposer: Proposer
    listeners: Sequence[Listener]
    began: float
    state: cohorts.State = field(default_factory=cohorts.State)
    values: dict[int, Values] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    stop: dict[str, Any] | None = None


def rules(config: Config) -> Rules:
    """How the study's cohorts are run."""
    study, training, schedule, prune = config.study, config.training, config.schedule, config.study.prune
    lengths = study.space.get("training.epochs")
    epochs = max(int(one) for one in lengths.choices or ()) if lengths else training.epochs
    if prune is None:
        return Rules(study.trials, study.cohort, ((epochs,),), in_flight=study.in_flight, seed=config.seed)
    searched = {"schedule.kind", "schedule.period", "schedule.warmup"} & study.space.keys()
    cycles = int((epochs - schedule.warmup) / schedule.period) if schedule.kind == "restarts" and not searched else 0
    ends = [int(schedule.warmup + schedule.period * (i + 1)) for i in range(cycles)]
    made = cohorts.brackets(epochs, training.validate_every, prune.eta, prune.first, prune.brackets, ends)
    return Rules(study.trials, study.cohort, made, prune.eta, prune.audit, study.in_flight, config.seed)


def run(config: Config, shape: Spec, data: Data, folder: Path, listeners: Sequence[Listener]) -> Studied:
    """Every trial of the study in order of number, from `folder` where it has them, trained where it has not."""
    _try_programs(config, shape, data)
    placed = to_devices(data)
    with worker_pool(placed) as workers:
        return _run(config, shape, placed, folder, listeners, workers)


def _run(
    config: Config, shape: Spec, data: Data, folder: Path, listeners: Sequence[Listener], workers: Workers | None
) -> Studied:
    journal = Journal(folder)
    now = _Now(
        config,
        rules(config),
        judge_of(config, np.asarray(data.validation_weight, np.float64).sum(-1)),
        journal,
        shape,
        data,
        Fleet(folder, data, journal, config.engine.width, workers),
        Proposer(config),
        listeners,
        began=time.monotonic() - journal.seconds,
    )
    _begin(now)
    while now.state.open:
        if now.fleet.segment():
            journal.spend(round(time.monotonic() - now.began, 3))
            for listener in listeners:
                listener.segment(len(now.trials), now.fleet.alive)
        for cohort in now.state.open:
            _judge(now, cohort)
        # one at a time, and the next cohort begun at once: it must know this one and none that is over by chance
        while now.state.open and not now.state.open[0].rungs:
            _finish(now, now.state.open[0])
            _begin(now)
    return Studied(now.trials, now.stop)


def _begin(now: _Now) -> None:
    """Begin cohorts while there is room for one."""
    while now.stop is None and cohorts.may_begin(now.rules, now.state):
        number, size = now.state.begun, now.rules.cohort
        now.stop = stopping.reason(now.config, now.rules, now.trials, number, time.monotonic() - now.began, now.journal)
        if now.stop is not None:
            return
        proposals = now.journal.proposed.get(number)
        if proposals is None:
            proposals = now.proposer.propose(number * size, size)
            now.journal.propose(number, proposals)
        else:
            now.proposer.adopt(number * size, proposals)
        now.state = cohorts.begin(now.rules, now.state)
        for trial, values in enumerate(proposals, number * size):
            now.values[trial] = values
            chosen = now.config.replace(values)
            plan = build.build_plan(chosen, now.shape, now.data, searched=True)
            own = trial if now.config.study.randomness == "independent" else None
            seeds = lane_seeds(now.config.seed, "study", now.config.study.seeds, len(now.data.train), own)
            now.fleet.add(trial, plan, build.build_hyper(chosen), seeds)
        begun = now.state.open[-1]
        now.fleet.want(begun.training, begun.rungs[0])


def _judge(now: _Now, cohort: Cohort) -> None:
    """Where all trials of a cohort have reached their rung, decide who goes on."""
    if not cohort.rungs:
        return
    rung, results = cohort.rungs[0], {trial: now.fleet.results(trial) for trial in cohort.training}
    if any(one is None for one in results.values()):
        return
    scores = {trial: now.judge.score(results[trial] or (), rung) for trial in cohort.alive}
    after = cohorts.judge(now.rules, cohort, scores)
    now.state = cohorts.put(now.state, after)
    now.fleet.stop(trial for trial in cohort.training if not after.rungs or trial not in after.training)
    if after.rungs:
        now.fleet.want(after.training, after.rungs[0])


def _finish(now: _Now, cohort: Cohort) -> None:
    """The oldest cohort is over: its trials are known, and the sampler learns them."""
    now.state = cohorts.close(now.state)
    for trial in range(cohort.number * now.rules.cohort, (cohort.number + 1) * now.rules.cohort):
        of_lanes = now.fleet.results(trial)
        assert of_lanes is not None
        now.fleet.drop(trial)
        ended = now.judge.trial(trial, now.values.pop(trial), of_lanes, cohort.stopped.get(trial))
        now.trials.append(ended)
    now.proposer.learn([ended.outcome for ended in now.trials[-now.rules.cohort :]])
    for listener in now.listeners:
        listener.cohort(now.trials)


def _try_programs(config: Config, shape: Spec, data: Data) -> None:
    """Plan every program that the search can ask for. Raises `UserError` with all that cannot be, before any trains."""
    wrong = []
    for values in spaces.shapes(config):
        try:
            build.build_plan(config.replace(values), shape, data, searched=True)
        except UserError as error:
            told = ", ".join(f"{name} {value}" for name, value in values.items())
            wrong.append(f"{told}: {error}" if told else f"{error}")
    if wrong:
        raise UserError("\n".join(wrong))
