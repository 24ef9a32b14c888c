"""Candidates: the best trials and the baseline, trained on fresh seeds and chosen on the validation set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.prepared import PreparedData
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState, name_curves
from thalweg.engine.fleet import train_to_end
from thalweg.stats.trial_value import mean_at_best
from thalweg.system import progress
from thalweg.system.files import UserError
from thalweg.training import build, inference
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram


@dataclass(frozen=True)
class Candidate:
    """One set of values on fresh seeds: for each seed, the final states of its folds, and its predictions.

    `predictions` [seeds, M, ...] are of the judged rows: the mean over a seed's folds on the test set, or each row by
    its own fold on the validation set. `scores` [seeds] by metric are of these predictions; `validation_scores` are of
    the kept weights on the validation set.
    """

    trial: int | None
    values: Setting
    plan: NetworkProgram
    states: tuple[tuple[LaneState, ...], ...]
    predictions: NDArray[Any]
    scores: dict[str, NDArray[np.float64]]
    validation_scores: dict[str, NDArray[np.float64]]


def select_judged_rows(splits: Splits) -> NDArray[np.int32]:
    """Return the rows that candidates are compared on: the test set, or all validation rows without one."""
    return splits.test if len(splits.test) else np.unique(np.concatenate(splits.validation))


def list_confirm_seeds(config: Config) -> list[int]:
    return [rng.derive_seed(config.seed, "confirm", i) for i in range(config.confirm.seeds)]


def apply_trial_values(config: Config, values: Setting) -> Config:
    """Return the experiment with a trial's values, and with the epochs of `confirm`."""
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
    """Train each (trial, values) on the same fresh seeds, all lanes of one program together; `data` is on the host.

    Values that give the same experiment are trained once. After a kill, training resumes from the snapshot in `folder`.
    """
    configs = [apply_trial_values(config, values) for _, values in trials]
    first_index = [configs.index(item) for item in configs]
    plans = [build.build_plan(item, spec, data, searched=True) for item in configs]
    lanes = [(seed, fold) for seed in list_confirm_seeds(config) for fold in range(len(splits.train))]
    targets = {i: (plans[i], build.build_hyper(configs[i]), lanes) for i in dict.fromkeys(first_index)}
    ends = train_to_end(folder, data, targets, "training on fresh seeds", build.build_engine_options(config))
    data = copy_to_devices(data)
    candidates, rows = [], select_judged_rows(splits)
    trained = list(zip(trials, plans, first_index, strict=True))
    for (trial, values), plan, i in progress.track(trained, "judging", len(trained), "candidate"):
        states = group_by_seed(ends[i], len(splits.train))
        predictions = np.stack([_predict_judged_rows(splits, data, plan, folds) for folds in states])
        scores = [inference.score_rows(plan, item, data, rows) for item in predictions]
        validation = [average_best_validation(plan, splits, folds) for folds in states]
        candidates.append(
            Candidate(
                trial, values, plan, states, predictions, _join_seed_scores(scores), _join_seed_scores(validation)
            )
        )
    return candidates


def group_by_seed(states: Sequence[LaneState], folds: int) -> tuple[tuple[LaneState, ...], ...]:
    """Group lanes, which are in order of seed and fold, into each seed's folds."""
    return tuple(tuple(states[start : start + folds]) for start in range(0, len(states), folds))


def _join_seed_scores(seed_scores: Sequence[dict[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array([scores[name] for scores in seed_scores]) for name in seed_scores[0]}


def _predict_judged_rows(
    splits: Splits, data: TrainingData, plan: NetworkProgram, folds: Sequence[LaneState]
) -> NDArray[Any]:
    """Return one seed's predictions of the judged rows [M, ...]."""
    rows = select_judged_rows(splits)
    if len(splits.test):
        networks = [state.best_weights for state in folds]
        mean: NDArray[Any] = inference.predict_examples(plan, networks, data, rows).mean(0)
        return mean
    fold_predictions = [
        inference.predict_examples(plan, [s.best_weights], data, r)[0]
        for s, r in zip(folds, splits.validation, strict=True)
    ]
    merged = np.empty((len(rows), *fold_predictions[0].shape[1:]), fold_predictions[0].dtype)
    for fold_rows, values in zip(splits.validation, fold_predictions, strict=True):
        merged[np.searchsorted(rows, fold_rows)] = values
    return merged


def average_best_validation(plan: NetworkProgram, splits: Splits, fold_states: Sequence[LaneState]) -> dict[str, float]:
    """Return one seed's metrics on the validation set: each fold's lane at its best, weighted by the folds' sizes.

    NaN where a lane was never good.
    """
    sizes = np.array([len(rows) for rows in splits.validation])
    lanes = [name_curves(plan, state) for state in fold_states]
    ends = np.array([int(state.best_epoch) // plan.validate_every for state in fold_states])
    curves = {name: np.array([lane[name] for lane in lanes], np.float64) for name in plan.task.metric_directions}
    # up to the kept weights: what a lane measured once it diverged is no result
    kept = {name: np.where(np.arange(curve.shape[1]) < ends[:, None], curve, np.nan) for name, curve in curves.items()}
    cost = plan.objective_sign * kept[plan.objective]
    return {name: float(mean_at_best(cost, values, sizes)[-1]) for name, values in kept.items()}


def rank_candidates(config: Config, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Sort candidates by their mean objective on the validation set over fresh seeds, best first, ties by trial.

    A candidate that breaks a limit comes after all that keep the limits. One that diverged on some seed, or was never
    good, comes after all others.
    """
    sign = config.task.cost_sign(config.study.objective)
    limits = sorted(config.study.constraints.items())

    def compute_rank_key(candidate: Candidate) -> tuple[bool, float, float, int]:
        means = {name: float(values.mean()) for name, values in candidate.validation_scores.items()}
        value = sign * means[config.study.objective]
        violation = sum(max(0.0, limit.compute_excess(means[name])) for name, limit in limits)
        trial = -1 if candidate.trial is None else candidate.trial
        diverged = any(find_diverged_step(folds) is not None for folds in candidate.states)
        return diverged, violation, np.inf if np.isnan(value) else value, trial

    return sorted(candidates, key=compute_rank_key)


def find_diverged_step(folds: Sequence[LaneState]) -> int | None:
    """Return the first step that was not finite in any of a seed's lanes; None if all were finite."""
    return min((int(state.diverged_step) for state in folds if state.diverged_step >= 0), default=None)


def build_refit_data(config: Config, loaded: PreparedData) -> TrainingData:
    """Build data of one fold that trains on every labelled example, with its copies."""
    rows = np.arange(len(loaded.examples) - len(loaded.copy_origins), dtype=np.int32)
    splits = Splits((rows,), (rows,), np.zeros(0, np.int32))
    return build.build_data(config, loaded.examples, splits, loaded.copy_origins)


def refit_winner(
    config: Config, spec: DataSpec, data: TrainingData, network_count: int, folder: Path
) -> tuple[NetworkProgram, list[LaneState]]:
    """Train networks to the last epoch on `data`, which holds every labelled example and no validation examples.

    They may train longer than the candidates did (`confirm.refit_epochs`), because they take few lanes.
    Raises `UserError` where one of them diverges.
    """
    if config.confirm.refit_epochs is not None:
        config = config.replace_values({"training.epochs": config.confirm.refit_epochs})
    plan = build.build_plan(config, spec, data, searched=True, kept_weights="last")
    lanes = [(rng.derive_seed(config.seed, "refit", i), 0) for i in range(network_count)]
    trials = {0: (plan, build.build_hyper(config), lanes)}
    ends = train_to_end(folder, data, trials, "training on all examples", build.build_engine_options(config))[0]
    if any(state.diverged_step >= 0 for state in ends):
        raise UserError(
            "confirm.refit: the winner diverged when it was trained on all labelled examples. "
            "Set `confirm.refit: none` to keep its confirmed networks."
        )
    return plan, ends


def rank_winner_seeds(config: Config, winner: Candidate) -> list[int]:
    """Return the indices of the winner's seeds, best on the validation set first, ties in order.

    A seed is judged by the mean over its folds. Seeds with a lane that diverged or was never good are left out; where
    none remain, the next best are taken.
    """
    sign = config.task.cost_sign(config.study.objective)
    means = sign * winner.validation_scores[config.study.objective]
    order = np.argsort(np.where(np.isnan(means), np.inf, means), kind="stable").tolist()
    good = [seed for seed in order if all(state.best_epoch > 0 for state in winner.states[seed])]
    return [seed for seed in good if all(state.diverged_step < 0 for state in winner.states[seed])] or good or order
