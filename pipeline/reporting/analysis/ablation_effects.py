"""The winner retrained with fewer images, without augmentation, or without a part of its loss."""

from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import compare_with_zero, judge_together, t_interval


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


@cache_per_study
def compute_effects(tables: StudyTables) -> dict[str, Interval]:
    """Return the change of the objective by each ablation, paired by seed; for images, at the largest share below all.

    All share one reference, the full runs on the same seeds, and are judged together (Holm 1979): in 95 % of studies no
    interval wrongly leaves out zero. Those with fewer than two seeds are left out.
    """
    build_intervals = {name: partial(_build_interval, values) for name, values in _list_differences(tables).items()}
    return judge_together(build_intervals)


def _list_differences(tables: StudyTables) -> dict[str, pd.Series]:
    """List the changes by seed. A phase that alone gives its term a weight is left out: without it, the term is off."""
    if tables.ablations.empty:
        return {}
    shares = compute_data_scaling(tables)["share"].tolist()
    full = objective_by_seed(tables, "images", 1.0)
    values = {
        str(name): objective_by_seed(tables, str(name), 1.0)
        for name in dict.fromkeys(tables.ablations["what"])
        if name != "images"
    }
    if len(shares) > 1:
        values = {"images": objective_by_seed(tables, "images", shares[-2])} | values
    differences = {name: (each - full).dropna() for name, each in values.items()}
    terms = {name: differences.get(f"term {name.rpartition(' of ')[2]}") for name in differences}
    repeated = [
        name
        for name, term in terms.items()
        if name.startswith("phase ") and term is not None and differences[name].equals(term)
    ]
    return {name: each for name, each in differences.items() if len(each) > 1 and name not in repeated}


def _build_interval(values: pd.Series, comparisons: int) -> Interval:
    interval = t_interval(values, comparisons)
    assert interval is not None  # there are two values or more
    return interval


def judge_ablation(tables: StudyTables, ablation: str) -> Literal["better", "worse", "same"] | None:
    """Return whether the winner is better or worse with this ablation; None if it was not run."""
    effect = compute_effects(tables).get(ablation)
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
