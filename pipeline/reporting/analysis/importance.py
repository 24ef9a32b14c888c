"""How much each searched parameter changes the objective, over the whole space, and which effects are sure or small.

PED-ANOVA (Watanabe et al. 2023), which Optuna offers, compares the best trials with all trials. A sampler that learns
has moved all trials to what is good, so it calls a decisive choice unimportant. The means of `thalweg.stats.effects`
do not depend on where the sampler looked. They need no new package, unlike Optuna's fANOVA.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.equal_training import EqualTraining, compare_equal_training
from thalweg.reporting.analysis.seed_noise import find_smallest_effect
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import choice_key, format_choices, format_levels
from thalweg.stats.effects import ALPHA, MAX_TRIALS, Effect, EffectSize, adjust_chances, estimate_effects, limit_costs
from thalweg.stats.level_measures import RANGE_LEVELS, Dimension

Floats = NDArray[np.float64]

MIN_TRIALS = 12  # fewer say nothing


@dataclass(frozen=True)
class Importance(EffectSize):
    """The effect of a parameter on the objective, in its units; `chance` is adjusted for all parameters of the study.

    - `worst`, `best`: its levels (choices, or thirds of a range) with the worst and the best mean.
    - `smallest_effect`: the smallest difference that counts; None if unknown.
    - `trials`: how many trials have the parameter.
    - `best_level`: the number of the third with the best mean, from the lowest on; None for choices.
    """

    name: str
    worst: str
    best: str
    smallest_effect: float | None
    trials: int
    best_level: int | None = None

    @property
    def is_important(self) -> bool:
        """Whether it surely matters: no parameter without effect does so in 95 % of studies."""
        return self.chance <= ALPHA and self.low > 0 and not self.is_minor

    @property
    def is_minor(self) -> bool:
        """Whether its effect is surely smaller than what counts."""
        return self.smallest_effect is not None and self.bound < self.smallest_effect


@dataclass(frozen=True)
class ImportanceRanking:
    """The searched parameters, the largest effect first.

    - `rare_parameters`: parameters of too few trials to judge, with the number of trials that have them.
    - `lead_share`: the probability that the first important parameter has the largest effect of all.
    - `worst_value`: the value at which trials that failed, or ended far from all others, count; None if there are none.
    """

    parameters: tuple[Importance, ...]
    trial_count: int
    rare_parameters: dict[str, int]
    equal_training: EqualTraining
    lead_share: float
    worst_value: float | None = None

    @property
    def model_count(self) -> int:
        """How many of the trials the model has: of many it takes some, evenly spaced in the order of the search."""
        return min(self.trial_count, MAX_TRIALS)

    @property
    def has_clear_leader(self) -> bool:
        """Whether the first important parameter surely leads all others."""
        return self.lead_share >= 1 - ALPHA

    @property
    def important_parameters(self) -> list[Importance]:
        return [importance for importance in self.parameters if importance.is_important]

    @property
    def unimportant_parameters(self) -> list[Importance]:
        return [importance for importance in self.parameters if not importance.is_important]

    def has_important(self, name: str) -> bool:
        """Whether the parameter surely matters."""
        return any(importance.name == name for importance in self.important_parameters)


@cache_per_study
def rank_importances(tables: StudyTables) -> ImportanceRanking | None:
    """Rank the searched parameters by effect; None if there are too few trials, or all are equally good."""
    equal_training = compare_equal_training(tables)
    values = equal_training.values
    if len(values) < MIN_TRIALS or values.notna().sum() < 2:
        return None
    signed = (values * tables.sign).to_numpy(np.float64)
    costs = limit_costs(signed)
    trials = tables.trials.set_index("number").loc[values.index]
    varied = [one for one in tables.parameters if one.is_range or len(one.list_choices(trials[one.name])) > 1]
    counts = {one.name: int(np.isfinite(locate_values(one, trials[one.name])).sum()) for one in varied}
    searched = [one for one in varied if counts[one.name]]  # none: its condition never holds in these trials
    rare = {one.name: counts[one.name] for one in searched if counts[one.name] < MIN_TRIALS}
    if np.ptp(costs) == 0 or len(rare) == len(searched):
        return None
    points = np.stack([locate_values(one, trials[one.name]) for one in searched], 1)
    effects = estimate_effects(build_dimensions(searched, trials), points, costs)
    judged = [pair for pair in zip(searched, effects, strict=True) if pair[0].name not in rare]
    chances = adjust_chances([effect.chance for _, effect in judged])
    smallest = find_smallest_effect(tables)
    importances = [
        _describe_effect(parameter, effect, trials[parameter.name], chance, smallest)
        for (parameter, effect), chance in zip(judged, chances, strict=True)
    ]
    leads = {parameter.name: effect.lead_share for parameter, effect in judged}
    order = tuple(sorted(importances, key=lambda importance: -importance.difference))
    is_cut = not np.array_equal(signed, costs)
    worst_value = float(costs.max()) * tables.sign if is_cut else None
    ranking = ImportanceRanking(order, len(values), rare, equal_training, 0.0, worst_value)
    first = next(iter(ranking.important_parameters), None)
    return replace(ranking, lead_share=leads[first.name]) if first else ranking


def _describe_effect(
    parameter: SearchedParameter,
    effect: Effect,
    values: pd.Series,
    chance: float,
    smallest: float | None,
) -> Importance:
    worst, best = (describe_level(parameter, level, values) for level in (effect.worst, effect.best))
    count = int(np.isfinite(locate_values(parameter, values)).sum())
    size = effect.difference, effect.low, effect.high, effect.is_tuned, chance, effect.bound
    best_level = effect.best if parameter.is_range else None
    return Importance(*size, parameter.name, worst, best, smallest, count, best_level)


def locate_values(parameter: SearchedParameter, values: pd.Series) -> Floats:
    """Return each value's position in the range, 0 to 1, or the index of its choice; NaN if the trial has none.

    A whole number takes as much of a range as the values that round to it.
    """
    if not parameter.is_range:
        indices = parameter.choice_indices(values).astype(np.float64)
        return np.where(indices < 0, np.nan, indices)
    return _spread_whole(parameter).relative_position(values).clip(0, 1).to_numpy(np.float64)


def _spread_whole(parameter: SearchedParameter) -> SearchedParameter:
    """Extend a range of whole numbers to all values that round to them."""
    return replace(parameter, low=parameter.low - 0.5, high=parameter.high + 0.5) if parameter.whole else parameter


def build_dimensions(searched: list[SearchedParameter], trials: pd.DataFrame) -> list[Dimension]:
    """Return the searched parameters as dimensions of a space, with the choices that each depends on."""
    places = {parameter.name: index for index, parameter in enumerate(searched)}
    choices = [() if one.is_range else tuple(one.list_choices(trials[one.name])) for one in searched]
    dimensions = []
    for parameter, own in zip(searched, choices, strict=True):
        conditions: dict[int, frozenset[int]] = {}
        for name, allowed in parameter.when.items():
            keys = {choice_key(value) for value in allowed}
            place = places.get(name)
            indices = [] if place is None else [i for i, one in enumerate(choices[place]) if choice_key(one) in keys]
            if place is not None and indices:
                conditions[place] = frozenset(indices)
        dimensions.append(Dimension(len(own), conditions))
    return dimensions


def describe_level(parameter: SearchedParameter, level: int, values: pd.Series) -> str:
    """Describe a choice, or a third of a range by its ends."""
    if not parameter.is_range:
        return format_choices(parameter.list_choices(values))[level]
    return format_levels(find_thirds(parameter), 2)[level]


def find_thirds(parameter: SearchedParameter) -> list[tuple[float, float]]:
    """Return the ends of each third of a range; of whole numbers, the first and the last in it."""
    points = [_spread_whole(parameter).value_at(end / RANGE_LEVELS) for end in range(RANGE_LEVELS + 1)]
    ends = list(pairwise(points))
    if parameter.whole:
        ends = [(min(one), max(one)) for one in ((math.ceil(low), math.floor(high)) for low, high in ends)]
    return ends
