"""What the monitor says of each trial's learning curves, as a table."""

import pandas as pd

from pipeline.config import Config
from pipeline.core import monitor


def of(config: Config, table: pd.DataFrame) -> pd.DataFrame:
    """What the monitor says of each trial's first lane: trial, kind, since, evidence."""
    objective = config.study.objective
    rows = []
    for trial, lane in table.groupby("trial", dropna=False, sort=True):
        first = lane[(lane["seed"] == lane["seed"].iloc[0]) & (lane["fold"] == lane["fold"].iloc[0])]
        verdict = monitor.diagnose(
            epoch=first["epoch"].to_numpy(),
            train_loss=first["train_loss"].to_numpy(),
            val_loss=first["val_loss"].to_numpy(),
            metric=first[objective].to_numpy(),
            direction=config.task.METRICS[objective],
            learning_rate=first["learning_rate"].to_numpy(),
            diverged_step=None,
            train_spread=first["train_spread"].to_numpy(),
        )
        rows.append({"trial": trial, "kind": verdict.kind, "since": verdict.since, "evidence": verdict.evidence})
    return pd.DataFrame(rows, columns=["trial", "kind", "since", "evidence"])
