"""The gain of the last trials of a search, against seed noise."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.random_search import RandomDraws, find_random_draws
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.tables import StudyTables, cache_per_study

MIN_COHORTS = 4  # fewer cohorts or trials do not show the trend of a search
MIN_TRIALS = 6


@dataclass(frozen=True)
class SearchGain:
    """Whether the search was still `gaining` or `flat`, and the trial of the best value.

    - `kind`: `drowned` if the noise of one value exceeds the whole gain, `unknown` without noise or enough cohorts.
    - `cohort`: the best trial's cohort, from 1, of `cohort_count`; None if trials were not trained together.
    - `later_count`: trials after the best one.
    - `gain` of the last `last_count` trials, the last third, and the `noise` of two values; None if unknown.
    - `best_chance`: if trials were random, the chance that as many more hold the best of all, an upper bound if
      `is_bound`; `gain` is then the mean over all orders.
    """

    kind: Literal["gaining", "flat", "drowned", "unknown"]
    best_trial: int
    best_value: float
    cohort: int | None
    cohort_count: int
    later_count: int
    last_count: int
    gain: float | None = None
    noise: float | None = None
    best_chance: float | None = None
    is_bound: bool = False


def compute_best_so_far(tables: StudyTables) -> pd.Series:
    """Return the best complete value up to each trial, in order of trial; NaN before the first."""
    trials = tables.trials.sort_values("number")
    values = trials["value"].where(trials["state"] == "complete") * tables.sign
    # cummin leaves NaN where a trial has no value: carry the best on
    return pd.Series((values.cummin().ffill() * tables.sign).to_numpy(), index=trials["number"].to_numpy())


@cache_per_study
def compute_gain(tables: StudyTables) -> SearchGain | None:
    """Compute the gain of the last third of the trials; None if there are too few, or none completed."""
    best = compute_best_so_far(tables) if len(tables.trials) else pd.Series(dtype=float)
    if len(best) < MIN_TRIALS or best.dropna().empty:
        return None
    best_value, cohort, count = float(best.iloc[-1]), int(tables.setting("study.cohort", 0)), len(best) // 3
    best_trial = int(best.index[np.flatnonzero(best.to_numpy() == best_value)[0]])
    unknown = SearchGain(
        "unknown",
        best_trial,
        best_value,
        cohort=best_trial // cohort + 1 if cohort > 1 else None,
        cohort_count=-(-tables.summary.study.trials // max(cohort, 1)),
        later_count=int((best.index > best_trial).sum()),
        last_count=count,
    )
    two_thirds, noise, draws = best.iloc[:-count].iloc[-1], estimate_seed_noise(tables), find_random_draws(tables)
    if pd.isna(two_thirds) or noise is None or len(best) < MIN_COHORTS * max(cohort, 1):
        return unknown
    least_difference = noise.least_significant_difference
    if isinstance(draws, RandomDraws) and count < len(draws.costs):
        gain, chance = draws.expected_gain(count), count / (len(draws.costs) + count)
        measured = replace(unknown, best_chance=chance, is_bound=bool(np.isfinite(draws.given_cost)))
    else:
        gain, measured = (float(two_thirds) - best_value) * tables.sign, unknown
    kind: Literal["gaining", "drowned", "flat"] = "gaining" if gain > least_difference else "flat"
    if kind == "flat" and least_difference > abs(best_value - float(best.dropna().iloc[0])):
        kind = "drowned"
    return replace(measured, kind=kind, gain=gain, noise=least_difference)
