"""The table of learning curves behind reports/curves.csv."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from thalweg.config.experiment import Config
from thalweg.engine.results import LaneResult

CURVE_COLUMNS = ("first_loss", "train_loss", "train_spread", "val_loss", "learning_rate")


def build_curves_table(config: Config, lanes: Iterable[tuple[int | None, int, int, LaneResult]]) -> pd.DataFrame:
    """Build a table with one row per validation of each lane (trial, seed, fold, result).

    `first_loss` is the loss of the first batch since the validation before. A loss of several terms adds its term
    curves (`thalweg.training.composite_loss.list_term_curves`).
    """
    validate_every = config.training.validate_every
    columns = [*CURVE_COLUMNS[:-1], *config.task.metric_directions, CURVE_COLUMNS[-1]]
    tables = []
    for trial, seed, fold, result in lanes:
        count = result.epochs // validate_every
        names = [*columns, *sorted(name for name in result.curves if name.startswith(("term.", "terms.")))]
        lane = {"trial": trial, "seed": seed, "fold": fold, "epoch": (np.arange(count) + 1) * validate_every}
        tables.append(pd.DataFrame(lane | {name: result.get_curve(name)[:count] for name in names}))
    return pd.concat(tables, ignore_index=True).astype({"trial": "Int64"})
