"""Each value of a scientific parameter at its own best over the nuisance parameters, and whether it matters there.

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
ALPHA = 0.05  # false differences
MAX_COUNT_RATIO = 2  # numbers of trials that differ by more are made equal
MIN_VALUE_TRIALS = 5  # with fewer, a value cannot come to its own best


@dataclass(frozen=True)
class ValueGroup:
    """One value of a parameter, or one bin of its range, with its trials.

    - `costs`: the trials' values, signed so that less is better. A trial without a value (diverged, beyond a limit)
      counts as the worst of the study.
    - `best`: the best value, of `best_trial`; None if no trial completed.
    """

    label: str
    trials: pd.DataFrame
    costs: NDArray[np.float64]
    best: float | None
    best_trial: int | None

    @property
    def is_lost(self) -> bool:
        """Whether it has trials, but none completed."""
        return self.best is None and len(self.costs) > 0

    @property
    def is_rare(self) -> bool:
        """Whether it has too few trials to come to its own best."""
        return len(self.costs) < MIN_VALUE_TRIALS


@dataclass(frozen=True)
class ValueComparison:
    """The distance of a value to the leading one, each at its own best.

    - `difference` of their best costs; of the expected best of `equal_count` trials if their counts differ much.
    - `trials_ahead`: trials of the leader that beat this value's best. Equally good values have as many with
      probability `chance`; a real difference needs less than `chance_limit`.
    """

    group: ValueGroup
    difference: float
    equal_count: int | None
    trials_ahead: int
    chance: float
    chance_limit: float
    verdict: Literal["worse", "tie", "open"]


def list_scientific(tables: StudyTables) -> list[SearchedParameter]:
    """List the searched parameters that the study asks about."""
    return [parameter for parameter in tables.parameters if parameter.role == "scientific"]


def group_trials_by_value(tables: StudyTables, parameter: SearchedParameter) -> list[ValueGroup]:
    """Group the trials that use a parameter by their value of it, in the order of its values."""
    trials = tables.trials.sort_values("number")
    group_indices, labels = _assign_values(parameter, trials[parameter.name])
    usable = trials["state"].isin(["complete", "pruned"]) & trials["value"].notna()
    signed_values = (trials["value"] * tables.sign).where(usable)
    costs = signed_values.fillna((trials["value"] * tables.sign).max())
    groups = []
    for index, label in enumerate(labels):
        is_member = (group_indices == index).to_numpy()
        complete = trials[is_member & (trials["state"] == "complete").to_numpy() & usable.to_numpy()]
        usable_costs = signed_values[is_member & usable.to_numpy()].sort_values(kind="stable")
        best = float(usable_costs.iloc[0]) * tables.sign if len(complete) else None
        best_trial = int(trials.loc[usable_costs.index[0], "number"]) if len(complete) else None
        groups.append(
            ValueGroup(label, trials[is_member], np.sort(costs[is_member].to_numpy(np.float64)), best, best_trial)
        )
    return groups


def _assign_values(parameter: SearchedParameter, values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Return each value's index among the groups (-1: not used by the trial), and the groups' labels."""
    if not parameter.is_range:
        labels = format_choices(parameter.list_choices(values))
        return pd.Series(parameter.choice_indices(values), index=values.index), labels
    low, high = parameter.low, parameter.high
    numbers = values.astype(float)
    if parameter.whole and high - low < RANGE_BINS:
        return (numbers - low).fillna(-1).astype(int), [
            format_number(low + step) for step in range(int(high - low) + 1)
        ]
    ends = [parameter.value_at(step / RANGE_BINS) for step in range(RANGE_BINS + 1)]
    bins = (parameter.relative_position(numbers) * RANGE_BINS).clip(0, RANGE_BINS - 1).fillna(-1).map(math.floor)
    return bins, [f"{format_number(a, 2)} to {format_number(b, 2)}" for a, b in pairwise(ends)]


def chance_all_lost(groups: Sequence[ValueGroup], group: ValueGroup) -> float:
    """Return the chance that no trial of a value completes if all values are alike.

    Its n trials are then all among the L incomplete ones: C(N - n, L - n) / C(N, L) for N trials in all.
    """
    states = pd.concat([other.trials["state"] for other in groups])
    return chance_of_all(len(group.costs), int((states != "complete").sum()), len(states))


def compare_values(
    groups: Sequence[ValueGroup], noise: SeedNoise | None
) -> tuple[ValueGroup, list[ValueComparison]] | None:
    """Return the value with the best trial, and the others compared with it, nearest first; None below two values.

    `tie`: within seed noise. `worse`: beyond it and beyond the luck of equally good values, at 5 % over all
    pairs of values. `open`: too few trials to decide.
    """
    judged = sorted((group for group in groups if group.best is not None), key=lambda group: float(group.costs[0]))
    if len(judged) < 2:
        return None
    leader, pairs = judged[0], len(judged) * (len(judged) - 1)
    comparisons = []
    for group in judged[1:]:
        few, many = sorted((len(leader.costs), len(group.costs)))
        equal_count = few if many > MAX_COUNT_RATIO * few else None
        difference = (
            expected_best(group.costs, equal_count) - expected_best(leader.costs, equal_count)
            if equal_count
            else float(group.costs[0] - leader.costs[0])
        )
        trials_ahead, chance = precedence_test(leader.costs, group.costs)
        verdict: Literal["worse", "tie", "open"] = "open"
        if noise is not None and difference <= noise.least_significant_difference:
            verdict = "tie"
        elif difference > 0 and chance <= ALPHA / pairs and not (leader.is_rare or group.is_rare):
            verdict = "worse"
        comparisons.append(
            ValueComparison(group, difference, equal_count, trials_ahead, chance, ALPHA / pairs, verdict)
        )
    return leader, comparisons
