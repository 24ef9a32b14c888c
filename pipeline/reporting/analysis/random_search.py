"""The expected best of random search: exact for as many trials as were drawn, by averaging over their orders."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thalweg.reporting.tables import StudyTables
from thalweg.stats.samples import BestOfDraws, compute_best_of_draws

Array = NDArray[np.float64]
MIN_DRAWN_TRIALS = 4  # fewer say nothing
OrderReason = Literal["exhausted", "planned", "adaptive", "stopped", "few"]
"""Why the order of trials cannot change: all settings tried, a plan, a sampler that learns, stops, too few trials."""


@dataclass(frozen=True)
class RandomDraws:
    """Trials that could have come in any order: `costs` [n] in the order of the search, after `given_count` given ones.

    `given_cost` is the least cost of the given ones, infinite if there was none.
    """

    costs: Array
    given_count: int
    given_cost: float

    @property
    def best_by_count(self) -> BestOfDraws:
        """The best of the given and k drawn trials together."""
        return compute_best_of_draws(np.minimum(self.costs, self.given_cost))

    def expected_gain(self, count: int) -> float:
        """Return the mean gain of the last `count` drawn trials over the others' best, over all orders.

        As many further trials gain no more on average: each gains less than the one before it.
        """
        mean = self.best_by_count.mean
        return float(mean[-1 - count] - mean[-1])


def count_given_trials(tables: StudyTables) -> int:
    """Return how many first settings no sampler drew: the file's own values, and `study.enqueue`."""
    count = (tables.baseline_trial is not None) + len(tables.setting("study.enqueue") or ())
    return int((tables.trials["number"] < count).sum()) if len(tables.trials) else 0


def find_random_draws(tables: StudyTables) -> RandomDraws | OrderReason:
    """Return the trials that could have come in any order, or the reason why there are none.

    A trial that diverged or broke a limit counts as the worst of the others.
    """
    sampler, trials = tables.setting("study.sampler"), tables.trials.sort_values("number")
    if tables.is_space_exhausted:
        return "exhausted"
    if sampler in ("grid", "quasi_random"):
        return "planned"
    if sampler != "random":
        return "adaptive"
    if (trials["state"] == "pruned").any():
        return "stopped"
    costs = (trials["value"].where(trials["state"] == "complete") * tables.sign).to_numpy(np.float64)
    given_costs, drawn_costs = np.split(costs, [count_given_trials(tables)])
    if np.isfinite(drawn_costs).sum() < MIN_DRAWN_TRIALS:
        return "few"
    worst = float(np.nanmax(drawn_costs))
    given_cost = float(np.nanmin(given_costs)) if np.isfinite(given_costs).any() else np.inf
    return RandomDraws(np.nan_to_num(drawn_costs, nan=worst), len(given_costs), given_cost)
