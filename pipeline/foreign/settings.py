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
    """The finished trials of one setting, in order of number; the first one names it.

    `alike`: those that ended as the setting counts. `counted`: of these, the ones whose values count. Copies do not:
    the same seed, or without seeds the same value to the last bit, says nothing of the noise.
    """

    trials: tuple[ForeignTrial, ...]
    alike: tuple[ForeignTrial, ...]
    counted: tuple[ForeignTrial, ...]

    @property
    def first(self) -> ForeignTrial:
        return self.alike[0]

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
    return Setting(tuple(trials), alike, _select_counted(alike))


def _select_counted(trials: tuple[ForeignTrial, ...]) -> tuple[ForeignTrial, ...]:
    """Select the trials of one setting that have seeds of their own, or at least not all the same value."""
    if all(trial.seed is not None for trial in trials):
        return tuple({str(trial.seed): trial for trial in reversed(trials)}.values())[::-1]
    return trials if len({trial.values for trial in trials}) > 1 else trials[:1]
