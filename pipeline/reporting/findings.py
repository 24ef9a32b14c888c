"""A finding, and the statistics that keep it honest."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from pipeline.reporting.tables import Tables


@dataclass(frozen=True)
class Finding:
    """Evidence -> verdict -> what to do next, with the trials behind it.

    `tone` tells the page how to mark it: good, caution, or plain.
    """

    verdict: str
    evidence: str
    step: str = ""
    trials: tuple[int, ...] = ()
    tone: Literal["good", "caution", "plain"] = "plain"


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval, from `n` independent values."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: ArrayLike) -> Interval | None:
    """Student's t interval (95 %) of the mean of independent values [n]; None below two of them."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        return None
    mean, half = known.mean(), stdtrit(len(known) - 1, 0.975) * known.std(ddof=1) / np.sqrt(len(known))
    return Interval(float(mean), float(mean - half), float(mean + half), len(known))


def clustered(values: ArrayLike, groups: ArrayLike) -> Interval | None:
    """The 95 % interval of the mean of values [n] that are alike within a group; None below two groups.

    The cluster-robust variance of a mean (Liang and Zeger 1986, eq. 5 with an independent working correlation), with
    the small-sample factor G / (G - 1) and t with G - 1 degrees of freedom. With each value its own group it is the
    plain t interval.
    """
    table = pd.DataFrame({"value": np.asarray(values, np.float64), "group": np.asarray(groups)}).dropna()
    if table["group"].nunique() < 2:
        return None
    mean = float(table["value"].mean())
    sums = (table["value"] - mean).groupby(table["group"]).sum()
    error = np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(table)
    half = float(stdtrit(len(sums) - 1, 0.975) * error)
    return Interval(mean, mean - half, mean + half, len(sums))


def by_seed(runs: pd.DataFrame, column: str, candidate: str, against: str | None = "baseline") -> pd.Series:
    """candidate - against in a metric, over the seeds that both have, or the candidate's alone; indexed by seed."""
    if runs.empty or column not in runs:
        return pd.Series(dtype=float)
    values = runs.set_index("seed")[column]
    named = values[(runs["candidate"] == candidate).to_numpy()]
    other = 0.0 if against is None else values[(runs["candidate"] == against).to_numpy()]
    return (named - other).dropna().sort_index()


def judge(difference: Interval, sign: int) -> Literal["better", "worse", "same"]:
    """Whether an interval of differences lies wholly on one side of zero; `sign` 1: smaller is better."""
    low, high = sorted((sign * difference.low, sign * difference.high))
    return "better" if high < 0 else "worse" if low > 0 else "same"


@dataclass(frozen=True)
class Noise:
    """The standard deviation of one trial's value over seeds, and the degrees of freedom that it was estimated with."""

    deviation: float
    freedom: int

    @property
    def least(self) -> float:
        """Two single values further apart than this differ beyond their noise (95 %): t sqrt(2) deviations."""
        return float(stdtrit(self.freedom, 0.975) * np.sqrt(2.0) * self.deviation)


def seed_noise(tables: Tables) -> Noise | None:
    """The noise of one trial's value from seed to seed: pooled within winner and runners-up, on validation.

    Not the baseline's, which may be far noisier (or calmer) than the trials at the top, which this is for. Nor of seeds
    on which training diverged; and None where candidates were confirmed for other epochs than trials are chosen by.
    A trial whose value is a mean over `study.seeds` lanes has the square root of that less of it.
    """
    column, runs = f"validation_{tables.objective}", tables.runs
    if runs.empty or column not in runs or not tables.same_epochs:
        return None
    sound = runs["diverged_step"].isna() if "diverged_step" in runs else True
    best = runs[(runs["candidate"] != "baseline") & sound]
    groups = best.dropna(subset=[column]).groupby("candidate")[column]
    spread, freedom = groups.var(ddof=1), groups.size() - 1
    if freedom.sum() < 2:
        return None
    pooled = float((spread.fillna(0.0) * freedom).sum() / freedom.sum())
    return Noise(float(np.sqrt(pooled / max(1, int(tables.setting("study.seeds", 1))))), int(freedom.sum()))


def rank_separation(inside: ArrayLike, outside: ArrayLike) -> float:
    """The share of pairs in which a value of `inside` is the larger, ties half (the area under the ROC curve)."""
    first, second = np.asarray(inside, np.float64)[:, None], np.asarray(outside, np.float64)[None, :]
    return float(((first > second) + 0.5 * (first == second)).mean())
