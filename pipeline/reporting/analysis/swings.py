"""Swings of the losses at the end of training."""

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.mean_curves import compute_lane_means
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.curves import difference_std

MIN_VALIDATIONS = 5
BEST_TRIALS = 5
MIN_BATCH_SPREAD = 0.2  # of batch losses, as a share of the loss
MIN_LOSS_SWING = 0.05  # of the validation loss, as a share of it
MIN_RATE_SHARE = 0.5  # of the peak learning rate: above it, the rate has not fallen
SWING_COLUMNS = ["trial", "spread", "swing", "rate"]


@cache_per_study
def compute_late_swings(tables: StudyTables) -> pd.DataFrame:
    """Return SWING_COLUMNS of the winner and the best five trials, best first, over their last fifth of validations.

    `spread`: standard deviation of batch losses within an epoch, divided by the loss. `swing`: that of the validation
    loss between validations, divided by it. `rate`: the learning rate divided by its peak. Spread and swing need
    positive losses (`poisson` may be negative).
    """
    if tables.ranked.empty or "train_spread" not in tables.curves:
        return pd.DataFrame(columns=SWING_COLUMNS, dtype=float)
    best = [int(trial) for trial in tables.ranked["number"].head(BEST_TRIALS)]
    added = [] if tables.winner is None or tables.winner in best else [tables.winner]
    rows = []
    for trial in [*added, *best]:
        curves = tables.curves[tables.curves["trial"] == trial]
        means = compute_lane_means(curves, ["train_loss", "train_spread", "val_loss", "learning_rate"]).dropna()
        if len(means) < MIN_VALIDATIONS:
            continue
        end = means.tail(max(2, len(means) // 5))
        last_losses = means["val_loss"].tail(max(MIN_VALIDATIONS, len(means) // 5)).to_numpy()
        spread = swing = np.nan
        if (means[["train_loss", "val_loss"]] > 0).all(axis=None):
            spread = end["train_spread"].mean() / end["train_loss"].mean()
            swing = difference_std(last_losses) / last_losses.mean()
        rows.append((trial, spread, swing, end["learning_rate"].mean() / means["learning_rate"].max()))
    return pd.DataFrame(rows, columns=SWING_COLUMNS)


def find_swinging_trials(tables: StudyTables) -> pd.DataFrame:
    """Return trials of `compute_late_swings` that still swing at a rate that has not fallen, if most of them do.

    Batches of B examples differ by chance: means of squared normal errors by sqrt(2 / B). A large spread exceeds twice
    that, and MIN_BATCH_SPREAD. The validation loss, always of the same examples, must also move by MIN_LOSS_SWING.
    """
    swings = compute_late_swings(tables)
    batch_size = list_trial_values(tables, "training.batch_size").astype(float).reindex(swings["trial"]).to_numpy()
    chance = 2 * np.sqrt(2 / np.where(np.isnan(batch_size), np.inf, batch_size))
    swinging = swings[
        (swings["spread"] > np.maximum(MIN_BATCH_SPREAD, chance))
        & (swings["swing"] > MIN_LOSS_SWING)
        & (swings["rate"] >= MIN_RATE_SHARE)
    ]
    result: pd.DataFrame = swinging if len(swings) > 2 and len(swinging) > len(swings) / 2 else swinging.head(0)
    return result
