"""Errors of examples that are alike in groups: which groups stand out, and to which side predictions lean."""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from thalweg.stats.intervals import Interval, cluster_robust_interval

MIN_GROUPS = 4
MIN_GROUP_EXAMPLES = 5
ALPHA = 0.05
MIN_ERROR_RATIO = 1.1
"""Groups, and examples of each, below which nothing is said: two groups that agree by chance would prove anything; the
share of false findings; how many times the others' error a group's must surely be to be a caution."""
TRUTH_BINS = 8
BIAS_TESTS = 3
"""So many means of errors are looked at: of all, of large truths, of small ones."""


def assign_groups(predictions: pd.DataFrame) -> pd.Series:
    """What may be alike: the group; the image itself where there are no groups."""
    known = predictions["group"] if "group" in predictions else pd.Series("", index=predictions.index)
    return predictions["image"].where(known.isna() | (known == ""), known)


def compute_group_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Groups of SMALLEST examples or more, the worst first: group, examples, mean error, low and high (95 %), spread.

    The interval is Student's over a group's own examples; `spread` is the variance of the mean as a share of its
    square. Empty below FEWEST groups.
    """
    table = pd.DataFrame(
        {"group": assign_groups(predictions).astype(str), "error": predictions["error"].astype(float).abs()}
    )
    of_group = table.groupby("group")["error"]
    found = pd.DataFrame({"examples": of_group.size(), "mean": of_group.mean(), "deviation": of_group.std(ddof=1)})
    found = found[found["examples"] >= MIN_GROUP_EXAMPLES]
    if len(found) < MIN_GROUPS:
        return pd.DataFrame(columns=["group", "examples", "mean", "low", "high", "spread"])
    half = stdtrit(found["examples"] - 1, 0.975) * found["deviation"] / np.sqrt(found["examples"])
    found = found.assign(low=(found["mean"] - half).clip(lower=0), high=found["mean"] + half)
    within = (found["deviation"] / found["mean"].where(found["mean"] > 0)) ** 2
    found["spread"] = within.fillna(within.mean()).fillna(0.0) / found["examples"]
    return found.drop(columns="deviation").reset_index().sort_values(["mean", "group"], ascending=[False, True])


def find_outlier_groups(table: pd.DataFrame) -> pd.DataFrame:
    """The groups of `by_group` whose error is above the others' beyond what sets those apart: with ratio, low, high.

    A group is held against the spread of the other groups, not against its own examples alone: groups always differ.
    The logarithm of its mean less the mean of the others' has Student's t with G - 2 degrees of freedom if it is one of
    them (the test of an outlier, Grubbs 1969). Where its mean is of fewer examples than the others', or of more
    scattered ones, the variance that this adds (delta method) is added. `ratio` is to the others' geometric mean. The
    level is shared out over the G groups (Bonferroni), one-sided, as are the intervals.
    """
    known = table[table["mean"] > 0]
    count = len(known)
    if count < MIN_GROUPS:
        return known.iloc[:0].assign(ratio=[], from_ratio=[], to_ratio=[])
    logs = np.log(known["mean"].to_numpy())
    rest = (logs.sum() - logs) / (count - 1)
    squares = ((logs**2).sum() - logs**2) / (count - 1) - rest**2
    own = known["spread"].to_numpy()
    more = np.clip(own - (own.sum() - own) / (count - 1), 0, None)
    error = np.sqrt(np.clip(squares, 0, None) * count / (count - 2) + more)
    apart = logs - rest
    tail = stdtr(count - 2, -apart / np.where(error > 0, error, np.inf))
    reach = float(stdtrit(count - 2, 1 - ALPHA / count)) * error
    told = known.assign(ratio=np.exp(apart), from_ratio=np.exp(apart - reach), to_ratio=np.exp(apart + reach))
    out: pd.DataFrame = told[tail < ALPHA / count]
    return out


def compute_bias(predictions: pd.DataFrame) -> Interval | None:
    """The mean of prediction - truth, in an interval of 95 % for LOOKS such means at once (Bonferroni's bound).

    None below FEWEST groups.
    """
    known = cluster_robust_interval(predictions["prediction"] - predictions["truth"], assign_groups(predictions))
    if known is None or known.n < MIN_GROUPS:
        return None
    wider = float(stdtrit(known.n - 1, 1 - 0.025 / BIAS_TESTS) / stdtrit(known.n - 1, 0.975))
    low, high = known.mean - wider * (known.mean - known.low), known.mean + wider * (known.high - known.mean)
    return replace(known, low=low, high=high)


def bin_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Mean error with its interval in bins of about equally many examples, along the truth."""
    table = predictions.assign(error=predictions["prediction"] - predictions["truth"], group=assign_groups(predictions))
    edges = np.unique(np.quantile(table["truth"], np.linspace(0, 1, TRUTH_BINS + 1)))
    place = np.clip(np.searchsorted(edges, table["truth"], side="right") - 1, 0, max(len(edges) - 2, 0))
    rows = [
        (part["truth"].mean(), known.mean, known.low, known.high, len(part))
        for _, part in table.groupby(place)
        if (known := cluster_robust_interval(part["error"], part["group"]))
    ]
    return pd.DataFrame(rows, columns=["truth", "mean", "low", "high", "examples"])
