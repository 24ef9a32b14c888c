"""Trials of one setting: those with the same values of all parameters."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.foreign.study import ForeignStudy, ForeignTrial, State
from thalweg.reporting.text import choice_key

WEIGHTS: tuple[State, ...] = ("failed", "infeasible", "complete", "pruned")
"""Ends of trials: of those with one setting, the first of these counts."""


@dataclass(frozen=True)
class Setting:
    """The finished trials of one setting that ended alike, in order of number; the first one names it.

    `repeats`: they have seeds of their own. Without, they are copies: the same seed, or the same value to the last bit,
    says nothing of the noise, and only the first counts.
    """

    trials: tuple[ForeignTrial, ...]
    repeats: bool

    @property
    def first(self) -> ForeignTrial:
        return self.trials[0]

    @property
    def counted(self) -> tuple[ForeignTrial, ...]:
        """The trials that count with their values."""
        return self.trials if self.repeats else self.trials[:1]

    @property
    def values(self) -> tuple[float, ...]:
        """The mean of each objective; () without values."""
        rows = [trial.values for trial in self.counted if trial.values]
        return tuple(map(float, np.mean(rows, axis=0))) if rows else ()


def group_settings(study: ForeignStudy, states: Sequence[State] = WEIGHTS) -> list[Setting]:
    """Group the trials that ended by their setting, in the order of their first trials."""
    groups: dict[str, list[ForeignTrial]] = {}
    for trial in study.trials:
        if trial.state in states:
            # a study that searches nothing has one setting; a trial that failed before it drew values has its own
            key = json.dumps({name: str(choice_key(value)) for name, value in trial.params.items()}, sort_keys=True)
            groups.setdefault(key if trial.params or not study.space else f"{trial.number}", []).append(trial)
    return [_build_setting(trials) for trials in groups.values()]


def _build_setting(trials: Sequence[ForeignTrial]) -> Setting:
    weight = min(WEIGHTS.index(trial.state) for trial in trials)
    alike = tuple(trial for trial in trials if WEIGHTS.index(trial.state) == weight)
    return Setting(alike, _are_repeats(alike))


def _are_repeats(trials: Sequence[ForeignTrial]) -> bool:
    """Return whether trials of one setting have seeds of their own, or at least values of their own."""
    seeds = [str(trial.seed) for trial in trials if trial.seed is not None]
    if len(seeds) == len(trials):
        return len(set(seeds)) == len(seeds)
    return len({trial.values for trial in trials}) > 1
