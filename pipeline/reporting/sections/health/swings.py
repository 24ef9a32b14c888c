"""How much the loss still varies from step to step when training ends."""

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.mean_curves import means
from thalweg.reporting.analysis.separation import column
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure, Listing
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import percent, share
from thalweg.stats.curves import difference_std

SHORTEST = 5
BEST = 5
LARGE = 0.2
MOVES = 0.05
UNFALLEN = 0.5


def late(tables: StudyTables) -> pd.DataFrame:
    """The winner and the best five trials, best first, over the last fifth of their validations: trial, loss, spread,
    swing, rate.

    `spread` is the standard deviation of batch losses within an epoch, as a share of the loss; `swing` that of the
    validation loss from one validation to the next, as a share of it too; `rate` the learning rate as a share of its
    peak. A loss that is not above 0 (`poisson` may be so) has no such shares.
    """
    if tables.ranked.empty or "train_spread" not in tables.curves:
        return pd.DataFrame({"trial": [], "loss": [], "spread": [], "swing": [], "rate": []})
    best = [int(trial) for trial in tables.ranked["number"].head(BEST)]
    lead = [] if tables.winner is None or tables.winner in best else [tables.winner]
    rows = []
    for trial in [*lead, *best]:
        own = tables.curves[tables.curves["trial"] == trial]
        mean = means(own, ["train_loss", "train_spread", "val_loss", "learning_rate"]).dropna()
        if len(mean) < SHORTEST:
            continue
        last = mean.tail(max(2, len(mean) // 5))
        some = mean["val_loss"].tail(max(SHORTEST, len(mean) // 5)).to_numpy()
        loss, measured = last["train_loss"].mean(), some.mean()
        positive = bool((mean[["train_loss", "val_loss"]] > 0).all(axis=None))
        rows.append(
            {
                "trial": trial,
                "loss": loss,
                "spread": last["train_spread"].mean() / loss if positive else np.nan,
                "swing": difference_std(some) / measured if positive else np.nan,
                "rate": last["learning_rate"].mean() / mean["learning_rate"].max(),
            }
        )
    return pd.DataFrame(rows, columns=["trial", "loss", "spread", "swing", "rate"])


def findings(tables: StudyTables) -> list[Finding]:
    """That most of the best still swing when training ends, at a learning rate that has not fallen.

    Batches of B examples differ by themselves: losses that are squares of normal errors by sqrt(2 / B) of their mean.
    So a spread is large above twice that, and above LARGE; and the loss on validation, which is always of the same
    examples, must move too, by MOVES of itself from one validation to the next.
    """
    ends = late(tables)
    size = column(tables, "training.batch_size").astype(float).reindex(ends["trial"]).to_numpy()
    chance = 2 * np.sqrt(2 / np.where(np.isnan(size), np.inf, size))
    wild = ends[(ends["spread"] > np.maximum(LARGE, chance)) & (ends["swing"] > MOVES) & (ends["rate"] >= UNFALLEN)]
    if len(ends) < 3 or len(wild) <= len(ends) / 2:
        return []
    first = wild.iloc[0]
    evidence = (
        f"So do {share(len(wild), len(ends))} of the winner and the best trials. In the last fifth of its training the "
        f"batch losses of trial {int(first['trial'])} vary by {100 * first['spread']:.0f} % of their mean within an "
        f"epoch, its validation loss by {100 * first['swing']:.0f} % from one validation to the next, at "
        f"{100 * first['rate']:.0f} % of the highest learning rate."
    )
    evidence += " Which is best depends on where a swing happens to be."
    step = "Let the learning rate fall: `schedule.kind: cosine`."
    trials = tuple(sorted(int(trial) for trial in wild["trial"]))
    return [Finding("The best trials still swing when training ends.", evidence, step, trials, "caution")]


def charts(tables: StudyTables) -> list[Figure]:
    """How calm the end of training is, as a table."""
    ends = late(tables)
    if ends.empty:
        return []
    told = {name: [percent(value, whole=True) for value in ends[name]] for name in ("spread", "swing", "rate")}
    table = pd.DataFrame(
        {
            "trial": ends["trial"].astype(int),
            "train loss": ends["loss"],
            "batches vary by": told["spread"],
            "validations by": told["swing"],
            "rate, of its peak": told["rate"],
        }
    )
    caption = (
        "Winner and best trials over the last fifth of training: how much losses vary from batch to batch and from "
    )
    caption += "one validation to the next, as a share of themselves."
    return [Listing("swings", "How calm training ends", caption, table, half=True)]
