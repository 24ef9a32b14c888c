"""The tables trials.csv and curves.csv with one trial for each setting."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

STATES_BY_WEIGHT = ("diverged", "infeasible", "complete", "pruned")
"""Ends of trials: of a setting that was trained by several trials, the first of these counts."""


def merge_repeated_rows(
    trials: pd.DataFrame, curves: pd.DataFrame, objectives: Sequence[str], is_paired: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with one trial for each setting, under the number of its first trial.

    With `is_paired` seeds a repeated trial is a copy and is left out. Else it has seeds of its own: a setting has the
    means of `value`, `audit` and the further `objectives` over its trials, as `thalweg.search.trials.merge_repeats`.
    """
    if "same_as" not in trials or trials["same_as"].isna().all():
        return trials, curves
    if is_paired:
        return trials[trials["same_as"].isna()].reset_index(drop=True), curves
    first = trials["same_as"].fillna(trials["number"]).astype(int)
    weight = trials["state"].map({state: weight for weight, state in enumerate(STATES_BY_WEIGHT)})
    alike = trials[weight == weight.groupby(first).transform("min")].assign(first=first)
    names = [name for name in ("value", "audit", *objectives) if name in trials]
    means = alike.groupby("first")[names].mean()
    merged = alike.drop_duplicates("first").sort_values("first").reset_index(drop=True)
    merged[names] = means.to_numpy()
    merged = merged.assign(number=merged["first"], same_as=np.nan)
    rows = curves[curves["trial"].isin(alike["number"])]
    numbers = dict(zip(alike["number"], alike["first"], strict=True))
    return merged[list(trials)], rows.assign(trial=rows["trial"].map(numbers)).sort_values("trial", kind="stable")
