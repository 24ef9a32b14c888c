"""How far values vary from seed to seed, and whether trials differ by more than that."""

from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import f as variance_ratio

from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number
from thalweg.stats.intervals import two_way_residuals
from thalweg.stats.samples import SeedNoise

FAILURE_DEVIATIONS = 10
MIN_FAILURE_SEEDS = 5
"""Robust deviations from which on a seed has failed, and the seeds of a candidate that it takes to say so."""
MIN_TRIALS = 12
"""Complete trials from which a quarter of them says something of how trials differ."""
MIN_NOISE_SHARE = 2 / 3
"""The share of the trials' variance from which on seeds explain about all of it."""

TrialDifference = Literal["alike", "untold", "below", "all"]


def difference_by_seed(
    runs: pd.DataFrame, column: str, candidate: str, reference: str | None = "baseline"
) -> pd.Series:
    """candidate - against in a metric, over the seeds that both have, or the candidate's alone; indexed by seed."""
    if runs.empty or column not in runs:
        return pd.Series(dtype=float)
    values = runs.set_index("seed")[column]
    named = values[(runs["candidate"] == candidate).to_numpy()]
    other = 0.0 if reference is None else values[(runs["candidate"] == reference).to_numpy()]
    return (named - other).dropna().sort_index()


@lru_cache(maxsize=16)
def estimate_seed_noise(tables: StudyTables) -> SeedNoise | None:
    """The noise of one trial's value from seed to seed: pooled within winner and runners-up, on validation.

    Not the baseline's, which may be far noisier (or calmer) than the trials at the top, which this is for. Nor of seeds
    on which training diverged, or `failed`: one such would be the noise of all. None where candidates were confirmed
    for other epochs than trials are chosen by. A trial whose value is a mean over `study.seeds` lanes has the square
    root of that less of it.

    Where trials share their seeds (`study.randomness: paired`), what a seed does to all of them alike moves no trial
    ahead: then it is what candidate and seed do not explain, with (C - 1)(S - 1) degrees of freedom of C candidates and
    S seeds; of one candidate it is all there is, which is more.
    """
    column, runs = f"validation_{tables.objective}", tables.runs
    if runs.empty or column not in runs or not tables.has_same_epochs:
        return None
    best = drop_diverged_runs(
        runs[(runs["candidate"] != "baseline") & ~find_failed_runs(runs, column, tables.sign)]
    ).dropna(subset=[column])
    lanes = max(1, int(tables.setting("study.seeds", 1)))
    if tables.setting("study.randomness", "paired") == "paired" and (known := _unexplained_variance(best, column)):
        return SeedNoise(float(np.sqrt(known[0] / lanes)), known[1], excludes_shared=True)
    groups = best.groupby("candidate")[column]
    spread, freedom = groups.var(ddof=1), groups.size() - 1
    if freedom.sum() < 2:
        return None
    pooled = float((spread.fillna(0.0) * freedom).sum() / freedom.sum())
    return SeedNoise(float(np.sqrt(pooled / lanes)), int(freedom.sum()))


def drop_diverged_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that did not diverge."""
    return runs[runs["diverged_step"].isna()] if "diverged_step" in runs else runs


def find_failed_runs(runs: pd.DataFrame, column: str, sign: int) -> pd.Series:
    """Which runs [runs] failed: are worse than the median of their candidate by FAR robust deviations.

    So must be their logarithms, where all values are above 0: a long tail is no failure. Normal, exponential or
    lognormal runs are called failed in 2 % of studies at most. Nothing is where candidates have fewer than LEAST seeds,
    or where more than a third would be: that is a spread.
    """
    table = runs.reset_index(drop=True)
    values, names = table[column], table["candidate"]
    bad = _find_far_values(values, names, sign)
    if (values.dropna() > 0).all():
        bad &= _find_far_values(np.log(values), names, sign)
    often = bad.groupby(names).transform("mean") > 1 / 3
    return pd.Series((bad & ~often).to_numpy(), runs.index)


def _find_far_values(values: pd.Series, candidates: pd.Series, sign: int) -> pd.Series:
    """Which values are FAR deviations worse than the median of their candidate.

    A deviation is 1.4826 times the median distance from the median of the own candidate (Hampel 1974), of its own runs
    or of all, whichever is larger: few may lie close by chance, and one candidate may be far noisier than another.
    """
    groups = values.groupby(candidates)
    apart = (values - groups.transform("median")) * sign
    enough = groups.transform("count") >= MIN_FAILURE_SEEDS
    known = apart.abs().where(enough)
    scale = 1.4826 * known.groupby(candidates).transform("median").clip(lower=known.median())
    far: pd.Series = enough & (apart > FAILURE_DEVIATIONS * scale) & (scale > 0)
    return far


def _unexplained_variance(runs: pd.DataFrame, column: str) -> tuple[float, int] | None:
    """The variance that candidate and seed do not explain, over the seeds that all have, and its degrees of freedom."""
    if "seed" not in runs:
        return None
    wide = runs.pivot_table(values=column, index="candidate", columns="seed").dropna(axis=1).to_numpy()
    freedom = (wide.shape[0] - 1) * (wide.shape[1] - 1)
    if min(wide.shape) < 2 or freedom < 2:
        return None
    return float((two_way_residuals(wide) ** 2).sum() / freedom), freedom


def describe_noise(noise: SeedNoise, metric: str) -> str:
    """How far one trial's metric varies from seed to seed, as the beginning of a sentence."""
    size = f"varies from seed to seed with a standard deviation of {format_number(noise.std, 2)}"
    if noise.excludes_shared:
        return f"All trials have the same seeds; beside what these do to all alike, one trial's {metric} {size}"
    return f"One trial's {metric} {size}"


def select_best_quarter(tables: StudyTables) -> pd.DataFrame:
    """The best quarter of the complete trials, best first."""
    return tables.ranked.head(len(tables.ranked) // 4)


def compare_with_noise(tables: StudyTables) -> TrialDifference | None:
    """Which trials vary beyond seeds: none (`alike`), those `below` the best quarter, `all`; None where not known.

    Ratios of variances by F (Fisher 1925). The best of many lie closer together than any drawn at random, so among
    them the share of noise is an upper bound, and a top that differs beyond noise does so the more surely.
    """
    noise, ranked = estimate_seed_noise(tables), tables.ranked
    if noise is None or noise.std == 0 or len(ranked) < MIN_TRIALS:
        return None
    if not _is_beyond_noise(ranked["value"], noise.std, noise.dof):
        return "untold" if noise.std**2 / ranked["value"].var() < MIN_NOISE_SHARE else "alike"
    return "all" if _is_beyond_noise(select_best_quarter(tables)["value"], noise.std, noise.dof) else "below"


def _is_beyond_noise(values: pd.Series, std: float, dof: int) -> bool:
    """Whether values vary more than noise of this deviation would let them (one-sided, 2.5 %)."""
    count = len(values) - 1
    return bool(values.var() / std**2 > variance_ratio.ppf(0.975, count, dof))


def variance_share_interval(share: float, trial_dof: int, noise_dof: int) -> tuple[float, float]:
    """The 95 % interval of a share of variance that was seen as `share`: of F, by the freedom of trials and of noise."""
    low, high = (share * float(variance_ratio.ppf(tail, trial_dof, noise_dof)) for tail in (0.025, 0.975))
    return low, high
