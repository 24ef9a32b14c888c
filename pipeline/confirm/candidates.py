"""The best trials and the baseline on fresh seeds: chosen on validation, compared on examples that chose nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine.fit import LaneState
from thalweg.engine.fleet import train_to_end
from thalweg.system.files import UserError
from thalweg.training import build, inference
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram


@dataclass(frozen=True)
class Candidate:
    """One set of values on fresh seeds: for each seed the ends of its folds, and its predictions.

    `predictions` [seeds, M, ...] are of the judged rows: on test the mean over a seed's folds, on validation each row's
    own fold. `scores` [seeds] by metric are of these predictions, `validation` of the kept weights on validation.
    """

    trial: int | None
    values: Setting
    plan: NetworkProgram
    states: tuple[tuple[LaneState, ...], ...]
    predictions: NDArray[Any]
    scores: dict[str, NDArray[np.float64]]
    validation_scores: dict[str, NDArray[np.float64]]


def select_judged_rows(parts: Splits) -> NDArray[np.int32]:
    """The rows that candidates are compared on: the test part, or all validation where there is none."""
    return parts.test if len(parts.test) else np.unique(np.concatenate(parts.validation))


def list_confirm_seeds(config: Config) -> list[int]:
    return [rng.derive_seed(config.seed, "confirm", i) for i in range(config.confirm.seeds)]


def apply_trial_values(config: Config, values: Setting) -> Config:
    """The experiment with a trial's values, trained as long as `confirm` says."""
    longer = {} if config.confirm.epochs is None else {"training.epochs": config.confirm.epochs}
    return config.replace_values(values | longer)


def train_candidates(
    config: Config,
    spec: DataSpec,
    splits: Splits,
    data: TrainingData,
    trials: Sequence[tuple[int | None, Setting]],
    folder: Path,
) -> list[Candidate]:
    """Each wanted (trial, values) on the same fresh seeds, the lanes of one program together.

    Values that mean the same experiment are trained once. Killed, training goes on from the snapshot in `folder`.
    """
    chosen = [apply_trial_values(config, values) for _, values in trials]
    same = [chosen.index(one) for one in chosen]
    plans = [build.build_plan(one, spec, data, searched=True) for one in chosen]
    lanes = [(seed, fold) for seed in list_confirm_seeds(config) for fold in range(len(splits.train))]
    wanted_lanes = {i: (plans[i], build.build_hyper(chosen[i]), lanes) for i in dict.fromkeys(same)}
    ends = train_to_end(folder, data, wanted_lanes, config.engine.width)
    found, rows = [], select_judged_rows(splits)
    for (trial, values), plan, i in zip(trials, plans, same, strict=True):
        states = by_seed(ends[i], len(splits.train))
        predictions = np.stack([_predict_judged_rows(splits, data, plan, folds) for folds in states])
        scores = [inference.scores(plan, one, data, rows) for one in predictions]
        validation = [mean_best_validation(plan, splits, folds) for folds in states]
        found.append(Candidate(trial, values, plan, states, predictions, _joined(scores), _joined(validation)))
    return found


def by_seed(states: Sequence[LaneState], folds: int) -> tuple[tuple[LaneState, ...], ...]:
    """Lanes in order of seed and fold, as each seed's folds."""
    return tuple(tuple(states[at : at + folds]) for at in range(0, len(states), folds))


def _joined(of_seeds: Sequence[dict[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([one[name] for one in of_seeds]) for name in of_seeds[0]}


def _predict_judged_rows(
    parts: Splits, data: TrainingData, plan: NetworkProgram, folds: Sequence[LaneState]
) -> NDArray[Any]:
    """One seed's predictions of the judged rows [M, ...]."""
    rows = select_judged_rows(parts)
    if len(parts.test):
        mean: NDArray[Any] = inference.predict_examples(plan, [state.best_weights for state in folds], data, rows).mean(
            0
        )
        return mean
    each = [
        inference.predict_examples(plan, [s.best_weights], data, r)[0]
        for s, r in zip(folds, parts.validation, strict=True)
    ]
    out = np.empty((len(rows), *each[0].shape[1:]), each[0].dtype)
    for own, values in zip(parts.validation, each, strict=True):
        out[np.searchsorted(rows, own)] = values
    return out


def mean_best_validation(plan: NetworkProgram, splits: Splits, fold_states: Sequence[LaneState]) -> dict[str, float]:
    """One seed's metrics on validation, each fold's lane at its best, weighted by the folds' sizes."""
    sizes = [len(rows) for rows in splits.validation]
    places = [int(state.best_epoch) // plan.validate_every - 1 for state in fold_states]  # -1 where it was never good
    kept = [(state.curves, place) for state, place in zip(fold_states, places, strict=True)]
    return {
        name: float(np.average([float(c[name][at]) if at >= 0 else np.nan for c, at in kept], weights=sizes))
        for name in plan.task.METRIC_DIRECTIONS
    }


def rank_candidates(config: Config, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates by their mean objective on validation over fresh seeds, best first, ties by trial.

    One that breaks a limit there comes after those that keep to them, and one that diverged on some seed, or was never
    good, after all others.
    """
    sign = config.task.cost_sign(config.study.objective)
    limits = sorted(config.study.constraints.items())

    def key(one: Candidate) -> tuple[bool, float, float, int]:
        means = {name: float(values.mean()) for name, values in one.validation_scores.items()}
        value = sign * means[config.study.objective]
        beyond = sum(max(0.0, limit.excess(means[name])) for name, limit in limits)
        trial = -1 if one.trial is None else one.trial
        diverged = any(diverged_step(folds) is not None for folds in one.states)
        return diverged, beyond, np.inf if np.isnan(value) else value, trial

    return sorted(candidates, key=key)


def diverged_step(folds: Sequence[LaneState]) -> int | None:
    """The first step that was not finite in any of a seed's lanes; None if all were."""
    return min((int(state.diverged_step) for state in folds if state.diverged_step >= 0), default=None)


def refit_winner(
    config: Config, spec: DataSpec, data: TrainingData, network_count: int, folder: Path
) -> tuple[NetworkProgram, list[LaneState]]:
    """Networks trained to the last epoch on `data`, which holds every labelled example and keeps none to choose by.

    They may train longer than the candidates did (`confirm.refit_epochs`): comparing takes many lanes, this takes few.
    Raises `UserError` where one of them diverges.
    """
    if config.confirm.refit_epochs is not None:
        config = config.replace_values({"training.epochs": config.confirm.refit_epochs})
    plan = build.build_plan(config, spec, data, searched=True, kept_weights="last")
    lanes = [(rng.derive_seed(config.seed, "refit", i), 0) for i in range(network_count)]
    ends = train_to_end(folder, data, {0: (plan, build.build_hyper(config), lanes)}, config.engine.width)[0]
    if any(state.diverged_step >= 0 for state in ends):
        raise UserError(
            "confirm.refit: the winner diverged when it was trained on all labelled examples; "
            "`confirm.refit: none` keeps its networks as they were confirmed"
        )
    return plan, ends


def rank_winner_seeds(config: Config, winner: Candidate) -> list[int]:
    """The places of the winner's seeds, best on validation first, ties in order.

    A seed is judged by the mean over its folds. One is left out where a lane was never good, or diverged; where that
    leaves none, the next best are taken.
    """
    sign = config.task.cost_sign(config.study.objective)
    means = sign * winner.validation_scores[config.study.objective]
    order = np.argsort(np.where(np.isnan(means), np.inf, means), kind="stable").tolist()
    good = [seed for seed in order if all(state.best_epoch > 0 for state in winner.states[seed])]
    return [seed for seed in good if all(state.diverged_step < 0 for state in winner.states[seed])] or good or order
