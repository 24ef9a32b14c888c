"""Mean curves of a trial over its lanes, the seeds and folds that it was trained on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from thalweg.reporting.tables import StudyTables
from thalweg.stats.trial_value import mean_at_best


def carry_last_forward(curves: pd.DataFrame) -> pd.DataFrame:
    """Repeat each lane's last row up to the last validation of its trial's longest lane.

    A lane that ran out of patience counts with its last value, as it does where trials are judged
    (`thalweg.search.trials.TrialScorer.curve`); without this, a mean would jump where a lane ends. A diverged lane ends
    without a value and has none afterwards.
    """
    if curves.empty:
        return curves
    lane_keys = [name for name in ("trial", "seed", "fold") if name in curves]
    lane_last, trial_last = (curves.groupby(keys)["epoch"].transform("max") for keys in (lane_keys, "trial"))
    ends = curves[(curves["epoch"] == lane_last) & (lane_last < trial_last)].rename(columns={"epoch": "ended"})
    if ends.empty:
        return curves
    missing = ends.merge(curves[["trial", "epoch"]].drop_duplicates(), on="trial")
    return pd.concat([curves, missing[missing["epoch"] > missing["ended"]][curves.columns]], ignore_index=True)


def values_by_epoch(curves: pd.DataFrame, metric: str, sign: int, value_column: str = "") -> pd.DataFrame:
    """Return each trial's value as if it had ended at each epoch [trials, epochs]: the mean of its lanes' own bests.

    The value is of `value_column` (default: the metric) at the epoch where the metric was best so far
    (`thalweg.stats.trial_value.mean_at_best`).
    """
    lane_keys = [name for name in ("trial", "seed", "fold") if name in curves]
    metric_table, value_table = (
        curves.pivot(index=lane_keys, columns="epoch", values=name) for name in (metric, value_column or metric)
    )
    cost, values = sign * metric_table.to_numpy(np.float64), value_table.to_numpy(np.float64)
    trials = metric_table.groupby(level="trial").indices
    values_by_trial = {trial: mean_at_best(cost[rows], values[rows]) for trial, rows in trials.items()}
    return pd.DataFrame.from_dict(values_by_trial, orient="index", columns=metric_table.columns)


def compute_lane_means(curves: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return means over lanes of some columns, sorted by trial and epoch; NaN if any lane has no value."""
    finite = carry_last_forward(curves)[["trial", "epoch", *columns]].replace([np.inf, -np.inf], np.nan)
    return finite.groupby(["trial", "epoch"], as_index=False)[list(columns)].mean(skipna=False)


def values_by_fold(tables: StudyTables, trials: list[int]) -> pd.DataFrame:
    """Return the objective of trials [rows] on each fold [columns]: means over seeds, at the epoch best for all lanes.

    Leaves out a trial without a value on some fold. Empty without folds.
    """
    curves, name = tables.curves, tables.objective
    if curves.empty or not {"fold", name} <= set(curves) or curves["fold"].nunique() < 2:
        return pd.DataFrame()
    carried = carry_last_forward(curves[curves["trial"].isin(trials)])
    means = compute_lane_means(carried, [name]).dropna()
    means[name] *= tables.sign
    best = means.sort_values([name, "epoch"], kind="stable").drop_duplicates("trial")[["trial", "epoch"]]
    values = carried.merge(best, on=["trial", "epoch"]).pivot_table(values=name, index="trial", columns="fold").dropna()
    return values.loc[[trial for trial in trials if trial in values.index]]
