"""Which parameters mattered, how sure that is, and which cannot be told from one without any effect."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.equal_training import EqualTraining, compare_equal_training
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.ped_anova import ParameterColumn, compute_importances, mark_best
from thalweg.stats.samples import SeedNoise
from thalweg.stats.strata import stratify_trials

Floats = NDArray[np.float64]

RANGE_STEPS = 50
"""Optuna's: steps of a range."""
MIN_TRIALS = 12
ALPHA = 0.05
BOOTSTRAPS = 200
PERMUTATIONS = 400
MAX_MINOR_SHARE = 0.2
"""Trials below which nothing is said; the share of false findings; draws for intervals, and for what chance gives; a
share of the importance that is too small to spend trials on."""


@dataclass(frozen=True)
class Importance:
    """A parameter's share of all importances.

    - `low`, `high`: its 95 % interval over redrawn trials and noise.
    - `chance`: what it would stay below if it had no effect, in 95 % of studies for all parameters at once; as a share
      of the same whole, so it may be above 1.
    - `trials`: how many have it.
    """

    name: str
    share: float
    low: float
    high: float
    chance: float
    trials: int

    @property
    def is_important(self) -> bool:
        """Whether it matters beyond chance; by a percent, so that no two equal numbers on the page stand for it."""
        return round(100 * self.share) > round(100 * self.chance)

    @property
    def is_minor(self) -> bool:
        """Whether its share is small however trials are drawn, and no larger one would have been taken for chance."""
        return not self.is_important and max(self.high, self.chance) <= MAX_MINOR_SHARE


@dataclass(frozen=True)
class ImportanceRanking:
    """The searched parameters, most important first.

    - `best`: the trials whose values are set against those of all `trials`.
    - `rare`: parameters that too few trials have to say anything of, with how many have them.
    - `led`: the share of redraws in which the first of those beyond chance is ahead of every other parameter.
    - `noise`: of a seed at the end of training, by which values were redrawn; None where it is not known.
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
        """Whether the first of those beyond chance is told from the others."""
        return self.lead_share >= 1 - ALPHA

    @property
    def important(self) -> list[Importance]:
        return [one for one in self.parameters if one.is_important]

    @property
    def unimportant(self) -> list[Importance]:
        return [one for one in self.parameters if not one.is_important]

    def has_important(self, name: str) -> bool:
        """Whether the parameter of a name mattered beyond chance."""
        return any(one.name == name for one in self.important)


def build_column(parameter: SearchedParameter, values: pd.Series) -> ParameterColumn:
    """The values of a searched parameter, in the scale that it was searched in."""
    name = parameter.name
    if not parameter.is_range:
        places = parameter.choice_indices(values)
        return ParameterColumn(name, places, max(len(parameter.choices), int(places.max(initial=0)) + 1), False)
    low, high = parameter.low, parameter.high
    known, size = values.astype(float).clip(low, high), RANGE_STEPS
    if parameter.whole:
        width = high - low + 1
        size = min(size, math.ceil(math.log2(width)) + 1 if parameter.log else int(width))
    if parameter.log:
        known, low, high = pd.Series(np.log(known), index=known.index), math.log(low), math.log(high)
    steps = np.ceil((known.to_numpy(np.float64) - low) / ((high - low) / (size - 1)) - 0.5).clip(0, size - 1)
    return ParameterColumn(name, np.nan_to_num(steps, nan=-1).astype(np.int64), size, True)


def count_best_trials(trials: int) -> int:
    """How many trials are the best: a third. Of a sampler that learns the best tenth is much like all that it drew."""
    return math.ceil(trials / 3)


@lru_cache(maxsize=4)
def rank_importances(tables: StudyTables) -> ImportanceRanking | None:
    """How much each searched parameter mattered; None where there are too few trials to say, or none is better."""
    found = compare_equal_training(tables)
    if len(found.values) < MIN_TRIALS or found.values.notna().sum() < 2:
        return None
    trials = tables.trials.set_index("number").loc[found.values.index]
    columns = [build_column(one, trials[one.name]) for one in tables.parameters]
    rare = {one.name: int((one.positions >= 0).sum()) for one in columns if (one.positions >= 0).sum() < MIN_TRIALS}
    columns = [one for one in columns if one.name not in rare]
    values, lost = found.to_costs(tables.sign).to_numpy(np.float64), found.values.isna().to_numpy()
    count = count_best_trials(len(values))
    top = mark_best(values[None], count)
    if not columns or top.sum() > len(values) / 2:
        return None
    known, noise = compute_importances(columns, top, np.ones_like(top))[0], estimate_seed_noise(tables)
    if known.sum() <= 0:
        return None
    drawn = _bootstrap_importances(columns, values, lost, noise, count)
    shares = drawn / np.maximum(drawn.sum(1, keepdims=True), 1e-300)
    low, high = np.quantile(shares, [0.025, 0.975], axis=0)
    rng = np.random.default_rng(1)
    when = {one.name: one.when for one in tables.parameters}
    others = [[other for other in columns if other is not one and one.name not in when[other.name]] for one in columns]
    alike = [stratify_trials(of_these, values) for of_these in others]
    limits = np.array(
        [_permutation_limit(one, top[0], part, len(columns), rng) for one, part in zip(columns, alike, strict=True)]
    )
    share, chance = known / known.sum(), limits / known.sum()
    order = np.argsort(-known, kind="stable")
    parameters = tuple(
        Importance(
            columns[i].name,
            float(share[i]),
            float(min(low[i], share[i])),
            float(max(high[i], share[i])),
            float(chance[i]),
            int((columns[i].positions >= 0).sum()),
        )
        for i in order
    )
    first = next((int(i) for i, one in zip(order, parameters, strict=True) if one.is_important), None)
    led = 0.0
    if first is not None:
        led = float((drawn[:, first] > np.delete(drawn, first, axis=1).max(1, initial=0.0)).mean())
    numbers = tuple(int(number) for number in found.values.index[top[0] > 0])
    return ImportanceRanking(parameters, numbers, len(values), rare, found, led, noise)


def _bootstrap_importances(
    columns: list[ParameterColumn], values: Floats, is_lost: NDArray[np.bool_], noise: SeedNoise | None, best_count: int
) -> Floats:
    """Importances [draws, parameters] of trials drawn again with replacement, their values with the noise of a seed."""
    rng, total = np.random.default_rng(0), len(values)
    drawn = np.repeat(values[None], BOOTSTRAPS, 0)
    if noise is not None:
        drawn += np.where(is_lost, 0.0, rng.normal(0.0, noise.std, drawn.shape))
    weights = rng.multinomial(total, np.full(total, 1 / total), BOOTSTRAPS).astype(np.float64)
    return compute_importances(columns, mark_best(drawn, best_count, weights), weights)


def _permutation_limit(
    parameter: ParameterColumn,
    is_best: Floats,
    strata_of_trials: Floats,
    parameter_count: int,
    rng: np.random.Generator,
) -> float:
    """The importance that a parameter without effect stays below, at LEVEL over all parameters.

    Its values are dealt anew within each stratum among the trials that have it; as many of these are among the best.
    """
    draws = max(PERMUTATIONS, 20 * parameter_count)
    shuffled, there = np.repeat(is_best[None], draws, 0), parameter.positions >= 0
    for stratum in np.unique(strata_of_trials[there]):
        here = np.flatnonzero(there & (strata_of_trials == stratum))
        shuffled[:, here] = rng.permuted(shuffled[:, here], axis=1)
    found = np.sort(compute_importances([parameter], shuffled, np.ones((1, len(is_best))))[:, 0])
    return float(found[math.ceil((draws + 1) * (1 - ALPHA / parameter_count)) - 1])
