"""What the last trials of a search gained, against the noise of seeds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from thalweg.reporting.analysis import random_search
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number

MIN_COHORTS = 4
MIN_TRIALS = 6
"""Fewer cohorts, or trials, say nothing of where a search leads."""


@dataclass(frozen=True)
class SearchGain:
    """Whether the search was still `gaining` or is `flat`; `drowned`: seeds move a value by more than all of it gained;
    `unknown`: its noise is not known, or it is too short. `found` is the trial of the best value, `evidence` in words.
    """

    kind: Literal["gaining", "flat", "drowned", "unknown"]
    evidence: str
    best_trial: int


def compute_best_so_far(tables: StudyTables) -> pd.Series:
    """The best complete value up to each trial, in order of trial; NaN before the first."""
    trials = tables.trials.sort_values("number")
    values = trials["value"].where(trials["state"] == "complete") * tables.sign
    # cummin leaves NaN where a trial has no value: carry the best on
    return pd.Series((values.cummin().ffill() * tables.sign).to_numpy(), index=trials["number"].to_numpy())


def compute_gain(tables: StudyTables) -> SearchGain | None:
    """What the last third of the trials gained; None where too few trials were run, or none came to an end."""
    best = compute_best_so_far(tables) if len(tables.trials) else pd.Series(dtype=float)
    if len(best) < MIN_TRIALS or best.dropna().empty:
        return None
    last = float(best.iloc[-1])
    found = int(best.index[np.flatnonzero(best.to_numpy() == last)[0]])
    cohort = int(tables.setting("study.cohort", 0))
    where = f"trial {found}" + (f", in cohort {found // cohort + 1} of {-(-len(best) // cohort)}" if cohort > 1 else "")
    third = best.iloc[: -(len(best) // 3)].iloc[-1]
    noise, known, more = estimate_seed_noise(tables), random_search.find_random_draws(tables), len(best) // 3
    evidence = f"The best value, {format_number(last)}, came with {where}; {format_count(len(best) - 1 - found, 'trial')} came after it."
    if pd.isna(third) or noise is None or len(best) < MIN_COHORTS * max(cohort, 1):
        return SearchGain("unknown", evidence, found)
    small = f"less than {format_number(noise.least_significant_difference, 2)} is noise."
    if isinstance(known, random_search.RandomDraws) and more < len(known.costs):
        gained, chance = known.expected_gain(more), more / (len(known.costs) + more)
        evidence += (
            f" Whatever order such random trials come in, the last {more} are expected to improve it by "
            f"{format_number(gained, 2)}, and {more} more by no more than that; {small} One of those would be the best of all "
            f"with a chance of {'' if np.isinf(known.given_cost) else 'at most '}{100 * chance:.0f} %."
        )
    else:
        gained = (float(third) - last) * tables.sign
        evidence += f" The last third of the trials improved it by {format_number(gained, 2)}; {small}"
    if gained > noise.least_significant_difference:
        return SearchGain("gaining", evidence, found)
    if noise.least_significant_difference > abs(last - float(best.dropna().iloc[0])):
        return SearchGain("drowned", f"{evidence} That is more than the best has moved since the first trial.", found)
    return SearchGain("flat", evidence, found)
