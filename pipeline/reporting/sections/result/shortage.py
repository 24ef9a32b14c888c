"""What an open comparison lacks to be settled: seeds, groups of examples, or both."""

from typing import NamedTuple

import pandas as pd

from thalweg.reporting.analysis.confirmed import ConfirmedResult
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number
from thalweg.stats.intervals import VarianceSource
from thalweg.stats.samples import count_seeds_needed

MAX_SEEDS = 100
"""The largest number of seeds worth advising."""
MORE_GROUPS_ADVICE = "More groups would help: enlarge `data.split.test` or collect more data."
MORE_OF_BOTH_ADVICE = f"{MORE_GROUPS_ADVICE} Raise `confirm.seeds`, too."


class Margins(NamedTuple):
    """Half widths of the 95 % intervals that the present seeds alone, and the groups of examples alone, would give."""

    seeds: float
    groups: float

    def describe(self, seeds: int, groups: int, split: str) -> str:
        """Describe what seeds and groups leave uncertain, as a clause."""
        return (
            f"{format_count(seeds, 'seed')} leave ±{format_number(self.seeds, 2)} uncertain, and the "
            f"{format_count(groups, 'group')} of the {split} set ±{format_number(self.groups, 2)}"
        )


def compute_margins(by_seed: pd.Series, groups: VarianceSource) -> Margins:
    """Compute the margins of a difference: its value by seed, and the variance that groups leave for any of them."""
    seeds = VarianceSource(float(by_seed.var(ddof=1)) / len(by_seed), len(by_seed) - 1)
    return Margins(seeds.half_widths()[1], groups.half_widths()[1])


def describe_seeds_needed(tables: StudyTables, result: ConfirmedResult) -> str:
    """Say how many seeds would show the measured difference if it is the true one; '' if not known, or enough."""
    by_seed = difference_by_seed(tables.runs, f"{result.split}_{tables.objective}", "winner")
    gap, variance, present = abs(result.decisive.mean), result.group_variance, len(by_seed)
    if variance is None or present < 3 or gap == 0:
        return ""
    difference, count = _describe_difference(result), result.group_count or 1
    groups, margins = format_count(count, "group"), compute_margins(by_seed, variance)
    if gap <= min(margins):
        uncertain = margins.describe(present, count, result.split)
        return f"To settle {difference} takes more seeds and more groups: {uncertain}. {MORE_OF_BOTH_ADVICE}"
    if gap <= margins.groups:
        return (
            f"More seeds will not settle {difference}: with any number of seeds, the {groups} of the {result.split} "
            f"set leave ±{format_number(margins.groups, 2)} uncertain. {MORE_GROUPS_ADVICE}"
        )
    spread, largest = float(by_seed.std(ddof=1)), max(abs(result.decisive.low), abs(result.decisive.high))
    half, most, fewest = (
        count_seeds_needed(size, spread, variance, power, MAX_SEEDS)
        for size, power in ((gap, 0.5), (gap, 0.8), (largest, 0.8))
    )
    if most is None:
        return (
            f"More seeds alone will hardly settle {difference}. If it is the true one, even {MAX_SEEDS} seeds find it "
            f"with a chance of less than 80 %. The {groups} of the {result.split} set limit this comparison. "
            f"{MORE_GROUPS_ADVICE}"
        )
    if most <= present:
        return ""
    seeds = f"{most} seeds would show it with a chance of 80 %"
    if half is not None and half > present:
        seeds = f"{half} seeds would show it with a chance of 50 %, {most} with 80 %"
    # the measured difference is no promise: within its interval the truth may be larger, or nothing
    return (
        f"If {difference} is the true one, {seeds}. The true one may also be as large as {format_number(largest, 2)}, "
        f"which takes {fewest} seeds, or none, which no number of seeds shows."
    )


def _describe_difference(result: ConfirmedResult) -> str:
    """Give the size of the difference that decides, as the head of the report names it."""
    size = format_number(abs(result.decisive.mean), 2)
    return f"the corrected difference of {size}" if result.is_corrected else f"a difference of {size}"
