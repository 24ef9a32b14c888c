"""What a study found, as tables: the frames behind reports/trials.csv and reports/curves.csv."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from thalweg.config.experiment import Config
from thalweg.engine.results import LaneResult

CURVE_COLUMNS = ("train_loss", "train_spread", "val_loss", "learning_rate")


def build_curves_table(config: Config, lanes: Iterable[tuple[int | None, int, int, LaneResult]]) -> pd.DataFrame:
    """One row a validation of a lane (trial, seed, fold, result), up to where the lane ended.

    Where the loss has several terms, with what was noted of each (`thalweg.training.composite_loss.list_term_curves`).
    """
    every = config.training.validate_every
    columns = [*CURVE_COLUMNS[:3], *config.task.METRIC_DIRECTIONS, CURVE_COLUMNS[3]]
    parts = []
    for trial, seed, fold, one in lanes:
        reached = one.epochs // every
        names = [*columns, *sorted(name for name in one.curves if name.startswith("term"))]
        whose = {"trial": trial, "seed": seed, "fold": fold, "epoch": (np.arange(reached) + 1) * every}
        parts.append(pd.DataFrame(whose | {name: one.get_curve(name)[:reached] for name in names}))
    return pd.concat(parts, ignore_index=True).astype({"trial": "Int64"})
