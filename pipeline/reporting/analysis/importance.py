"""Which parameters mattered, with intervals and limits of chance."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.equal_training import EqualTraining, compare_equal_training
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.ped_anova import ParameterColumn, compute_importances, mark_best
from thalweg.stats.samples import SeedNoise
from thalweg.stats.strata import stratify_trials

Floats = NDArray[np.float64]

RANGE_STEPS = 50  # steps of a range, as in Optuna
MIN_TRIALS = 12  # fewer say nothing
ALPHA = 0.05  # false positives
BOOTSTRAPS = 200  # draws for intervals
PERMUTATIONS = 400  # draws for the limit of chance
MAX_MINOR_SHARE = 0.2  # of the importance: less is not worth trials


@dataclass(frozen=True)
class Importance:
    """A parameter's share of all importances.

    - `low`, `high`: its 95 % interval over redrawn trials and noise.
    - `chance`: parameters without effect all stay below it in 95 % of studies; a share of the same total, may exceed 1.
    - `trials`: how many trials have the parameter.
    """

    name: str
    share: float
    low: float
    high: float
    chance: float
    trials: int

    @property
    def is_important(self) -> bool:
        """Whether it matters beyond chance, in whole percent, as the page shows both numbers."""
        return round(100 * self.share) > round(100 * self.chance)

    @property
    def is_minor(self) -> bool:
        """Whether its share is surely small; a larger one would have exceeded chance."""
        return not self.is_important and max(self.high, self.chance) <= MAX_MINOR_SHARE


@dataclass(frozen=True)
class ImportanceRanking:
    """The searched parameters, most important first.

    - `best_trials`: their values are compared with those of all `trial_count` trials.
    - `rare_parameters`: parameters of too few trials to judge, with the number of trials that have them.
    - `lead_share`: share of redraws in which the first parameter beyond chance leads all others.
    - `noise`: of a seed at the end of training, used to redraw values; None if unknown.
    """

    parameters: tuple[Importance, ...]
    best_trials: tuple[int, ...]
    trial_count: int
    rare_parameters: dict[str, int]
    equal_training: EqualTraining
    lead_share: float
    noise: SeedNoise | None

    @property
    def has_clear_leader(self) -> bool:
        """Whether the first parameter beyond chance surely leads all others."""
        return self.lead_share >= 1 - ALPHA

    @property
    def important_parameters(self) -> list[Importance]:
        return [importance for importance in self.parameters if importance.is_important]

    @property
    def unimportant_parameters(self) -> list[Importance]:
        return [importance for importance in self.parameters if not importance.is_important]

    def has_important(self, name: str) -> bool:
        """Whether the parameter mattered beyond chance."""
        return any(importance.name == name for importance in self.important_parameters)


def build_column(parameter: SearchedParameter, values: pd.Series) -> ParameterColumn:
    """Return the values of a searched parameter as steps of the scale it was searched in, or as choices."""
    name = parameter.name
    if not parameter.is_range:
        indices = parameter.choice_indices(values)
        return ParameterColumn(name, indices, max(len(parameter.choices), int(indices.max(initial=0)) + 1), False)
    low, high = parameter.low, parameter.high
    numbers, size = values.astype(float).clip(low, high), RANGE_STEPS
    if parameter.whole:
        width = high - low + 1
        size = min(size, math.ceil(math.log2(width)) + 1 if parameter.log else int(width))
    if parameter.log:
        numbers, low, high = pd.Series(np.log(numbers), index=numbers.index), math.log(low), math.log(high)
    step_indices = np.ceil((numbers.to_numpy(np.float64) - low) / ((high - low) / (size - 1)) - 0.5).clip(0, size - 1)
    return ParameterColumn(name, np.nan_to_num(step_indices, nan=-1).astype(np.int64), size, True)


def count_best_trials(trials: int) -> int:
    """Return the number of best trials: a third. With an adaptive sampler, the best tenth resembles all its draws."""
    return math.ceil(trials / 3)


@cache_per_study
def rank_importances(tables: StudyTables) -> ImportanceRanking | None:
    """Rank the searched parameters by importance; None if there are too few trials, or none is better than others."""
    equal_training = compare_equal_training(tables)
    if len(equal_training.values) < MIN_TRIALS or equal_training.values.notna().sum() < 2:
        return None
    trials = tables.trials.set_index("number").loc[equal_training.values.index]
    columns = [build_column(parameter, trials[parameter.name]) for parameter in tables.parameters]
    counts = {column.name: int((column.positions >= 0).sum()) for column in columns}
    rare = {name: count for name, count in counts.items() if count < MIN_TRIALS}
    columns = [column for column in columns if column.name not in rare]
    values, is_lost = equal_training.to_costs(tables.sign).to_numpy(np.float64), equal_training.values.isna().to_numpy()
    best_count = count_best_trials(len(values))
    is_best = mark_best(values[None], best_count)
    if not columns or is_best.sum() > len(values) / 2:
        return None
    importances, noise = compute_importances(columns, is_best, np.ones_like(is_best))[0], estimate_seed_noise(tables)
    if importances.sum() <= 0:
        return None
    bootstraps = _bootstrap_importances(columns, values, is_lost, noise, best_count)
    shares = bootstraps / np.maximum(bootstraps.sum(1, keepdims=True), 1e-300)
    low, high = np.quantile(shares, [0.025, 0.975], axis=0)
    rng = np.random.default_rng(1)
    conditions = {parameter.name: parameter.when for parameter in tables.parameters}
    limits = np.empty(len(columns))
    for i, column in enumerate(columns):
        others = [other for other in columns if other is not column and column.name not in conditions[other.name]]
        limits[i] = _permutation_limit(column, is_best[0], stratify_trials(others, values), len(columns), rng)
    share, chance = importances / importances.sum(), limits / importances.sum()
    order = np.argsort(-importances, kind="stable")
    parameters = tuple(
        Importance(
            columns[i].name,
            float(share[i]),
            float(min(low[i], share[i])),
            float(max(high[i], share[i])),
            float(chance[i]),
            counts[columns[i].name],
        )
        for i in order
    )
    leader = next((int(i) for i, column in zip(order, parameters, strict=True) if column.is_important), None)
    lead_share = 0.0
    if leader is not None:
        lead_share = float((bootstraps[:, leader] > np.delete(bootstraps, leader, axis=1).max(1, initial=0.0)).mean())
    best_numbers = tuple(int(number) for number in equal_training.values.index[is_best[0] > 0])
    return ImportanceRanking(parameters, best_numbers, len(values), rare, equal_training, lead_share, noise)


def _bootstrap_importances(
    columns: list[ParameterColumn], values: Floats, is_lost: NDArray[np.bool_], noise: SeedNoise | None, best_count: int
) -> Floats:
    """Return importances [draws, parameters] of trials redrawn with replacement, with seed noise added."""
    rng, total = np.random.default_rng(0), len(values)
    redrawn = np.repeat(values[None], BOOTSTRAPS, 0)
    if noise is not None:
        redrawn += np.where(is_lost, 0.0, rng.normal(0.0, noise.std, redrawn.shape))
    weights = rng.multinomial(total, np.full(total, 1 / total), BOOTSTRAPS).astype(np.float64)
    return compute_importances(columns, mark_best(redrawn, best_count, weights), weights)


def _permutation_limit(
    parameter: ParameterColumn,
    is_best: Floats,
    strata_of_trials: Floats,
    parameter_count: int,
    rng: np.random.Generator,
) -> float:
    """Return the limit that importances without effect stay below, at level ALPHA over all parameters.

    Shuffles, within each stratum, which of the trials that have the parameter are among the best.
    """
    draws = max(PERMUTATIONS, 20 * parameter_count)
    shuffled, has_parameter = np.repeat(is_best[None], draws, 0), parameter.positions >= 0
    for stratum in np.unique(strata_of_trials[has_parameter]):
        members = np.flatnonzero(has_parameter & (strata_of_trials == stratum))
        shuffled[:, members] = rng.permuted(shuffled[:, members], axis=1)
    null = np.sort(compute_importances([parameter], shuffled, np.ones((1, len(is_best))))[:, 0])
    return float(null[math.ceil((draws + 1) * (1 - ALPHA / parameter_count)) - 1])
