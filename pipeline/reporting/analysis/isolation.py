"""The trials of each level of a scientific parameter: its choices, or the thirds of its range.

After Godbole et al. 2023, Deep Learning Tuning Playbook, "Extracting insight from experiment results": isolation plots.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_choices, format_levels
from thalweg.stats.level_measures import MIN_LEVEL_TRIALS, divide_range
from thalweg.stats.samples import compute_chance_of_many

ALPHA = 0.05  # false verdicts on a parameter


@dataclass(frozen=True)
class ValueGroup:
    """One level of a parameter, with its trials.

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
        return len(self.costs) < MIN_LEVEL_TRIALS


def list_scientific(tables: StudyTables) -> list[SearchedParameter]:
    """List the searched parameters that the study asks about."""
    return [parameter for parameter in tables.parameters if parameter.role == "scientific"]


def group_trials_by_value(tables: StudyTables, parameter: SearchedParameter) -> list[ValueGroup]:
    """Group the trials that use a parameter by their level of it, in the order of its values."""
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
    ends = divide_range(parameter.low, parameter.high, parameter.log, parameter.whole)
    numbers = values.astype(float)
    # a value on the border of two levels is in the lower one
    indices = np.searchsorted([high for _, high in ends[:-1]], numbers.to_numpy(), side="left")
    labels = format_levels(ends, 4 if parameter.whole else 2)
    return pd.Series(np.where(numbers.isna(), -1, indices), index=values.index), labels


def compute_chance_of_loss(tables: StudyTables, groups: Sequence[ValueGroup], group: ValueGroup) -> float:
    """Return the chance that as many trials of a value fail as did, or more, if all values are alike.

    A trial that was stopped early failed only if rungs compare trials of all values. Where each value has rungs of its
    own, as many of its trials are stopped whether it is good or bad.
    """
    failures = ["diverged", "infeasible", *([] if _has_own_rungs(tables) else ["pruned"])]
    states = pd.concat([other.trials["state"] for other in groups])
    own, total = (int(one.isin(failures).sum()) for one in (group.trials["state"], states))
    return compute_chance_of_many(own, len(group.costs), total, len(states))


def _has_own_rungs(tables: StudyTables) -> bool:
    """Return whether early stopping compares the trials of one value only: not if the study tries all settings."""
    return tables.setting("study.sampler") != "grid" and not tables.is_space_exhausted
