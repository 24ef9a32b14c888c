"""Whether trials differ by more than seeds alone would make them."""

from typing import Literal

import pandas as pd
from scipy.special import fdtri

from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.intervals import compare_with_zero

MIN_TRIALS = 12  # fewer have too few in their best quarter
MIN_NOISE_SHARE = 2 / 3  # of the trials' variance: from here on, seeds explain about all of it

TrialDifference = Literal["alike", "unclear", "explained", "below", "all"]


def select_best_quarter(tables: StudyTables) -> pd.DataFrame:
    """Return the best quarter of the complete trials, best first."""
    return tables.ranked.head(len(tables.ranked) // 4)


@cache_per_study
def compare_with_noise(tables: StudyTables) -> TrialDifference | None:
    """Return which complete trials vary beyond seeds: none (`alike`), those `below` the best quarter, `all`.

    `explained`: their variance does not show it, but a parameter that mattered or the baseline does. `unclear`: nothing
    is clear. None if unknown. Compares variances by F (Fisher 1925). The best of many lie closer together than random
    draws, so among them the share of noise is an upper bound, and a difference beyond noise is the more certain. Trials
    that were stopped early do not count here; the importance of parameters counts them.
    """
    noise, ranked = estimate_seed_noise(tables), tables.ranked
    if noise is None or noise.std == 0 or len(ranked) < MIN_TRIALS:
        return None
    if _is_beyond_noise(ranked["value"], noise.std, noise.dof):
        return "all" if _is_beyond_noise(select_best_quarter(tables)["value"], noise.std, noise.dof) else "below"
    if has_known_difference(tables):
        return "explained"
    return "unclear" if noise.std**2 / ranked["value"].var() < MIN_NOISE_SHARE else "alike"


def has_known_difference(tables: StudyTables) -> bool:
    """Return whether a parameter mattered, or the winner surely differs from the baseline, if that is a trial, too."""
    verdicts = [judge_parameter(tables, parameter) for parameter in list_scientific(tables)]
    if any(verdict is not None and verdict.worse_values for verdict in verdicts):
        return True
    ranking, result = rank_importances(tables), build_confirmed_result(tables)
    is_told_apart = (
        result is not None
        and tables.baseline_trial is not None
        and compare_with_zero(result.decisive, tables.sign) != "same"
    )
    return is_told_apart or (ranking is not None and bool(ranking.important_parameters))


def _is_beyond_noise(values: pd.Series, std: float, dof: int) -> bool:
    """Return whether values vary more than noise with this deviation allows (one-sided, 2.5 %)."""
    count = len(values) - 1
    return bool(values.var() / std**2 > fdtri(count, dof, 0.975))


def variance_share_interval(share: float, trial_dof: int, noise_dof: int) -> tuple[float, float]:
    """Return the 95 % interval of a measured share of variance, from F with the degrees of freedom of both."""
    low, high = (share * float(fdtri(trial_dof, noise_dof, tail)) for tail in (0.025, 0.975))
    return low, high
