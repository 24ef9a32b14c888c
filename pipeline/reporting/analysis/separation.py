"""What parts some trials from the others: above or below which value of a searched number they lie."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number, format_share
from thalweg.stats.samples import rank_separation

LEARNING_RATE = "optimizer.learning_rate"
MOMENTUM = "optimizer.momentum"
EFFECTIVE_RATE = "learning rate / (1 - momentum)"
ACCUMULATING_OPTIMIZERS = ("heavy_ball", "nesterov")
MIN_TRIALS = 3
MIN_SEPARATION = 0.35
ALPHA = 0.05


@dataclass(frozen=True)
class Separation:
    """Some trials have `high` (or low) values of `name`: beyond `at` lie `beyond` trials, `inside` of them these.

    On the other side of `at` lie `rest` trials, `missed` of them these; `pairs` is the share of pairs of one of these
    and one of the others in which the first one's value is the larger (the smaller where they are low).
    """

    name: str
    is_high: bool
    threshold: float
    selected_beyond: int
    beyond_count: int
    selected_elsewhere: int
    elsewhere_count: int
    pair_share: float

    @property
    def quoted_name(self) -> str:
        """The name as it stands in a sentence."""
        return self.name if self.name == EFFECTIVE_RATE else f"`{self.name}`"

    def describe_location(self) -> str:
        """Where these trials lie, as a sentence."""
        way, larger = ("high", "larger") if self.is_high else ("low", "smaller")
        return (
            f"They have {way} {self.quoted_name}: {'above' if self.is_high else 'below'} about {format_number(self.threshold, 2)} it is "
            f"{format_share(self.selected_beyond, self.beyond_count)}, elsewhere {format_share(self.selected_elsewhere, self.elsewhere_count)}; in "
            f"{100 * self.pair_share:.0f} % of pairs with another trial theirs is the {larger}."
        )


def list_trial_values(tables: StudyTables, name: str) -> pd.Series:
    """A number or choice of each trial: what was searched, or else what the file says; by trial's number."""
    trials = tables.trials.set_index("number")
    own = tables.setting(name)
    if name not in trials:
        return pd.Series(own, index=trials.index)
    return trials[name] if own is None else trials[name].where(trials[name].notna(), own)


def effective_learning_rate(tables: StudyTables) -> pd.Series:
    """How far a step goes in a steady slope, by trial's number: the learning rate, / (1 - momentum) where steps add up.

    They do for `heavy_ball` and `nesterov` (docs/params.md, optimizer); not for averages of gradients.
    """
    rate, momentum = (list_trial_values(tables, name).astype(float) for name in (LEARNING_RATE, MOMENTUM))
    return rate / (1 - momentum.where(is_accumulating(tables), 0.0))


def is_accumulating(tables: StudyTables) -> pd.Series:
    """In which trials, by number, steps add up: those that have a momentum, of the optimizers SUMMED."""
    momentum, kind = (list_trial_values(tables, name) for name in (MOMENTUM, "optimizer.kind"))
    return (kind.isna() | kind.isin(ACCUMULATING_OPTIMIZERS)) & momentum.notna()


def list_quantities(tables: StudyTables) -> dict[str, pd.Series]:
    """Every searched range by name, by trial's number; and the pace where learning rate and momentum make it up."""
    trials = tables.trials.set_index("number")
    ranges = [parameter.name for parameter in tables.parameters if parameter.is_range]
    found = {name: trials[name].astype(float) for name in ranges}
    if {LEARNING_RATE, MOMENTUM} <= found.keys():
        found[EFFECTIVE_RATE] = effective_learning_rate(tables)
    return found


def find_separation(
    tables: StudyTables, selected: Collection[int], others: Collection[int], names: Collection[str] = ()
) -> Separation | None:
    """The quantity (one of `names`, where given) that best parts trials from others; None where none does beyond chance.

    By the share of pairs in order (Mann and Whitney 1947): it must be further from a half than CLEAR, and than chance
    would bring it for any of the quantities with a probability of LEVEL (by Bonferroni's bound, from the normal
    approximation). Fewer than FEWEST trials on a side tell nothing.
    """
    looked = {name: values for name, values in list_quantities(tables).items() if not names or name in names}
    found = []
    for name, values in looked.items():
        inside, outside = (values[values.index.isin(list(one))].dropna().to_numpy() for one in (selected, others))
        if min(len(inside), len(outside)) < MIN_TRIALS:
            continue
        above = rank_separation(inside, outside)
        chance = ((len(inside) + len(outside) + 1) / (12 * len(inside) * len(outside))) ** 0.5
        if abs(above - 0.5) > max(MIN_SEPARATION, -ndtri(ALPHA / 2 / len(looked)) * chance):
            found.append((abs(above - 0.5), name, above > 0.5, inside, outside))
    if not found:
        return None
    clear, name, high, inside, outside = max(found, key=lambda one: one[0])
    at = find_threshold(inside, outside, high)
    there = [int(((values > at) == high).sum()) for values in (inside, outside)]
    beyond, total = sum(there), len(inside) + len(outside)
    return Separation(name, high, at, there[0], beyond, len(inside) - there[0], total - beyond, 0.5 + clear)


def find_threshold(selected: NDArray[np.float64], others: NDArray[np.float64], is_high: bool) -> float:
    """Midway between two neighbouring values, where the share of `selected` beyond it is most above that of `others`.

    Youden's index (1950). The middle is the geometric one where all values are above 0.
    """
    values = np.unique(np.concatenate([selected, others]))
    lower, upper = values[:-1], values[1:]
    middle = np.sqrt(lower * upper) if values[0] > 0 else (lower + upper) / 2
    below = [np.searchsorted(np.sort(one), middle, side="right") / len(one) for one in (selected, others)]
    return float(middle[np.argmax((below[1] - below[0]) * (1 if is_high else -1))])
