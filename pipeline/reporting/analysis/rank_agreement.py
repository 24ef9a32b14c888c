"""How far two measures of the same trials agree on which of two is ahead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.tables import StudyTables

MIN_TRIALS = 10
"""Trials (as they count) below which nothing is said."""
MIN_AGREEMENT = 0.75
"""The share of pairs in order above which short runs foretell long ones."""
ETA = 2
"""The share 1 / ETA that a rung would keep."""


@dataclass(frozen=True)
class RankAgreement:
    """The share of pairs of trials that are in one order twice, with its 95 % interval, from `n` independent trials."""

    share: float
    low: float
    high: float
    n: float


def compute_agreement(first: ArrayLike, second: ArrayLike, weights: ArrayLike) -> RankAgreement | None:
    """How far two measures [n] of the same trials agree on their order; None for fewer than FEWEST trials.

    The share of pairs in the same order, ties half: (1 + tau) / 2 of Kendall's rank correlation. Each pair counts by
    the product of its `weights` [n] (Horvitz and Thompson 1952), which make n = sum(w)^2 / sum(w^2) trials of them
    (Kish 1965). The interval is that of atanh(tau), whose variance is 0.437 / (n - 4) (Fieller, Hartley and Pearson
    1957); where all pairs agree, as if one did not.
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
    near = 1 - 4 / (count * (count - 1))
    reach = float(ndtri(0.975)) * np.sqrt(0.437 / (count - 4))
    low, high = (float(np.tanh(np.arctanh(np.clip(tau, -near, near)) + way * reach)) for way in (-1, 1))
    return RankAgreement((1 + tau) / 2, (1 + min(low, tau)) / 2, (1 + max(high, tau)) / 2, count)


@dataclass(frozen=True)
class FinishedTrials:
    """Trials that trained to the end: their best cost so far [trial, epoch], and how many each of them stands for."""

    best_costs: pd.DataFrame
    weights: pd.Series

    @property
    def epochs(self) -> list[int]:
        return [int(epoch) for epoch in self.best_costs.columns]

    @property
    def last_epoch(self) -> int:
        return self.epochs[-1]

    def agreement_at(self, epoch: int) -> RankAgreement | None:
        """How far the order at an epoch is that of the end."""
        return compute_agreement(self.best_costs[epoch], self.best_costs[self.last_epoch], self.weights)


def select_finished_trials(tables: StudyTables) -> FinishedTrials | None:
    """Those of one length of training that learned something; None where there are not enough.

    What was stopped and audited stands for 1 / `study.prune.audit` trials, all that were stopped; where trials were
    stopped and none audited, those that were kept tell nothing of the others.
    """
    if tables.curves.empty or tables.objective not in tables.curves or tables.trials.empty:
        return None
    trials = constant_trials.drop_constant_trials(tables, tables.trials)
    audited = trials["audit"].notna() if "audit" in trials else pd.Series(False, index=trials.index)
    stopped = trials["state"] == "pruned"
    if stopped.any() and not audited.any():
        return None
    kept = trials[(trials["state"] == "complete") | (stopped & audited)]
    if "training.epochs" in kept and len(kept):
        kept = kept[kept["training.epochs"] == kept["training.epochs"].mode().max()]
    chance = float(tables.setting("study.prune.audit") or 1.0)
    weights = pd.Series(np.where(kept["state"] == "pruned", 1 / chance, 1.0), index=kept["number"].astype(int))
    curves = tables.curves[tables.curves["trial"].isin(weights.index)]
    so_far = tables.sign * values_by_epoch(curves, tables.objective, tables.sign).dropna()
    so_far.index = so_far.index.astype(int)
    if so_far.shape[1] < 4 or len(so_far) < MIN_TRIALS:
        return None
    return FinishedTrials(so_far, weights.reindex(so_far.index))


def list_judged_epochs(tables: StudyTables, epochs: list[int]) -> list[int]:
    """The epochs at which trials are judged; a quarter and half of the training where none are.

    Those at which some lost, where it is known: restarts of the schedule move them, and brackets leave some out.
    """
    prune: Mapping[str, Any] | None = tables.setting("study.prune")
    lost = tables.trials["pruned_at"].dropna() if "pruned_at" in tables.trials else ()
    if len(lost):
        wanted = sorted({int(epoch) for epoch in lost if epoch < epochs[-1]})
    elif prune:
        first, eta = int(prune["first"]), int(prune.get("eta", 3))
        wanted = [first * eta**step for step in range(32) if first * eta**step < epochs[-1]]
    else:
        wanted = [-(-epochs[-1] // 4), -(-epochs[-1] // 2)]
    found = (next(epoch for epoch in epochs if epoch >= each) for each in wanted)
    return sorted({epoch for epoch in found if epoch < epochs[-1]})


@dataclass(frozen=True)
class HypotheticalRung:
    """What one rung would have come to: its best trial, by how much that is worse than the best, and epochs."""

    best_trial: int
    shortfall: float
    epochs_saved: int
    epochs_spent: int


def simulate_rung(tables: StudyTables, finished: FinishedTrials, epoch: int) -> HypotheticalRung:
    """The trials that trained to the end, had only the better 1 / ETA of each cohort gone on from an epoch."""
    cohort = max(2, int(tables.setting("study.cohort", 2)))
    now, end = finished.best_costs[epoch], finished.best_costs[finished.last_epoch]
    of_cohort = now.groupby(now.index // cohort)
    going = now[of_cohort.rank(method="first") <= np.ceil(of_cohort.transform("size") / ETA)].index
    best = end[going].idxmin()
    saved = (len(now) - len(going)) * (finished.last_epoch - epoch)
    return HypotheticalRung(int(best), float(end[best] - end.min()), saved, len(now) * finished.last_epoch)
