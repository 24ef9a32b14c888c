"""Values of trials at one epoch that all of them reached, so that they can be compared."""

from dataclasses import dataclass

import pandas as pd

from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.tables import StudyTables


@dataclass(frozen=True)
class EqualTraining:
    """The values of trials after equally long training.

    - `values`: the objective by trial number; NaN if the trial diverged or broke a limit.
    - `epoch` of the comparison; None if each trial counts at its own end.
    - `unknown_count`: trials left out because they have no value at that epoch.
    """

    values: pd.Series
    epoch: int | None
    unknown_count: int = 0

    def to_costs(self, sign: int) -> pd.Series:
        """Return the values signed so that less is better; NaN becomes worse than all others."""
        costs = self.values * sign
        finite = costs.dropna()
        worst = float(finite.max() + (finite.max() - finite.min()) + 1.0) if len(finite) else 1.0
        return costs.fillna(worst)


def compare_equal_training(tables: StudyTables) -> EqualTraining:
    """Return each trial's own objective if none was stopped early, else its best up to the first rung.

    Only the better trials train on: comparing final values would hide why the others were stopped.
    """
    if tables.trials.empty:
        return EqualTraining(pd.Series(dtype=float), None)
    trials = tables.trials.sort_values("number").set_index("number")
    epoch = find_first_rung(tables)
    values = trials["value"] if epoch is None else compute_values_at_epoch(tables, epoch).reindex(trials.index)
    is_lost = trials["state"].isin(["diverged", "infeasible"])
    values = values.astype(float).mask(is_lost)
    is_known = values.notna() | is_lost
    return EqualTraining(values[is_known], epoch, int((~is_known).sum()))


def find_first_rung(tables: StudyTables) -> int | None:
    """Return the first epoch at which trials were stopped; None if none was, but for those that reported no value."""
    stopped = tables.trials[(tables.trials["state"] == "pruned") & tables.trials["value"].notna()]
    if stopped.empty:
        return None
    pruned_epochs = stopped["pruned_at"].dropna() if "pruned_at" in stopped else stopped.iloc[:0]["epochs"]
    if len(pruned_epochs):
        return int(pruned_epochs.min())
    return int(tables.setting("study.prune.first") or stopped["epochs"].min())


def compute_values_at_epoch(tables: StudyTables, epoch: int) -> pd.Series:
    """Return each trial's objective as if it had ended at an epoch, by number."""
    if tables.curves.empty or tables.objective not in tables.curves:
        return pd.Series(dtype=float)
    until = tables.curves[tables.curves["epoch"] <= epoch]
    return values_by_epoch(until, tables.objective, tables.sign).iloc[:, -1]
