"""How much losses still vary when training ends."""

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.mean_curves import compute_lane_means
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables
from thalweg.stats.curves import difference_std

MIN_VALIDATIONS = 5
BEST_TRIALS = 5
MIN_BATCH_SPREAD = 0.2
MIN_LOSS_SWING = 0.05
MIN_RATE_SHARE = 0.5
SWING_COLUMNS = ["trial", "spread", "swing", "rate"]


def compute_late_swings(tables: StudyTables) -> pd.DataFrame:
    """The winner and the best five trials, best first, over the last fifth of their validations: COLUMNS.

    `spread` is the standard deviation of batch losses within an epoch, as a share of the loss; `swing` that of the
    validation loss from one validation to the next, as a share of it too; `rate` the learning rate as a share of its
    peak. A loss that is not above 0 (`poisson` may be so) has no such shares.
    """
    if tables.ranked.empty or "train_spread" not in tables.curves:
        return pd.DataFrame(columns=SWING_COLUMNS, dtype=float)
    best = [int(trial) for trial in tables.ranked["number"].head(BEST_TRIALS)]
    lead = [] if tables.winner is None or tables.winner in best else [tables.winner]
    rows = []
    for trial in [*lead, *best]:
        own = tables.curves[tables.curves["trial"] == trial]
        mean = compute_lane_means(own, ["train_loss", "train_spread", "val_loss", "learning_rate"]).dropna()
        if len(mean) < MIN_VALIDATIONS:
            continue
        last = mean.tail(max(2, len(mean) // 5))
        some = mean["val_loss"].tail(max(MIN_VALIDATIONS, len(mean) // 5)).to_numpy()
        spread = swing = np.nan
        if (mean[["train_loss", "val_loss"]] > 0).all(axis=None):
            spread, swing = last["train_spread"].mean() / last["train_loss"].mean(), difference_std(some) / some.mean()
        rows.append((trial, spread, swing, last["learning_rate"].mean() / mean["learning_rate"].max()))
    return pd.DataFrame(rows, columns=SWING_COLUMNS)


def find_swinging_trials(tables: StudyTables) -> pd.DataFrame:
    """Those of `late` that still swing, at a learning rate that has not fallen, where most of them do.

    Batches of B examples differ by themselves: losses that are squares of normal errors by sqrt(2 / B) of their mean.
    So a spread is large above twice that, and above LARGE; and the loss on validation, which is always of the same
    examples, must move too, by MOVES of itself from one validation to the next.
    """
    ends = compute_late_swings(tables)
    size = list_trial_values(tables, "training.batch_size").astype(float).reindex(ends["trial"]).to_numpy()
    chance = 2 * np.sqrt(2 / np.where(np.isnan(size), np.inf, size))
    found = ends[
        (ends["spread"] > np.maximum(MIN_BATCH_SPREAD, chance))
        & (ends["swing"] > MIN_LOSS_SWING)
        & (ends["rate"] >= MIN_RATE_SHARE)
    ]
    most: pd.DataFrame = found if len(ends) > 2 and len(found) > len(ends) / 2 else found.head(0)
    return most
