"""What the monitor says of each trial's learning curves, as a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from thalweg.stats import monitor

CURVE_COLUMNS = ("epoch", "train_loss", "val_loss", "learning_rate", "train_spread")


def build_verdict_table(
    objective: str, direction: str, curves: pd.DataFrame, diverged_steps: Mapping[Any, int]
) -> pd.DataFrame:
    """Judge a lane of each trial by its curves: trial, kind, since, evidence.

    `direction` says which way `objective` is better: "min", "max" or "zero". The lane is the first one, or the
    first that diverged; `diverged_steps` has the step at which a trial did.
    """
    rows = []
    for trial, lane in curves.groupby("trial", dropna=False, sort=True):
        lanes = [one for _, one in lane.groupby(["seed", "fold"], sort=False)]
        broken = [one for one in lanes if not np.isfinite(one[[objective, "train_loss", "val_loss"]]).all(axis=None)]
        first = (broken or lanes)[0]
        seen = {name: first[name].to_numpy() for name in CURVE_COLUMNS}
        metric, step = first[objective].to_numpy(), diverged_steps.get(trial)
        verdict = monitor.diagnose_curves(**seen, metric=metric, direction=direction, diverged_step=step)
        rows.append({"trial": trial, "kind": verdict.kind, "since": verdict.since, "evidence": verdict.evidence})
    return pd.DataFrame(rows, columns=["trial", "kind", "since", "evidence"])
