"""The winner retrained with fewer images, without augmentation, or without a part of its loss."""

from typing import Literal

import numpy as np
import pandas as pd

from thalweg.reporting.tables import StudyTables
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import compare_with_zero, t_interval


def objective_by_seed(tables: StudyTables, ablation: str, share: float) -> pd.Series:
    """Return the winner's validation objective under an ablation, by seed; without seeds that diverged."""
    table = tables.ablations
    rows = table[(table["what"] == ablation) & (table["share"] == share) & table["diverged_step"].isna()]
    return rows.set_index("seed")[f"validation_{tables.objective}"].sort_index()


def compute_data_scaling(tables: StudyTables) -> pd.DataFrame:
    """Return one row per share of the images, ascending: share, images, mean value over seeds, low, high."""
    ablations, rows = tables.ablations, []
    if len(ablations) and f"validation_{tables.objective}" in ablations:
        counts = ablations[ablations["what"] == "images"].groupby("share", as_index=False)["images"].mean()
        for share, images in zip(counts["share"], counts["images"], strict=True):
            values = objective_by_seed(tables, "images", share)
            mean, interval = values.mean(), t_interval(values)
            low, high = (interval.low, interval.high) if interval else (mean, mean)
            rows.append((share, images, mean, low, high))
    return pd.DataFrame(rows, columns=["share", "images", "value", "low", "high"]).dropna().reset_index(drop=True)


def compute_effect(tables: StudyTables, ablation: str) -> Interval | None:
    """Return the change of the objective by `ablation`, paired by seed; for images, at the largest share below all."""
    share = 1.0
    if ablation == "images":
        scaling = compute_data_scaling(tables)
        if len(scaling) < 2:
            return None
        share = float(scaling["share"].iloc[-2])
    if tables.ablations.empty:
        return None
    return t_interval((objective_by_seed(tables, ablation, share) - objective_by_seed(tables, "images", 1.0)).dropna())


def judge_ablation(tables: StudyTables, ablation: str) -> Literal["better", "worse", "same"] | None:
    """Return whether the winner is better or worse with this ablation; None if it was not run."""
    effect = compute_effect(tables, ablation)
    return compare_with_zero(effect, tables.sign) if effect else None


def count_equal_images(tables: StudyTables, value: float) -> tuple[float, bool]:
    """Return how many images give the same value as `value`, and whether that number is an upper bound.

    Interpolates along the logarithm of the number of images. A value worse than that of the fewest images counts as
    theirs: an upper bound.
    """
    scaling = compute_data_scaling(tables)
    quality = np.maximum.accumulate(-tables.sign * scaling["value"].to_numpy())
    target = -tables.sign * value
    return float(np.exp(np.interp(target, quality, np.log(scaling["images"])))), bool(target <= quality[0])
