"""Whether trials differ by more than seeds alone would make them: among all complete ones, and at the top."""

from typing import Literal

import pandas as pd
from scipy.stats import f as variance_ratio

from thalweg.reporting.analysis.seed_noise import seed_noise
from thalweg.reporting.tables import StudyTables

TRIALS = 12
"""Complete trials from which a quarter of them says something of how trials differ."""
NEARLY = 2 / 3
"""The share of the trials' variance from which on seeds explain about all of it."""

Differ = Literal["alike", "untold", "below", "all"]


def best_quarter(tables: StudyTables) -> pd.DataFrame:
    """The best quarter of the complete trials, best first."""
    return tables.ranked.head(len(tables.ranked) // 4)


def differ(tables: StudyTables) -> Differ | None:
    """Which trials vary beyond seeds: none (`alike`), those `below` the best quarter, `all`; None where not known.

    Ratios of variances by F (Fisher 1925). The best of many lie closer together than any drawn at random, so among
    them the share of noise is an upper bound, and a top that differs beyond noise does so the more surely.
    """
    noise, ranked = seed_noise(tables), tables.ranked
    if noise is None or noise.deviation == 0 or len(ranked) < TRIALS:
        return None
    if not _beyond(ranked["value"], noise.deviation, noise.freedom):
        return "untold" if noise.deviation**2 / ranked["value"].var() < NEARLY else "alike"
    return "all" if _beyond(best_quarter(tables)["value"], noise.deviation, noise.freedom) else "below"


def _beyond(values: pd.Series, deviation: float, freedom: int) -> bool:
    """Whether values vary more than noise of this deviation would let them (one-sided, 2.5 %)."""
    count = len(values) - 1
    return bool(values.var() / deviation**2 > variance_ratio.ppf(0.975, count, freedom))


def shares(part: float, trials: int, freedom: int) -> tuple[float, float]:
    """The 95 % interval of a share of variance that was seen as `part`: of F, by the freedom of trials and of noise."""
    low, high = (part * float(variance_ratio.ppf(tail, trials, freedom)) for tail in (0.025, 0.975))
    return low, high
