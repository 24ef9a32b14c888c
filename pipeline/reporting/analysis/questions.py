"""The answer to what a study asks: the best trial of each level of a scientific parameter, on fresh seeds.

Fresh seeds and groups of examples give the interval of each difference. They do not show whether a level has come to
its own best. Its trials do: `search_gap` is what the second half of them gained, about what as many again would gain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thalweg.artifacts.summary import Question
from thalweg.reporting.analysis.isolation import ValueGroup, group_trials_by_value
from thalweg.reporting.analysis.seed_noise import find_smallest_effect
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.samples import expected_best

LevelVerdict = Literal["worse", "behind", "alike", "open"]


@dataclass(frozen=True)
class LevelAnswer:
    """A level beside the leader: how much worse its best trial is on fresh seeds.

    - `difference`, `low` to `high`: level - leader, positive if the level is worse; the intervals of all levels of a
      parameter hold together.
    - `search_gap`: what the second half of its trials gained.
    - `verdict`: `worse`, also if as many trials again improve it as much as so far. `behind`, its best trial is surely
      worse, but more trials may change that. `alike`, any difference is smaller than the smallest effect. `open`, not
      clear.
    """

    label: str
    trial: int
    trial_count: int
    difference: float
    low: float
    high: float
    search_gap: float
    verdict: LevelVerdict

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Answer:
    """The leading level, all others by their difference, and the smallest effect that counts; None: not known."""

    leader: str
    trial: int
    trial_count: int
    seeds: int
    smallest_effect: float | None
    others: tuple[LevelAnswer, ...]

    def list_labels(self, verdict: str) -> list[str]:
        """List the levels with a verdict."""
        return [other.label for other in self.others if other.verdict == verdict]


def answer_question(tables: StudyTables, parameter: SearchedParameter) -> Answer | None:
    """Return the answer to a question about a parameter; None if its levels were not retrained."""
    question = next((asked for asked in tables.summary.questions if asked.parameter == parameter.name), None)
    if question is None:
        return None
    groups, effect = group_trials_by_value(tables, parameter), find_smallest_effect(tables)
    leader = groups[question.level]
    others = sorted(_answer_levels(tables.sign, question, groups, effect), key=lambda other: other.difference)
    seeds = question.others[0].difference.seeds
    return Answer(leader.label, question.trial, len(leader.costs), seeds, effect, tuple(others))


def _answer_levels(
    sign: int, question: Question, groups: Sequence[ValueGroup], effect: float | None
) -> list[LevelAnswer]:
    answers, leader = [], groups[question.level]
    for other in question.others:
        group, estimate = groups[other.level], other.difference
        low, high = sorted((sign * estimate.low, sign * estimate.high))
        gap, is_tuned = measure_search_gap(group.costs), not (group.is_rare or leader.is_rare)
        verdict = judge_difference(sign * estimate.mean, low, high, gap if is_tuned else np.inf, effect)
        counts = group.label, other.trial, len(group.costs)
        answers.append(LevelAnswer(*counts, sign * estimate.mean, low, high, gap, verdict))
    return answers


def measure_search_gap(costs: NDArray[np.float64]) -> float:
    """Measure how much better the best of all trials [n] is than the best of half of them, on average over halves."""
    return expected_best(costs, max(1, len(costs) // 2)) - float(np.min(costs))


def judge_difference(mean: float, low: float, high: float, search_gap: float, effect: float | None) -> LevelVerdict:
    """Judge a level's difference from the leader, positive if the level is worse.

    Errors of seeds and groups (`mean` - `low`) and of the search, about as large as the gap itself, are independent, so
    their squares add up.
    """
    if mean - search_gap > np.hypot(mean - low, search_gap):
        return "worse"
    if low > 0:
        return "behind"
    return "alike" if effect is not None and max(-low, high) < effect else "open"
