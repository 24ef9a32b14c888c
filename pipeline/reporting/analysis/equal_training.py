"""What trials had reached at one epoch that all of them came to, so that they can be compared."""

from dataclasses import dataclass

import pandas as pd

from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.tables import StudyTables


@dataclass(frozen=True)
class EqualTraining:
    """How good trials were, all after equally long training.

    - `values`: by number of trial, the objective; NaN where the trial diverged or broke a limit.
    - `epoch`: at which they are compared, None where each trained to its end.
    - `unknown`: trials that are left out, having no value at that epoch.
    """

    values: pd.Series
    epoch: int | None
    unknown_count: int = 0

    def to_costs(self, sign: int) -> pd.Series:
        """The values turned so that less is better; what diverged or broke a limit is worse than all others."""
        turned = self.values * sign
        known = turned.dropna()
        worst = float(known.max() + (known.max() - known.min()) + 1.0) if len(known) else 1.0
        return turned.fillna(worst)

    def describe_epoch(self) -> str:
        """At which epoch, in words."""
        return "at the end of training" if self.epoch is None else f"by epoch {self.epoch}"


def compare_equal_training(tables: StudyTables) -> EqualTraining:
    """The objective of each trial: its own where none was stopped early, else the best until the first rung.

    Those that trained on are the better ones: what they have in common would hide what the others were stopped for.
    """
    if tables.trials.empty:
        return EqualTraining(pd.Series(dtype=float), None)
    trials = tables.trials.sort_values("number").set_index("number")
    epoch = find_first_rung(tables)
    values = trials["value"] if epoch is None else compute_values_at_epoch(tables, epoch).reindex(trials.index)
    lost = trials["state"].isin(["diverged", "infeasible"])
    values = values.astype(float).mask(lost)
    kept = values.notna() | lost
    return EqualTraining(values[kept], epoch, int((~kept).sum()))


def find_first_rung(tables: StudyTables) -> int | None:
    """The first epoch at which trials were stopped; None where none was."""
    stopped = tables.trials[tables.trials["state"] == "pruned"]
    if stopped.empty:
        return None
    at = stopped["pruned_at"].dropna() if "pruned_at" in stopped else stopped.iloc[:0]["epochs"]
    asked = tables.setting("study.prune.first")
    return int(at.min()) if len(at) else int(asked) if asked else int(stopped["epochs"].min())


def compute_values_at_epoch(tables: StudyTables, epoch: int) -> pd.Series:
    """Return each trial's objective, had it ended at an epoch, by number."""
    if tables.curves.empty or tables.objective not in tables.curves:
        return pd.Series(dtype=float)
    until = tables.curves[tables.curves["epoch"] <= epoch]
    return values_by_epoch(until, tables.objective, tables.sign).iloc[:, -1]
