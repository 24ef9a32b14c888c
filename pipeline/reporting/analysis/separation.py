"""Thresholds that separate some trials from the others along a searched number."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from thalweg.reporting.analysis.failing_choice import FailingChoice
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.samples import rank_separation

LEARNING_RATE = "optimizer.learning_rate"
MOMENTUM = "optimizer.momentum"
EFFECTIVE_RATE = "learning rate / (1 - momentum)"
ACCUMULATING_OPTIMIZERS = ("heavy_ball", "nesterov")
MIN_TRIALS = 3  # on each side
MIN_SEPARATION = 0.35  # of the share of pairs in order from one half
ALPHA = 0.05  # false positives over all quantities


@dataclass(frozen=True)
class Separation:
    """A threshold of `name` that best separates selected trials, whose values are high (or low), from the others.

    Beyond it lie `beyond_count` trials, `selected_beyond` of them selected; elsewhere likewise. `choice`: of another
    setting, with which those beyond are selected; None if it is not clear.
    """

    name: str
    is_high: bool
    threshold: float
    selected_beyond: int
    beyond_count: int
    selected_elsewhere: int
    elsewhere_count: int
    choice: FailingChoice | None = None

    @property
    def is_of_choice(self) -> bool:
        """Whether trials beyond it fail with one choice of a setting alone."""
        return self.choice is not None and self.choice.spares_others


@cache_per_study
def list_trial_values(tables: StudyTables, name: str) -> pd.Series:
    """Return a setting of each trial, by number: the searched value, or else the file's."""
    trials = tables.trials.set_index("number")
    file_value = tables.setting(name)
    if name not in trials:
        return pd.Series(file_value, index=trials.index)
    return trials[name] if file_value is None else trials[name].where(trials[name].notna(), file_value)


@cache_per_study
def effective_learning_rate(tables: StudyTables) -> pd.Series:
    """Return the step length on a steady slope, by trial: the learning rate, / (1 - momentum) if steps accumulate.

    They do for `heavy_ball` and `nesterov` (docs/params.md, optimizer), not for averages of gradients.
    """
    rate, momentum = (list_trial_values(tables, name).astype(float) for name in (LEARNING_RATE, MOMENTUM))
    return rate / (1 - momentum.where(is_accumulating(tables), 0.0))


@cache_per_study
def is_accumulating(tables: StudyTables) -> pd.Series:
    """Return in which trials, by number, steps accumulate: those with a momentum and an ACCUMULATING_OPTIMIZERS."""
    momentum, kind = (list_trial_values(tables, name) for name in (MOMENTUM, "optimizer.kind"))
    return (kind.isna() | kind.isin(ACCUMULATING_OPTIMIZERS)) & momentum.notna()


@cache_per_study
def list_quantities(tables: StudyTables) -> dict[str, pd.Series]:
    """Return each searched range by name, by trial, and the effective rate if both its numbers are searched."""
    trials = tables.trials.set_index("number")
    ranges = [parameter.name for parameter in tables.parameters if parameter.is_range]
    quantities = {name: trials[name].astype(float) for name in ranges}
    if {LEARNING_RATE, MOMENTUM} <= quantities.keys():
        quantities[EFFECTIVE_RATE] = effective_learning_rate(tables)
    return quantities


def find_separation(
    tables: StudyTables, selected: Collection[int], others: Collection[int], names: Collection[str] = ()
) -> Separation | None:
    """Find the quantity (of `names`, if given) that best separates trials from others; None if none does beyond chance.

    By the share of pairs in order (Mann and Whitney 1947). It must differ from a half by more than MIN_SEPARATION, and
    by more than chance gives for any of the quantities with probability ALPHA (Bonferroni's bound, normal
    approximation). A quantity with fewer than MIN_TRIALS trials on a side is skipped.
    """
    quantities = {name: values for name, values in list_quantities(tables).items() if not names or name in names}
    separations = []
    for name, values in quantities.items():
        inside, outside = (
            values[values.index.isin(list(numbers))].dropna().to_numpy() for numbers in (selected, others)
        )
        if min(len(inside), len(outside)) < MIN_TRIALS:
            continue
        pair_share = rank_separation(inside, outside)
        chance = ((len(inside) + len(outside) + 1) / (12 * len(inside) * len(outside))) ** 0.5
        if abs(pair_share - 0.5) > max(MIN_SEPARATION, -ndtri(ALPHA / 2 / len(quantities)) * chance):
            separations.append((abs(pair_share - 0.5), name, pair_share > 0.5, inside, outside))
    if not separations:
        return None
    _, name, is_high, inside, outside = max(separations, key=lambda separation: separation[0])
    threshold = find_threshold(inside, outside, is_high)
    selected_beyond, others_beyond = (int(((values > threshold) == is_high).sum()) for values in (inside, outside))
    return Separation(
        name,
        is_high,
        threshold,
        selected_beyond,
        beyond_count=selected_beyond + others_beyond,
        selected_elsewhere=len(inside) - selected_beyond,
        elsewhere_count=len(inside) + len(outside) - selected_beyond - others_beyond,
    )


def find_threshold(selected: NDArray[np.float64], others: NDArray[np.float64], is_high: bool) -> float:
    """Return the midpoint of neighbouring values that best separates: Youden's index (1950) of `selected` beyond it.

    The midpoint is geometric if all values are positive.
    """
    values = np.unique(np.concatenate([selected, others]))
    lower, upper = values[:-1], values[1:]
    middle = np.sqrt(lower * upper) if values[0] > 0 else (lower + upper) / 2
    below = [np.searchsorted(np.sort(numbers), middle, side="right") / len(numbers) for numbers in (selected, others)]
    return float(middle[np.argmax((below[1] - below[0]) * (1 if is_high else -1))])
