"""The monitor's verdicts on each trial's learning curves, as a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from thalweg.stats import monitor

CURVE_COLUMNS = ("epoch", "train_loss", "val_loss", "learning_rate", "train_spread")


def build_verdict_table(
    objective: str, direction: str, curves: pd.DataFrame, diverged_steps: Mapping[Any, int]
) -> pd.DataFrame:
    """Judge one lane of each trial by its curves: trial, kind, since, evidence.

    `direction` is the better direction of `objective`: "min", "max" or "zero". The lane is the first one that diverged,
    or else the first; `diverged_steps` holds the step at which a trial diverged.
    """
    rows = []
    for trial, trial_curves in curves.groupby("trial", dropna=False, sort=True):
        lanes = [lane for _, lane in trial_curves.groupby(["seed", "fold"], sort=False)]
        losses = [objective, "train_loss", "val_loss"]
        first = next((lane for lane in lanes if not np.isfinite(lane[losses]).all(axis=None)), lanes[0])
        columns = {name: first[name].to_numpy() for name in CURVE_COLUMNS}
        metric, step, start = first[objective].to_numpy(), diverged_steps.get(trial), _find_first_loss(first)
        verdict = monitor.diagnose_curves(
            **columns, metric=metric, direction=direction, diverged_step=step, first_loss=start
        )
        rows.append({"trial": trial, "kind": verdict.kind, "since": verdict.since, "evidence": verdict.evidence})
    return pd.DataFrame(rows, columns=["trial", "kind", "since", "evidence"])


def _find_first_loss(lane: pd.DataFrame) -> float:
    """Return a lane's loss before training; NaN if it is not known, or if coefficients changed the loss since."""
    coefficients = lane[[name for name in map(str, lane) if name.endswith(".coefficient")]].dropna()
    if "first_loss" not in lane or (coefficients.nunique() > 1).any():
        return np.nan
    return float(lane["first_loss"].iloc[0])
