"""The answer to what a study asks: the best trial of each level of a scientific parameter, on fresh seeds.

Fresh seeds and groups of examples give the interval of each difference. They do not show whether a level has come to
its own best. Trials do: what the second half of them gained is about what a level still lacks. Levels are searched
alike, so the median over levels is their common scale, and the margin of the search follows from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.summary import Estimate, LevelDifference
from thalweg.reporting.analysis.confirmed import read_group_variance
from thalweg.reporting.analysis.isolation import ValueGroup, group_trials_by_value
from thalweg.reporting.analysis.seed_noise import find_smallest_effect
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import VarianceSource
from thalweg.stats.samples import compute_expected_best, count_seeds_for_equivalence

LevelVerdict = Literal["worse", "behind", "ahead", "alike", "open"]
MAX_SEEDS = 100
"""The largest number of seeds worth advising."""
LEVEL = 0.05
"""How often one of several equal levels may be called worse."""


@dataclass(frozen=True)
class LevelAnswer:
    """A level beside the leader: how much worse its best trial is on fresh seeds.

    - `difference`, `low` to `high`: level - leader, positive if the level is worse; the intervals of all levels of a
      parameter hold together.
    - `bound`: its best trial surely differs by less, either way (two one-sided tests at 5 %).
    - `search_gap`: what the second half of its trials gained.
    - `verdict`: `alike`, any difference is smaller than the smallest effect. `worse`, also if both levels were searched
      to their own best. `behind`, its best trial is surely worse, but more trials may change that.
      `ahead`, its best trial is surely better, though the validation set chose the leader. `open`, not clear.
    - `seeds_needed`: if it is as good as the leader, so many seeds show with a chance of 80 % that it is alike; None
      if MAX_SEEDS do not. `groups_margin`: what groups of examples leave uncertain with any number of seeds (90 %).
    """

    label: str
    trial: int
    trial_count: int
    difference: float
    low: float
    high: float
    bound: float
    search_gap: float
    verdict: LevelVerdict
    seeds_needed: int | None
    groups_margin: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Answer:
    """The leading level, all others by their difference, and the smallest effect that counts; None: not known.

    `search_margin`: a difference that the search may leave between two levels that are equal at their own best.
    """

    leader: str
    trial: int
    trial_count: int
    seeds: int
    smallest_effect: float | None
    search_margin: float
    others: tuple[LevelAnswer, ...]

    def list_labels(self, verdict: str) -> list[str]:
        """List the levels with a verdict."""
        return [other.label for other in self.others if other.verdict == verdict]


def answer_question(tables: StudyTables, parameter: SearchedParameter) -> Answer | None:
    """Return the answer to a question about a parameter; None if its levels were not retrained."""
    question = next((asked for asked in tables.summary.questions if asked.parameter == parameter.name), None)
    if question is None or question.level is None or question.trial is None or not question.others:
        return None
    groups, effect = group_trials_by_value(tables, parameter), find_smallest_effect(tables)
    leader = groups[question.level]
    trial = question.trial
    margin = compute_search_margin(
        [groups[level].costs for level in (question.level, *(o.level for o in question.others))]
    )
    others = sorted(
        (
            _answer_level(tables, (leader, trial), (groups[other.level], other), effect, margin)
            for other in question.others
        ),
        key=lambda other: other.difference,
    )
    seeds = question.others[0].difference.seeds
    return Answer(leader.label, trial, len(leader.costs), seeds, effect, margin, tuple(others))


def find_failed_levels(tables: StudyTables, parameter: SearchedParameter) -> dict[str, int]:
    """Find the levels whose best trial has no value on some fresh seed, and that trial."""
    labels = [group.label for group in group_trials_by_value(tables, parameter)]
    asked = (question for question in tables.summary.questions if question.parameter == parameter.name)
    return {labels[failed.level]: failed.trial for question in asked for failed in question.failed}


def _answer_level(
    tables: StudyTables,
    first: tuple[ValueGroup, int],
    compared: tuple[ValueGroup, LevelDifference],
    effect: float | None,
    margin: float,
) -> LevelAnswer:
    """Answer for a level that was compared with the leader and its trial, the first."""
    (leader, leading_trial), (group, other) = first, compared
    estimate = other.difference
    mean, (low, high) = tables.sign * estimate.mean, sorted((tables.sign * estimate.low, tables.sign * estimate.high))
    bound = max(-other.low_90, other.high_90)
    is_tuned = not (group.is_rare or leader.is_rare)
    return LevelAnswer(
        group.label,
        other.trial,
        len(group.costs),
        mean,
        low,
        high,
        bound,
        measure_search_gap(group.costs),
        judge_difference(mean, low, high, bound, margin if is_tuned else np.inf, effect),
        _count_seeds_needed(tables, leading_trial, other, effect),
        sum(_read_groups(estimate).equivalence_half_widths()) / 2,
    )


def _count_seeds_needed(tables: StudyTables, leader: int, other: LevelDifference, effect: float | None) -> int | None:
    """Count the seeds that would show that a level is alike, from how its runs differ from the leader's by seed."""
    column = f"{tables.split}_{tables.objective}"
    if effect is None or column not in tables.runs:
        return None
    runs = tables.runs[tables.runs["trial"].isin([leader, other.trial])]
    by_seed = runs.pivot_table(values=column, index="seed", columns="trial").dropna()
    if by_seed.shape[1] < 2 or len(by_seed) < 2:
        return None
    spread = float((by_seed[other.trial] - by_seed[leader]).std(ddof=1))
    return count_seeds_for_equivalence(effect, spread, _read_groups(other.difference), max_seeds=MAX_SEEDS)


def _read_groups(estimate: Estimate) -> VarianceSource:
    return read_group_variance(estimate) or VarianceSource(0.0, 1)


def measure_search_gap(costs: NDArray[np.float64]) -> float:
    """Measure how much better the best of all trials [n] is than the best of half of them, on average over halves."""
    return compute_expected_best(costs, max(1, len(costs) // 2)) - float(np.min(costs))


def compute_search_margin(costs: Sequence[NDArray[np.float64]]) -> float:
    """Return how far two levels that are equal at their own best may differ after the search, from all levels' trials.

    What levels lack is taken as exponential, with the median of the levels' gaps as its mean. Two such shortfalls
    differ by more than x, one way, with the probability exp(-x / mean) / 2 (Laplace's distribution). The margin keeps
    all differences from the leader within it in 1 - LEVEL / 2 of studies (Bonferroni), one way.
    """
    mean = float(np.median([measure_search_gap(level) for level in costs]))
    return mean * float(np.log((len(costs) - 1) / LEVEL))


def judge_difference(
    mean: float, low: float, high: float, bound: float, search_margin: float, effect: float | None
) -> LevelVerdict:
    """Judge a level's difference from the leader, positive if the level is worse.

    Errors of seeds and groups (`mean` - `low`) and of the search are independent, so their squares add up. The margin
    is infinite for a level with too few trials. The intervals of all levels hold together, and in both directions.
    """
    if effect is not None and bound < effect and np.isfinite(search_margin):
        return "alike"
    if mean > np.hypot(mean - low, search_margin):
        return "worse"
    return "behind" if low > 0 else "ahead" if high < 0 else "open"
