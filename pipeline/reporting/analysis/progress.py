"""The gain of the last trials of a search, against the noise of seeds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from thalweg.reporting.analysis import random_search
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import format_count, format_number

MIN_COHORTS = 4  # fewer cohorts or trials do not show the trend of a search
MIN_TRIALS = 6


@dataclass(frozen=True)
class SearchGain:
    """Whether the search was still `gaining` or `flat`, the evidence in words, and the trial of the best value.

    `drowned`: the noise of one value exceeds the whole gain. `unknown`: no known noise, or too few cohorts.
    """

    kind: Literal["gaining", "flat", "drowned", "unknown"]
    evidence: str
    best_trial: int


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
    best_value = float(best.iloc[-1])
    best_trial = int(best.index[np.flatnonzero(best.to_numpy() == best_value)[0]])
    cohort = int(tables.setting("study.cohort", 0))
    origin = f"Trial {best_trial}"
    if cohort > 1:
        origin += f" (cohort {best_trial // cohort + 1} of {-(-len(best) // cohort)})"
    two_thirds = best.iloc[: -(len(best) // 3)].iloc[-1]
    noise, draws, count = estimate_seed_noise(tables), random_search.find_random_draws(tables), len(best) // 3
    followers = format_count(len(best) - 1 - best_trial, "trial")
    evidence = f"{origin} has the best value, {format_number(best_value)}; {followers} came after it."
    if pd.isna(two_thirds) or noise is None or len(best) < MIN_COHORTS * max(cohort, 1):
        return SearchGain("unknown", evidence, best_trial)
    noise_text = f"Less than {format_number(noise.least_significant_difference, 2)} is noise."
    if isinstance(draws, random_search.RandomDraws) and count < len(draws.costs):
        gain, chance = draws.expected_gain(count), count / (len(draws.costs) + count)
        at_most = "" if np.isinf(draws.given_cost) else "at most "
        evidence += (
            f" Averaged over all orders of these random trials, the last {count} improve it by "
            f"{format_number(gain, 2)}; {count} more would improve it by no more than that. {noise_text} The best of "
            f"all would be among those {count} more with a chance of {at_most}{100 * chance:.0f} %."
        )
    else:
        gain = (float(two_thirds) - best_value) * tables.sign
        evidence += f" The last third of the trials improved it by {format_number(gain, 2)}. {noise_text}"
    if gain > noise.least_significant_difference:
        return SearchGain("gaining", evidence, best_trial)
    if noise.least_significant_difference > abs(best_value - float(best.dropna().iloc[0])):
        evidence += " Since the first trial, the best value has improved by less than the noise."
        return SearchGain("drowned", evidence, best_trial)
    return SearchGain("flat", evidence, best_trial)
