"""What random search is expected to find: exact for as many trials as were drawn, by putting them in every order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count
from thalweg.stats.samples import BestOfDraws, best_of_draws

Array = NDArray[np.float64]
MIN_DRAWN_TRIALS = 4


@dataclass(frozen=True)
class RandomDraws:
    """Trials that could have come in any order: `costs` [n] in the order of the search, after `first` that were given.

    `given` is the least cost of those first ones, infinite where there was none.
    """

    costs: Array
    given_count: int
    given_cost: float

    @property
    def best_by_count(self) -> BestOfDraws:
        """Of what was given and k drawn ones together."""
        return best_of_draws(np.minimum(self.costs, self.given_cost))

    def expected_gain(self, count: int) -> float:
        """How much the last `count` of the drawn are expected to better the others' least, whatever their order.

        As many further ones gain no more than that on average: each gains less than the one before it.
        """
        mean = self.best_by_count.mean
        return float(mean[-1 - count] - mean[-1])


def count_given_trials(tables: StudyTables) -> int:
    """How many trials the study began with that no sampler drew: the file's own values, and `study.enqueue`."""
    own = tables.baseline_trial is not None
    return own + len(tables.setting("study.enqueue") or ()) if len(tables.trials) else 0


def find_random_draws(tables: StudyTables) -> RandomDraws | str:
    """The trials that could have come in any order, or why there are none, as a sentence.

    What diverged or broke a limit counts as the worst that did neither.
    """
    sampler, trials = tables.setting("study.sampler"), tables.trials.sort_values("number")
    if sampler in ("grid", "quasi_random"):
        return f"`{sampler}` lays its trials out together, so no other order of them is as likely."
    if sampler != "random":
        return (
            f"`{sampler or 'the sampler'}` proposes each trial from those before it, so no other order of them could "
            "have been, and none tells what random search would have found."
        )
    if (trials["state"] == "pruned").any():
        return "What the stopped trials would have come to is not known, so nor is what another order would have found."
    costs = (trials["value"].where(trials["state"] == "complete") * tables.sign).to_numpy(np.float64)
    first = count_given_trials(tables)
    before, after = costs[:first], costs[first:]
    if np.isfinite(after).sum() < MIN_DRAWN_TRIALS:
        return f"Fewer than {format_count(MIN_DRAWN_TRIALS, 'trial')} were drawn at random and completed."
    worst = float(np.nanmax(after))
    least = float(np.nanmin(before)) if np.isfinite(before).any() else np.inf
    return RandomDraws(np.nan_to_num(after, nan=worst), first, least)
