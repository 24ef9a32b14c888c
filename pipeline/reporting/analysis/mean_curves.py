"""Curves of a trial as one: the means over its lanes, the seeds and folds that it was trained on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from thalweg.reporting.tables import StudyTables
from thalweg.stats.trial_value import mean_at_best


def carry_last_forward(curves: pd.DataFrame) -> pd.DataFrame:
    """The curves, each lane's last row repeated up to the last validation of its trial's longest lane.

    So a lane that lost patience counts with what it ended at, as it does where trials are judged
    (`thalweg.search.trials.TrialScorer.curve`); a mean over those that are left would jump where one ends. What
    diverged ends without a value, and has none from there on.
    """
    if curves.empty:
        return curves
    lanes = [name for name in ("trial", "seed", "fold") if name in curves]
    own, whole = (curves.groupby(keys)["epoch"].transform("max") for keys in (lanes, "trial"))
    ends = curves[(curves["epoch"] == own) & (own < whole)].rename(columns={"epoch": "ended"})
    if ends.empty:
        return curves
    more = ends.merge(curves[["trial", "epoch"]].drop_duplicates(), on="trial")
    return pd.concat([curves, more[more["epoch"] > more["ended"]][curves.columns]], ignore_index=True)


def values_by_epoch(curves: pd.DataFrame, metric: str, sign: int, value_column: str = "") -> pd.DataFrame:
    """Return each trial's value, had it ended at each epoch [trials, epochs]: a mean over lanes of each one's own best.

    The value is of the column `value_column`, by default of the metric itself, where the metric was best so far
    (`thalweg.stats.trial_value.mean_at_best`).
    """
    lanes = [name for name in ("trial", "seed", "fold") if name in curves]
    best, kept = (curves.pivot(index=lanes, columns="epoch", values=name) for name in (metric, value_column or metric))
    cost, values = sign * best.to_numpy(np.float64), kept.to_numpy(np.float64)
    trials = best.groupby(level="trial").indices
    rows = {trial: mean_at_best(cost[own], values[own]) for trial, own in trials.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=best.columns)


def compute_lane_means(curves: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Means over lanes of some columns: one row a trial and epoch, sorted; NaN where any lane has no value."""
    known = carry_last_forward(curves)[["trial", "epoch", *columns]].replace([np.inf, -np.inf], np.nan)
    return known.groupby(["trial", "epoch"], as_index=False)[list(columns)].mean(skipna=False)


def values_by_fold(tables: StudyTables, trials: list[int]) -> pd.DataFrame:
    """The objective of trials [rows] on each fold [columns]: means over seeds, at the epoch that is best for all lanes.

    A trial without a value on some fold is left out. Empty where there are no folds.
    """
    curves, name = tables.curves, tables.objective
    if curves.empty or not {"fold", name} <= set(curves) or curves["fold"].nunique() < 2:
        return pd.DataFrame()
    own = carry_last_forward(curves[curves["trial"].isin(trials)])
    mean = compute_lane_means(own, [name]).dropna()
    mean[name] *= tables.sign
    best = mean.sort_values([name, "epoch"], kind="stable").drop_duplicates("trial")[["trial", "epoch"]]
    wide = own.merge(best, on=["trial", "epoch"]).pivot_table(values=name, index="trial", columns="fold").dropna()
    return wide.loc[[trial for trial in trials if trial in wide.index]]
