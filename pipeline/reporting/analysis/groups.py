"""Errors by group of examples: groups with larger errors than the others, and bias."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from thalweg.stats.interval import Interval
from thalweg.stats.intervals import cluster_robust_interval

MIN_GROUPS = 4  # two groups could agree by chance
MIN_GROUP_EXAMPLES = 5
ALPHA = 0.05  # false positives
MIN_ERROR_RATIO = 1.1  # a caution needs surely this ratio of a group's error to the others'
TRUTH_BINS = 8
BIAS_TESTS = 3  # means of errors that are tested: of all, of large truths, of small ones


def assign_groups(predictions: pd.DataFrame) -> pd.Series:
    """Return each example's group; its image if there are no groups."""
    groups = predictions["group"] if "group" in predictions else pd.Series("", index=predictions.index)
    return predictions["image"].where(groups.isna() | (groups == ""), groups)


def name_units(predictions: pd.DataFrame) -> str:
    """Name what an interval holds for: groups of examples, or single examples where no two of them share a group."""
    return "examples" if len(predictions) and assign_groups(predictions).is_unique else "groups of examples"


def compute_group_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return groups, the worst first: group, examples, mean error, low and high (95 %), spread.

    Groups below MIN_GROUP_EXAMPLES are left out; empty below MIN_GROUPS. The interval is Student's over a group's own
    examples; `spread` is the variance of the mean divided by its square.
    """
    table = pd.DataFrame(
        {"group": assign_groups(predictions).astype(str), "error": predictions["error"].astype(float).abs()}
    )
    groups = table.groupby("group").agg(examples=("error", "size"), mean=("error", "mean"), deviation=("error", "std"))
    groups = groups.loc[groups["examples"] >= MIN_GROUP_EXAMPLES]
    if len(groups) < MIN_GROUPS:
        return pd.DataFrame(columns=["group", "examples", "mean", "low", "high", "spread"])
    half_width = stdtrit(groups["examples"] - 1, 0.975) * groups["deviation"] / np.sqrt(groups["examples"])
    groups = groups.assign(low=(groups["mean"] - half_width).clip(lower=0), high=groups["mean"] + half_width)
    relative_variance = (groups["deviation"] / groups["mean"].where(groups["mean"] > 0)) ** 2
    groups["spread"] = relative_variance.fillna(relative_variance.mean()).fillna(0.0) / groups["examples"]
    return groups.drop(columns="deviation").reset_index().sort_values(["mean", "group"], ascending=[False, True])


def find_outlier_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Return groups of `compute_group_errors` whose error exceeds the others' spread, with ratio, from_ratio, to_ratio.

    Groups always differ, so the comparison is with the spread of the other groups, not with a group's own examples. If
    a group is like the others, the log of its mean minus the mean of their logs has Student's t with G - 2 degrees of
    freedom (the outlier test, Grubbs 1969). Fewer or more scattered examples than theirs add variance (delta method).
    `ratio` is to the others' geometric mean. Tests and intervals are one-sided, with Bonferroni's level for G groups.
    """
    positive = table[table["mean"] > 0]
    count = len(positive)
    if count < MIN_GROUPS:
        return positive.iloc[:0].assign(ratio=[], from_ratio=[], to_ratio=[])
    logs = np.log(positive["mean"].to_numpy())
    others_mean = (logs.sum() - logs) / (count - 1)
    others_variance = ((logs**2).sum() - logs**2) / (count - 1) - others_mean**2
    spread = positive["spread"].to_numpy()
    extra_variance = np.clip(spread - (spread.sum() - spread) / (count - 1), 0, None)
    error = np.sqrt(np.clip(others_variance, 0, None) * count / (count - 2) + extra_variance)
    difference = logs - others_mean
    tail = stdtr(count - 2, -difference / np.where(error > 0, error, np.inf))
    margin = float(stdtrit(count - 2, 1 - ALPHA / count)) * error
    tested = positive.assign(
        ratio=np.exp(difference), from_ratio=np.exp(difference - margin), to_ratio=np.exp(difference + margin)
    )
    outliers: pd.DataFrame = tested[tail < ALPHA / count]
    return outliers


def compute_bias(predictions: pd.DataFrame) -> Interval | None:
    """Return the mean of prediction - truth, with a 95 % interval for BIAS_TESTS means at once (Bonferroni's bound).

    None below MIN_GROUPS groups.
    """
    bias = cluster_robust_interval(predictions["prediction"] - predictions["truth"], assign_groups(predictions))
    if bias is None or bias.n < MIN_GROUPS:
        return None
    factor = float(stdtrit(bias.n - 1, 1 - 0.025 / BIAS_TESTS) / stdtrit(bias.n - 1, 0.975))
    low, high = bias.mean - factor * (bias.mean - bias.low), bias.mean + factor * (bias.high - bias.mean)
    return replace(bias, low=low, high=high)


def bin_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the mean error with its interval by truth, in bins with about equally many examples."""
    table = predictions.assign(error=predictions["prediction"] - predictions["truth"], group=assign_groups(predictions))
    edges = np.unique(np.quantile(table["truth"], np.linspace(0, 1, TRUTH_BINS + 1)))
    bin_index = np.clip(np.searchsorted(edges, table["truth"], side="right") - 1, 0, max(len(edges) - 2, 0))
    rows = [
        (examples["truth"].mean(), interval.mean, interval.low, interval.high, len(examples))
        for _, examples in table.groupby(bin_index)
        if (interval := cluster_robust_interval(examples["error"], examples["group"]))
    ]
    return pd.DataFrame(rows, columns=["truth", "mean", "low", "high", "examples"])
