"""The best trials and the baseline on fresh seeds: chosen on validation, compared on examples that chose nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.config.experiment import Config
from thalweg.config.spaces import Values
from thalweg.core import rng
from thalweg.core.types import Spec
from thalweg.data.splits import Parts
from thalweg.engine.fleet import train_to_end
from thalweg.engine.lane import State
from thalweg.system.files import UserError
from thalweg.training import build, inference
from thalweg.training.plan import Data
from thalweg.training.program import NetworkProgram


@dataclass(frozen=True)
class Candidate:
    """One set of values on fresh seeds: for each seed the ends of its folds, and its predictions.

    `predictions` [seeds, M, ...] are of the judged rows: on test the mean over a seed's folds, on validation each row's
    own fold. `scores` [seeds] by metric are of these predictions, `validation` of the kept weights on validation.
    """

    trial: int | None
    values: Values
    plan: NetworkProgram
    states: tuple[tuple[State, ...], ...]
    predictions: NDArray[Any]
    scores: dict[str, NDArray[np.float64]]
    validation: dict[str, NDArray[np.float64]]


def judged(parts: Parts) -> NDArray[np.int32]:
    """The rows that candidates are compared on: the test part, or all validation where there is none."""
    return parts.test if len(parts.test) else np.unique(np.concatenate(parts.validation))


def seeds(config: Config) -> list[int]:
    return [rng.seed(config.seed, "confirm", i) for i in range(config.confirm.seeds)]


def with_values(config: Config, values: Values) -> Config:
    """The experiment with a trial's values, trained as long as `confirm` says."""
    longer = {} if config.confirm.epochs is None else {"training.epochs": config.confirm.epochs}
    return config.replace(values | longer)


def train(
    config: Config,
    shape: Spec,
    parts: Parts,
    data: Data,
    wanted: Sequence[tuple[int | None, Values]],
    folder: Path,
) -> list[Candidate]:
    """Each wanted (trial, values) on the same fresh seeds, the lanes of one program together.

    Values that mean the same experiment are trained once. Killed, training goes on from the snapshot in `folder`.
    """
    chosen = [with_values(config, values) for _, values in wanted]
    same = [chosen.index(one) for one in chosen]
    plans = [build.build_plan(one, shape, data, searched=True) for one in chosen]
    lanes = [(seed, fold) for seed in seeds(config) for fold in range(len(parts.train))]
    wanted_lanes = {i: (plans[i], build.build_hyper(chosen[i]), lanes) for i in dict.fromkeys(same)}
    ends = train_to_end(folder, data, wanted_lanes, config.engine.width)
    found = []
    for (trial, values), plan, i in zip(wanted, plans, same, strict=True):
        folds = len(parts.train)
        by_seed = tuple(tuple(ends[i][at : at + folds]) for at in range(0, len(lanes), folds))
        found.append(_candidate(parts, data, trial, values, plan, by_seed))
    return found


def _candidate(
    parts: Parts,
    data: Data,
    trial: int | None,
    values: Values,
    plan: NetworkProgram,
    states: tuple[tuple[State, ...], ...],
) -> Candidate:
    rows = judged(parts)
    predictions = np.stack([_predictions(parts, data, plan, folds) for folds in states])
    whole = np.ones((1, len(rows)))
    scored = [inference.metrics(plan, one, data, rows, whole) for one in predictions]
    at_best = [reached(plan, parts, folds) for folds in states]
    return Candidate(
        trial,
        values,
        plan,
        states,
        predictions,
        {name: np.array([float(one[name][0]) for one in scored]) for name in plan.task.METRICS},
        {name: np.array([one[name] for one in at_best]) for name in plan.task.METRICS},
    )


def _predictions(parts: Parts, data: Data, plan: NetworkProgram, folds: Sequence[State]) -> NDArray[Any]:
    """One seed's predictions of the judged rows [M, ...]."""
    rows = judged(parts)
    if len(parts.test):
        mean: NDArray[Any] = inference.predict(plan, [state.best_weights for state in folds], data, rows).mean(0)
        return mean
    each = [inference.predict(plan, [s.best_weights], data, r)[0] for s, r in zip(folds, parts.validation, strict=True)]
    out = np.empty((len(rows), *each[0].shape[1:]), each[0].dtype)
    for own, values in zip(parts.validation, each, strict=True):
        out[np.searchsorted(rows, own)] = values
    return out


def reached(plan: NetworkProgram, parts: Parts, folds: Sequence[State]) -> dict[str, float]:
    """One seed's metrics on validation, each fold's lane at its best, weighted by the folds' sizes."""
    sizes = [len(rows) for rows in parts.validation]
    of_folds = [_at_best(plan, state) for state in folds]
    return {name: float(np.average([one[name] for one in of_folds], weights=sizes)) for name in plan.task.METRICS}


def _at_best(plan: NetworkProgram, state: State) -> dict[str, float]:
    """A lane's metrics at the validation whose weights it kept; NaN where it kept none."""
    place = int(state.best_epoch) // plan.validate_every - 1
    return {name: float(state.curves[name][place]) if place >= 0 else np.nan for name in plan.task.METRICS}


def ranked(config: Config, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates by their mean objective on validation over fresh seeds, best first, ties by trial.

    One that breaks a limit there comes after those that keep to them, and one that diverged on some seed, or was never
    good, after all others.
    """
    sign = config.task.sign(config.study.objective)
    limits = sorted(config.study.constraints.items())

    def key(one: Candidate) -> tuple[bool, float, float, int]:
        means = {name: float(values.mean()) for name, values in one.validation.items()}
        value = sign * means[config.study.objective]
        beyond = sum(max(0.0, limit.excess(means[name])) for name, limit in limits)
        trial = -1 if one.trial is None else one.trial
        return bool(diverged_steps(one)), beyond, np.inf if np.isnan(value) else value, trial

    return sorted(candidates, key=key)


def diverged_steps(one: Candidate) -> dict[int, int]:
    """The first step that was not finite, by the place of each seed on which a lane diverged."""
    steps = {i: [int(s.diverged_step) for s in folds if s.diverged_step >= 0] for i, folds in enumerate(one.states)}
    return {i: min(bad) for i, bad in steps.items() if bad}


def refit(config: Config, shape: Spec, data: Data, count: int, folder: Path) -> tuple[NetworkProgram, list[State]]:
    """Networks trained to the last epoch on `data`, which holds every labelled example and keeps none to choose by.

    They may train longer than the candidates did (`confirm.refit_epochs`): comparing takes many lanes, this takes few.
    Raises `UserError` where one of them diverges.
    """
    if config.confirm.refit_epochs is not None:
        config = config.replace({"training.epochs": config.confirm.refit_epochs})
    plan = build.build_plan(config, shape, data, searched=True, keep="last")
    lanes = [(rng.seed(config.seed, "refit", i), 0) for i in range(count)]
    ends = train_to_end(folder, data, {0: (plan, build.build_hyper(config), lanes)}, config.engine.width)[0]
    if any(state.diverged_step >= 0 for state in ends):
        raise UserError(
            "confirm.refit: the winner diverged when it was trained on all labelled examples; "
            "`confirm.refit: none` keeps its networks as they were confirmed"
        )
    return plan, ends


def best_seeds(config: Config, winner: Candidate) -> list[int]:
    """The places of the winner's seeds, best on validation first, ties in order.

    A seed is judged by the mean over its folds. One is left out where a lane was never good, or diverged; where that
    leaves none, the next best are taken.
    """
    sign = config.task.sign(config.study.objective)
    means = sign * winner.validation[config.study.objective]
    order = np.argsort(np.where(np.isnan(means), np.inf, means), kind="stable").tolist()
    good = [seed for seed in order if all(state.best_epoch > 0 for state in winner.states[seed])]
    return [seed for seed in good if all(state.diverged_step < 0 for state in winner.states[seed])] or good or order
