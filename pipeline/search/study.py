"""A study: cohorts of trials, each trial one lane or several, proposed and trained in turn.

A lane's result depends on nothing but the experiment, its values, its seed and its fold. So a study that was killed is
played again from its start: what was decided is read, what was trained is read, and it goes on with what is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import compose, keys
from pipeline.config import Config
from pipeline.core import population
from pipeline.core.lane import Data, Plan, State
from pipeline.io import UserError
from pipeline.search import spaces, storage
from pipeline.search.samplers import Outcome, Proposer
from pipeline.search.spaces import Values
from pipeline.tasks.task import Spec

Result = dict[str, Any]
"""A lane's end: `curves` by name with a value (None: not finite or never reached) a validation, `epochs` trained,
`bad_step` (None: none)."""


@dataclass(frozen=True)
class Trial:
    """A finished trial with its lanes: (seed, fold) and result of each."""

    outcome: Outcome
    lanes: tuple[tuple[int, int, Result], ...]

    @property
    def diverged_step(self) -> int | None:
        steps = [result["bad_step"] for _, _, result in self.lanes if result["bad_step"] is not None]
        return min(steps, default=None)

    @property
    def epochs(self) -> int:
        return max(int(result["epochs"]) for _, _, result in self.lanes)


class Listener(Protocol):
    """Who is told how the study goes on."""

    def began(self, alive: int) -> None:
        """So many lanes of a cohort begin to train."""

    def lane(self, trials: int, alive: int) -> None:
        """A lane ended: so many trials of the cohort are complete, so many lanes still train."""

    def cohort(self, trials: Sequence[Trial]) -> None:
        """A cohort ended: all trials so far."""


def lanes(config: Config, purpose: str, seeds: int, folds: int) -> list[tuple[int, int]]:
    """(seed, fold) of each lane of a trial; the same for every trial, so that differences are the trials' own."""
    return [(keys.number(config.seed, purpose, seed), fold) for seed in range(seeds) for fold in range(folds)]


def run(config: Config, shape: Spec, data: Data, folder: Path, listeners: Sequence[Listener]) -> list[Trial]:
    """Every trial of the study in order of number, from `folder` where it has them, trained where it has not."""
    _try_programs(config, shape, data)
    proposer = Proposer(config)
    trials: list[Trial] = []
    placed = population.place(data)
    for cohort in range(config.study.trials // config.study.cohort):
        first = cohort * config.study.cohort
        proposals = storage.read_decision(folder, cohort)
        if proposals is None:
            proposals = proposer.propose(first, config.study.cohort)
            storage.write_decision(folder, cohort, proposals)
        results = _train(config, shape, placed, folder, proposals, listeners)
        ended = [_trial(config, data, first + i, p, results[i]) for i, p in enumerate(proposals)]
        for trial in ended:
            proposer.learn(trial.outcome)
        trials += ended
        for listener in listeners:
            listener.cohort(trials)
    return trials


def _try_programs(config: Config, shape: Spec, data: Data) -> None:
    """Plan every program that the search can ask for. Raises `UserError` with all that cannot be, before any trains."""
    wrong = []
    for values in spaces.shapes(config):
        try:
            compose.plan(config.replace(values), shape, data, searched=True)
        except UserError as error:
            wrong.append(
                f"{', '.join(f'{name} {value}' for name, value in values.items())}: {error}" if values else f"{error}"
            )
    if wrong:
        raise UserError("\n".join(wrong))


def _train(
    config: Config, shape: Spec, data: Data, folder: Path, proposals: Sequence[Values], listeners: Sequence[Listener]
) -> list[dict[tuple[int, int], Result]]:
    """The results of a cohort's lanes by (seed, fold), each read from the folder or trained."""
    each = lanes(config, "study", config.study.seeds, len(data.train))
    results: list[dict[tuple[int, int], Result]] = [{} for _ in proposals]
    missing: dict[Plan, list[tuple[int, tuple[int, int], Any]]] = {}
    for index, values in enumerate(proposals):
        chosen = config.replace(values)
        plan = compose.plan(chosen, shape, data, searched=True)
        numbers = compose.hyper(chosen)
        for lane in each:
            known = storage.read_lane(folder, storage.lane_name(values, *lane))
            if known is not None:
                results[index][lane] = known
            else:
                missing.setdefault(plan, []).append((index, lane, numbers))
    for plan, waiting in missing.items():
        starts = {lane: population.init(plan, *lane) for _, lane, _ in waiting}

        heard: list[int] = []

        def finished(
            place: int, state: State, plan: Plan = plan, waiting: Any = waiting, heard: list[int] = heard
        ) -> None:
            index, lane, _ = waiting[place]
            heard.append(place)
            results[index][lane] = result(plan, state)
            storage.write_lane(folder, storage.lane_name(proposals[index], *lane), results[index][lane])
            complete = sum(len(lanes_of) == len(each) for lanes_of in results)
            for listener in listeners:
                listener.lane(complete, len(waiting) - len(heard))

        for listener in listeners:
            listener.began(len(waiting))
        hypers, states = [h for _, _, h in waiting], [starts[lane] for _, lane, _ in waiting]
        population.advance(plan, hypers, states, data, [plan.epochs] * len(waiting), finished)
    return results


def result(plan: Plan, state: State) -> Result:
    """What is kept of a lane that has ended."""
    curves = {name: [_number(v) for v in curve] for name, curve in state.curves.items()}
    bad = int(state.bad_step)
    return {"curves": curves, "epochs": int(state.step) // plan.steps, "bad_step": bad if bad >= 0 else None}


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _trial(config: Config, data: Data, number: int, values: Values, results: dict[tuple[int, int], Result]) -> Trial:
    ended = tuple((seed, fold, one) for (seed, fold), one in sorted(results.items()))
    curve, every = mean_curve(config, data, ended), config.training.validate_every
    known = np.flatnonzero(np.isfinite(curve))
    intermediate = {int(i + 1) * every: float(curve[i]) for i in known}
    best = np.min if config.task.METRICS[config.study.objective] == "min" else np.max
    diverged = any(one["bad_step"] is not None for *_, one in ended)
    value = None if diverged else float(best(curve[known]))
    return Trial(Outcome(number, values, value, intermediate), ended)


def mean_curve(config: Config, data: Data, ended: Sequence[tuple[int, int, Result]]) -> NDArray[np.float64]:
    """The objective at each validation, the mean over a trial's lanes, each fold by its number of examples.

    A lane that stopped early counts with its last value from then on.
    """
    sizes = np.asarray(data.validation_weight).sum(-1)
    curves, weights = [], []
    for _, fold, one in ended:
        curve = np.array([np.nan if v is None else v for v in one["curves"][config.study.objective]], np.float64)
        reached = one["epochs"] // config.training.validate_every
        if one["bad_step"] is None:
            curve[reached:] = curve[reached - 1]
        curves.append(curve)
        weights.append(sizes[fold])
    return np.average(np.array(curves), axis=0, weights=np.array(weights))


def ranked(config: Config, trials: Sequence[Trial]) -> list[Trial]:
    """Trials that have a value, best first, ties by number."""
    sign: Callable[[float], float] = (
        (lambda v: v) if config.task.METRICS[config.study.objective] == "min" else (lambda v: -v)
    )
    complete = [trial for trial in trials if trial.outcome.value is not None]
    return sorted(complete, key=lambda trial: (sign(trial.outcome.value or 0.0), trial.outcome.number))
