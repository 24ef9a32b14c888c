"""The winner trained again with less: fewer images, no augmentation, without a part of its loss."""

from typing import Literal

import numpy as np
import pandas as pd

from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import Interval, compare_with_zero, t_interval


def objective_by_seed(tables: StudyTables, ablation: str, share: float) -> pd.Series:
    """The winner's objective on validation with so much less, by seed; where training diverged there is none."""
    less = tables.ablations
    rows = less[(less["what"] == ablation) & (less["share"] == share) & less["diverged_step"].isna()]
    return rows.set_index("seed")[f"validation_{tables.objective}"].sort_index()


def compute_data_scaling(tables: StudyTables) -> pd.DataFrame:
    """One row a share of the images, from few to all: share, images, the mean value over seeds, its low and high."""
    less, rows = tables.ablations, []
    if len(less) and f"validation_{tables.objective}" in less:
        counts = less[less["what"] == "images"].groupby("share", as_index=False)["images"].mean()
        for share, images in zip(counts["share"], counts["images"], strict=True):
            values = objective_by_seed(tables, "images", share)
            mean, known = values.mean(), t_interval(values)
            low, high = (known.low, known.high) if known else (mean, mean)
            rows.append((share, images, mean, low, high))
    return pd.DataFrame(rows, columns=["share", "images", "value", "low", "high"]).dropna().reset_index(drop=True)


def compute_effect(tables: StudyTables, ablation: str) -> Interval | None:
    """What the objective differs by without `ablation`, seed by seed; of images, with the largest part but all."""
    share = 1.0
    if ablation == "images":
        known = compute_data_scaling(tables)
        if len(known) < 2:
            return None
        share = float(known["share"].iloc[-2])
    if tables.ablations.empty:
        return None
    return t_interval((objective_by_seed(tables, ablation, share) - objective_by_seed(tables, "images", 1.0)).dropna())


def judge_ablation(tables: StudyTables, ablation: str) -> Literal["better", "worse", "same"] | None:
    """Whether the winner is better or worse without it; None where that was not tried."""
    apart = compute_effect(tables, ablation)
    return compare_with_zero(apart, tables.sign) if apart else None


def count_equal_images(tables: StudyTables, value: float) -> tuple[float, bool]:
    """How many images do with augmentation what a value says, and whether it is at most so many.

    Between the sizes that were trained, along the logarithm of their number; a value worse than at the smallest is of
    no more images than that.
    """
    known = compute_data_scaling(tables)
    quality = np.maximum.accumulate(-tables.sign * known["value"].to_numpy())
    wanted = -tables.sign * value
    return float(np.exp(np.interp(wanted, quality, np.log(known["images"])))), bool(wanted <= quality[0])
