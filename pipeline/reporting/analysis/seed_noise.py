"""The noise of values from seed to seed, and the smallest difference that counts."""

from itertools import takewhile

import numpy as np
import pandas as pd
from scipy.special import chdtri

from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.intervals import two_way_residuals
from thalweg.stats.samples import SeedNoise

FAILURE_DEVIATIONS = 10  # robust deviations from which on a run has failed
MIN_TOP_REPEATS = 4  # beyond the first run of each setting: degrees of freedom of the better settings alone
MIN_FAILURE_SEEDS = 5  # of a candidate; fewer cannot show a failure


def difference_by_seed(
    runs: pd.DataFrame, column: str, candidate: str, reference: str | None = "baseline"
) -> pd.Series:
    """Return candidate - reference in a metric by seed, over common seeds; the candidate alone without a reference."""
    if runs.empty or column not in runs:
        return pd.Series(dtype=float)
    values = runs.set_index("seed")[column]
    candidate_values = values[(runs["candidate"] == candidate).to_numpy()]
    reference_values = 0.0 if reference is None else values[(runs["candidate"] == reference).to_numpy()]
    return (candidate_values - reference_values).dropna().sort_index()


@cache_per_study
def estimate_seed_noise(tables: StudyTables) -> SeedNoise | None:
    """Estimate the noise of one trial's validation value from seed to seed, pooled within winner and runners-up.

    The baseline is left out: its noise may be far from that of the top trials. So are trials that were retrained only
    as the best of a value that the study asks about, and seeds on which training diverged or failed: one would dominate
    the noise. None if candidates were confirmed for other epochs than trials are chosen by. The mean over a trial's
    seeds divides the standard deviation by their square root.

    If trials share their seeds (`study.randomness: paired`), a seed's common effect gives no trial an advantage. The
    noise is then the residual of candidate and seed, with (C - 1)(S - 1) degrees of freedom for C candidates and S
    seeds; with one candidate it is the whole variance, which is more.
    """
    column, best = f"validation_{tables.objective}", _select_top_runs(tables)
    if best.empty:
        return None
    lanes = tables.seeds_per_trial
    if is_paired(tables) and (parts := _separate_variances(best, column)):
        return SeedNoise(float(np.sqrt(parts[0] / lanes)), parts[1], True, float(np.sqrt(parts[2] / lanes)))
    groups = best.groupby("candidate")[column]
    variances, dof = groups.var(ddof=1), groups.size() - 1
    if dof.sum() < 2:
        return None
    pooled = float((variances.fillna(0.0) * dof).sum() / dof.sum())
    return SeedNoise(float(np.sqrt(pooled / lanes)), int(dof.sum()))


def _select_top_runs(tables: StudyTables) -> pd.DataFrame:
    """Select the retrained runs that tell the noise of the top trials, as `estimate_seed_noise` says.

    Where nothing was retrained, settings that the search itself repeated tell it.
    """
    column, runs = f"validation_{tables.objective}", _select_repeats(tables) if tables.runs.empty else tables.runs
    if runs.empty or column not in runs or not tables.has_same_epochs:
        return pd.DataFrame()
    is_top = (runs["candidate"] != "baseline") & ~_is_for_level(tables, runs)
    is_sound = is_top & ~find_failed_runs(runs, column, tables.sign)
    return drop_diverged_runs(runs[is_sound]).dropna(subset=[column])


def _select_repeats(tables: StudyTables) -> pd.DataFrame:
    """Select the repeats of the better half of the settings, or all if those are few: bad settings may be noisier."""
    repeats, better = tables.repeats, tables.ranked.head(-(-len(tables.ranked) // 2))
    if repeats.empty:
        return repeats
    top: pd.DataFrame = repeats[repeats["trial"].isin(better["number"])]
    return top if len(top) - top["candidate"].nunique() >= MIN_TOP_REPEATS else repeats


def _is_for_level(tables: StudyTables, runs: pd.DataFrame) -> pd.Series:
    """Return which runs [runs] are of a trial that was retrained only as the best of a value that the study asks about.

    Such a trial ranks below one that was not retrained: the top trials are retrained without a gap.
    """
    if not any(parameter.role == "scientific" for parameter in tables.parameters):
        return pd.Series(False, index=runs.index)
    retrained = set(runs["trial"].dropna().astype(int))
    top = set(takewhile(retrained.__contains__, tables.ranked["number"].astype(int)))
    is_for_level: pd.Series = ~runs["trial"].isin(top) & ~runs["candidate"].isin(["winner", "baseline"])
    return is_for_level


def is_paired(tables: StudyTables) -> bool:
    """Whether the trials of a study share their seeds."""
    return bool(tables.setting("study.randomness", "paired") == "paired")


def find_smallest_effect(tables: StudyTables) -> float | None:
    """Return the smallest difference that counts: the user's, or one standard deviation of seeds; None if unknown.

    Each top trial has its own deviation; the median counts. A pooled one would follow one unsteady trial, and call
    differences small that the winner's seeds would never bring about.
    """
    chosen = tables.setting("study.smallest_effect")
    if chosen is not None:
        return float(chosen)
    runs = _select_top_runs(tables)
    if runs.empty or runs["candidate"].value_counts().sub(1).sum() < 2:
        return None
    return float(runs.groupby("candidate")[f"validation_{tables.objective}"].std(ddof=1).median())


def drop_diverged_runs(runs: pd.DataFrame) -> pd.DataFrame:
    return runs[runs["diverged_step"].isna()] if "diverged_step" in runs else runs


def find_failed_runs(runs: pd.DataFrame, column: str, sign: int) -> pd.Series:
    """Return which runs [runs] failed: FAILURE_DEVIATIONS robust deviations worse than their candidate's median.

    If all values are positive, their logarithms must be as far: a long tail is no failure. Normal, exponential or
    lognormal runs count as failed in 2 % of studies at most. None fails if candidates have fewer than MIN_FAILURE_SEEDS
    seeds, or if more than a third would: that is a spread.
    """
    table = runs.reset_index(drop=True)
    values, names = table[column], table["candidate"]
    is_failed = _find_far_values(values, names, sign)
    if (values.dropna() > 0).all():
        is_failed &= _find_far_values(np.log(values), names, sign)
    is_often = is_failed.groupby(names).transform("mean") > 1 / 3
    return pd.Series((is_failed & ~is_often).to_numpy(), runs.index)


def _find_far_values(values: pd.Series, candidates: pd.Series, sign: int) -> pd.Series:
    """Return which values are FAILURE_DEVIATIONS deviations worse than the median of their candidate.

    A deviation is 1.4826 times the median distance from the candidate's median (Hampel 1974), of its own runs or of all
    runs, whichever is larger: few runs may be close by chance, and one candidate may be far noisier than another.
    """
    groups = values.groupby(candidates)
    distance = (values - groups.transform("median")) * sign
    enough = groups.transform("count") >= MIN_FAILURE_SEEDS
    distances = distance.abs().where(enough)
    scale = 1.4826 * distances.groupby(candidates).transform("median").clip(lower=distances.median())
    is_far: pd.Series = enough & (distance > FAILURE_DEVIATIONS * scale) & (scale > 0)
    return is_far


def _separate_variances(runs: pd.DataFrame, column: str) -> tuple[float, int, float] | None:
    """Return the residual variance of candidate and seed, its degrees of freedom, and the limit of the seeds' own.

    Only seeds that all candidates have count. The means of seeds vary by their own variance and by that of residuals;
    the limit holds with 90 % confidence if they vary normally.
    """
    if "seed" not in runs:
        return None
    values = runs.pivot_table(values=column, index="candidate", columns="seed").dropna(axis=1).to_numpy()
    dof = (values.shape[0] - 1) * (values.shape[1] - 1)
    if min(values.shape) < 2 or dof < 2:
        return None
    residual, last = float((two_way_residuals(values) ** 2).sum() / dof), values.shape[1] - 1
    largest = float(values.mean(0).var(ddof=1)) * last / float(chdtri(last, 0.9))
    return residual, dof, max(0.0, largest - residual / values.shape[0])
