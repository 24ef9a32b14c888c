"""What a study found, as tables: the frames behind reports/trials.csv and reports/curves.csv."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from thalweg.config.experiment import Config
from thalweg.engine.results import LaneResult

CURVE = ("train_loss", "train_spread", "val_loss", "learning_rate")


def curves_table(config: Config, lanes: Iterable[tuple[int | None, int, int, LaneResult]]) -> pd.DataFrame:
    """One row a validation of a lane (trial, seed, fold, result), up to where the lane ended.

    Where the loss has several terms, with what was noted of each (`thalweg.training.composite_loss.curves`).
    """
    every = config.training.validate_every
    columns = [*CURVE[:3], *config.task.METRICS, CURVE[3]]
    parts = []
    for trial, seed, fold, one in lanes:
        reached = one.epochs // every
        names = [*columns, *sorted(name for name in one.curves if name.startswith("term"))]
        part = pd.DataFrame({name: one.curve(name)[:reached] for name in names})
        part.insert(0, "epoch", (np.arange(reached) + 1) * every)
        part.insert(0, "fold", fold)
        part.insert(0, "seed", seed)
        part.insert(0, "trial", trial)
        parts.append(part)
    return pd.concat(parts, ignore_index=True).astype({"trial": "Int64"})
