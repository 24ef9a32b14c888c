"""Each value of a scientific parameter at its own best over all nuisance parameters, and whether it matters then.

After Godbole et al. 2023, Deep Learning Tuning Playbook, "Extracting insight from experiment results": isolation plots.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_choices, format_number
from thalweg.stats.samples import SeedNoise, chance_of_all, expected_best, precedence_test

RANGE_BINS = 6
"""Parts of a range."""
ALPHA = 0.05
"""The share of false differences."""
MAX_COUNT_RATIO = 2
"""Numbers of trials more than so many times apart are made equal."""
MIN_VALUE_TRIALS = 5
"""With fewer trials than the last a value had no chance to come to its own best."""


@dataclass(frozen=True)
class ValueGroup:
    """One value of a parameter, or part of its range, with the trials that had it.

    - `tries`: what each of them came to, turned so that less is better; what has no value of its own (diverged, beyond
      a limit) as bad as the worst trial of the study.
    - `best` (None: no trial trained to its end) is that of trial `number`.
    """

    label: str
    trials: pd.DataFrame
    costs: NDArray[np.float64]
    best: float | None
    best_trial: int | None

    @property
    def is_lost(self) -> bool:
        """Whether it was tried, but no trial came to its end."""
        return self.best is None and len(self.costs) > 0

    @property
    def is_rare(self) -> bool:
        """Whether it had no chance to come to its own best."""
        return len(self.costs) < MIN_VALUE_TRIALS


@dataclass(frozen=True)
class ValueComparison:
    """How far a value is behind the leading one, each at its own best.

    `behind` is the difference, `of` the number of trials at which it is taken where theirs differ (the expected best of
    so many), `first` how many of both values' trials were better than the best of this one: all the leader's, which
    trials that are alike do with probability `chance`; `limit` is how unlikely that must be.
    """

    group: ValueGroup
    difference: float
    equal_count: int | None
    trials_ahead: int
    chance: float
    chance_limit: float
    verdict: Literal["worse", "tie", "open"]


def list_scientific(tables: StudyTables) -> list[SearchedParameter]:
    """The searched parameters that the study asks about."""
    return [parameter for parameter in tables.parameters if parameter.role == "scientific"]


def group_trials_by_value(tables: StudyTables, parameter: SearchedParameter) -> list[ValueGroup]:
    """The trials by their value of a parameter, in the order of its values; without those in which it plays no part."""
    trials = tables.trials.sort_values("number")
    places, labels = _assign_values(parameter, trials[parameter.name])
    usable = trials["state"].isin(["complete", "pruned"]) & trials["value"].notna()
    signed = (trials["value"] * tables.sign).where(usable)
    tries = signed.fillna((trials["value"] * tables.sign).max())
    found = []
    for place, label in enumerate(labels):
        here = (places == place).to_numpy()
        ended = trials[here & (trials["state"] == "complete").to_numpy() & usable.to_numpy()]
        order = signed[here & usable.to_numpy()].sort_values(kind="stable")
        best = float(order.iloc[0]) * tables.sign if len(ended) else None
        first = int(trials.loc[order.index[0], "number"]) if len(ended) else None
        found.append(ValueGroup(label, trials[here], np.sort(tries[here].to_numpy(np.float64)), best, first))
    return found


def _assign_values(parameter: SearchedParameter, values: pd.Series) -> tuple[pd.Series, list[str]]:
    """The place of each value among the sides (-1: plays no part), and their labels."""
    if not parameter.is_range:
        return pd.Series(parameter.choice_indices(values), index=values.index), format_choices(
            parameter.list_choices(values)
        )
    low, high = parameter.low, parameter.high
    known = values.astype(float)
    if parameter.whole and high - low < RANGE_BINS:
        return (known - low).fillna(-1).astype(int), [format_number(low + step) for step in range(int(high - low) + 1)]
    ends = [parameter.value_at(step / RANGE_BINS) for step in range(RANGE_BINS + 1)]
    parts = (parameter.relative_position(known) * RANGE_BINS).clip(0, RANGE_BINS - 1).fillna(-1).map(math.floor)
    return parts, [f"{format_number(a, 2)} to {format_number(b, 2)}" for a, b in pairwise(ends)]


def chance_all_lost(groups: Sequence[ValueGroup], group: ValueGroup) -> float:
    """The chance that no trial of a value comes to its end where trials are alike.

    Its n trials are all among the L that do not, which C(N - n, L - n) of C(N, L) ways to deal N trials have.
    """
    states = pd.concat([one.trials["state"] for one in groups])
    return chance_of_all(len(group.costs), int((states != "complete").sum()), len(states))


def compare_values(
    groups: Sequence[ValueGroup], noise: SeedNoise | None
) -> tuple[ValueGroup, list[ValueComparison]] | None:
    """The value with the best trial, and how the others compare with it, nearest first; None below two.

    `tie`: within the noise of a seed. `worse`: beyond it, and beyond what trials that are alike would differ by luck,
    at 5 % over all pairs that could have been looked at. `open`: the trials are too few to tell.
    """
    judged = sorted((side for side in groups if side.best is not None), key=lambda side: float(side.costs[0]))
    if len(judged) < 2:
        return None
    leader, pairs = judged[0], len(judged) * (len(judged) - 1)
    found = []
    for side in judged[1:]:
        few, many = sorted((len(leader.costs), len(side.costs)))
        equal = few if many > MAX_COUNT_RATIO * few else None
        behind = (
            expected_best(side.costs, equal) - expected_best(leader.costs, equal)
            if equal
            else float(side.costs[0] - leader.costs[0])
        )
        first, chance = precedence_test(leader.costs, side.costs)
        verdict: Literal["worse", "tie", "open"] = "open"
        if noise is not None and behind <= noise.least_significant_difference:
            verdict = "tie"
        elif behind > 0 and chance <= ALPHA / pairs and not (leader.is_rare or side.is_rare):
            verdict = "worse"
        found.append(ValueComparison(side, behind, equal, first, chance, ALPHA / pairs, verdict))
    return leader, found
