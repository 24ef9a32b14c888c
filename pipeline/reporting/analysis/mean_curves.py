"""Curves of a trial as one: the means over its lanes, the seeds and folds that it was trained on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from thalweg.stats.curves import mean_at_best


def carried(curves: pd.DataFrame) -> pd.DataFrame:
    """The curves, each lane's last row repeated up to the last validation of its trial's longest lane.

    So a lane that lost patience counts with what it ended at, as it does where trials are judged
    (`thalweg.search.trials.Judge.curve`); a mean over those that are left would jump where one ends. What diverged
    ends without a value, and has none from there on.
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


def values_by_epoch(curves: pd.DataFrame, metric: str, sign: int, of: str = "") -> pd.DataFrame:
    """Return each trial's value, had it ended at each epoch [trials, epochs]: a mean over lanes of each one's own best.

    The value is of the column `of`, by default of the metric itself, where the metric was best so far
    (`thalweg.stats.curves.mean_at_best`).
    """
    lanes = [name for name in ("trial", "seed", "fold") if name in curves]
    best, kept = (curves.pivot(index=lanes, columns="epoch", values=name) for name in (metric, of or metric))
    cost, values = sign * best.to_numpy(np.float64), kept.to_numpy(np.float64)
    trials = best.groupby(level="trial").indices
    rows = {trial: mean_at_best(cost[own], values[own]) for trial, own in trials.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=best.columns)


def means(curves: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Means over lanes of some columns: one row a trial and epoch, sorted; NaN where any lane has no value."""
    known = carried(curves)[["trial", "epoch", *columns]].replace([np.inf, -np.inf], np.nan)
    return known.groupby(["trial", "epoch"], as_index=False)[list(columns)].mean(skipna=False)
