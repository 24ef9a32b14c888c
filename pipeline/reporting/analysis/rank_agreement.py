"""How far two measures of the same trials agree on their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.tables import StudyTables, cache_per_study

MIN_TRIALS = 10  # effective ones; fewer say nothing
MIN_AGREEMENT = 0.75  # the share of pairs in order above which short runs predict long ones
ETA = 2  # a rung would keep the share 1 / ETA


@dataclass(frozen=True)
class RankAgreement:
    """The share of pairs of trials that two measures order alike, with its 95 % interval, from `n` effective trials."""

    share: float
    low: float
    high: float
    n: float


def compute_agreement(first: ArrayLike, second: ArrayLike, weights: ArrayLike) -> RankAgreement | None:
    """Compute the agreement of two measures [n] on the order of trials; None for fewer than MIN_TRIALS.

    The share of pairs in the same order, ties counting half: (1 + tau) / 2 of Kendall's rank correlation. Each pair
    counts by the product of its `weights` [n] (Horvitz and Thompson 1952), which give n = sum(w)^2 / sum(w^2) effective
    trials (Kish 1965). The interval is that of atanh(tau), with variance 0.437 / (n - 4) (Fieller, Hartley and Pearson
    1957); if all pairs agree, as if one did not.
    """
    x, y, w = (np.asarray(values, np.float64) for values in (first, second, weights))
    if not len(w):
        return None
    count = float(w.sum() ** 2 / (w**2).sum())
    if count < MIN_TRIALS:
        return None
    signs: NDArray[np.float64] = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    pairs = np.triu(w[:, None] * w, 1)
    tau = float((signs * pairs).sum() / pairs.sum())
    max_tau = 1 - 4 / (count * (count - 1))
    margin = float(ndtri(0.975)) * np.sqrt(0.437 / (count - 4))
    low, high = (float(np.tanh(np.arctanh(np.clip(tau, -max_tau, max_tau)) + side * margin)) for side in (-1, 1))
    return RankAgreement((1 + tau) / 2, (1 + min(low, tau)) / 2, (1 + max(high, tau)) / 2, count)


@dataclass(frozen=True)
class FinishedTrials:
    """Trials that trained to the end: their best cost so far [trial, epoch], and the weight of each."""

    best_costs: pd.DataFrame
    weights: pd.Series

    @property
    def epochs(self) -> list[int]:
        return [int(epoch) for epoch in self.best_costs.columns]

    @property
    def last_epoch(self) -> int:
        return self.epochs[-1]

    def agreement_at(self, epoch: int) -> RankAgreement | None:
        """Compute the agreement of the orders at an epoch and at the end."""
        return compute_agreement(self.best_costs[epoch], self.best_costs[self.last_epoch], self.weights)


def count_finished_trials(tables: StudyTables) -> int:
    """Count the trials that trained to the end, audited ones included."""
    audited = int(tables.trials["audit"].notna().sum()) if "audit" in tables.trials else 0
    return tables.count_trials("complete") + audited


@cache_per_study
def select_finished_trials(tables: StudyTables) -> FinishedTrials | None:
    """Select trials of one length of training that learned something; None if there are too few.

    A stopped and audited trial counts as 1 / `study.prune.audit` trials, for all that were stopped. If trials were
    stopped and none was audited, the finished ones say nothing about the others: None.
    """
    if tables.curves.empty or tables.objective not in tables.curves or tables.trials.empty:
        return None
    trials = constant_trials.drop_constant_trials(tables, tables.trials)
    audited = trials["audit"].notna() if "audit" in trials else pd.Series(False, index=trials.index)
    stopped = trials["state"] == "pruned"
    if stopped.any() and not audited.any():
        return None
    finished = trials[(trials["state"] == "complete") | (stopped & audited)]
    if "training.epochs" in finished and len(finished):
        finished = finished[finished["training.epochs"] == finished["training.epochs"].mode().max()]
    chance = float(tables.setting("study.prune.audit") or 1.0)
    weights = pd.Series(np.where(finished["state"] == "pruned", 1 / chance, 1.0), index=finished["number"].astype(int))
    curves = tables.curves[tables.curves["trial"].isin(weights.index)]
    so_far = tables.sign * values_by_epoch(curves, tables.objective, tables.sign).dropna()
    so_far.index = so_far.index.astype(int)
    if so_far.shape[1] < 4 or len(so_far) < MIN_TRIALS:
        return None
    return FinishedTrials(so_far, weights.reindex(so_far.index))


def list_judged_epochs(tables: StudyTables, epochs: list[int]) -> list[int]:
    """List the epochs at which trials are judged; a quarter and half of the training if none are.

    Taken from the stopped trials if known: restarts of the schedule move rungs, and brackets skip some.
    """
    prune: Mapping[str, Any] | None = tables.setting("study.prune")
    pruned_epochs = tables.trials["pruned_at"].dropna() if "pruned_at" in tables.trials else ()
    if len(pruned_epochs):
        rungs = sorted({int(epoch) for epoch in pruned_epochs if epoch < epochs[-1]})
    elif prune:
        return list_rungs(int(prune["first"]), int(prune.get("eta", 3)), epochs)
    else:
        rungs = [-(-epochs[-1] // 4), -(-epochs[-1] // 2)]
    return _round_to_validations(rungs, epochs)


def list_rungs(first: int, eta: int, epochs: list[int]) -> list[int]:
    """List the validated epochs at which successive halving compares trials: from `first` on, times `eta`."""
    return _round_to_validations([first * eta**step for step in range(32) if first * eta**step < epochs[-1]], epochs)


def _round_to_validations(rungs: list[int], epochs: list[int]) -> list[int]:
    judged = (next(epoch for epoch in epochs if epoch >= rung) for rung in rungs)
    return sorted({epoch for epoch in judged if epoch < epochs[-1]})


@dataclass(frozen=True)
class HypotheticalStopping:
    """The outcome of early stopping at `rungs`: its best trial, how much worse that is than the best of all, epochs."""

    rungs: tuple[int, ...]

    best_trial: int
    full_best_trial: int
    shortfall: float
    epochs_saved: int
    epochs_spent: int


def simulate_stopping(tables: StudyTables, finished: FinishedTrials, first: int) -> HypotheticalStopping:
    """Simulate `study.prune: {first, eta: ETA}`: at each rung only the better 1 / ETA of each cohort continue.

    Cohorts are of finished trials. `epochs_saved` is without an audit, which trains some stopped trials to the end.
    """
    cohort = max(2, int(tables.setting("study.cohort", 2)))
    costs, end, saved = finished.best_costs, finished.best_costs[finished.last_epoch], 0
    rungs, alive = list_rungs(first, ETA, finished.epochs), finished.best_costs.index
    for epoch in rungs:
        rung = costs.loc[alive, epoch]
        cohorts = rung.groupby(alive // cohort)
        survivors = alive[cohorts.rank(method="first") <= np.ceil(cohorts.transform("size") / ETA)]
        saved += (len(alive) - len(survivors)) * (finished.last_epoch - epoch)
        alive = survivors
    best, full_best = (int(trials[int(end[trials].argmin())]) for trials in (alive, end.index))
    shortfall, spent = float(end[best] - end[full_best]), len(end) * finished.last_epoch
    return HypotheticalStopping(tuple(rungs), best, full_best, shortfall, saved, spent)
