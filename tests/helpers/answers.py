"""The answer of fresh seeds to what a study asks, as `confirm` would leave it in the summary."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from thalweg.artifacts.summary import Estimate, LevelDifference, Question
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

NARROW = 0.8
"""The width of a 90 % interval beside the 95 % one of several differences."""


def with_answer(
    tables: StudyTables,
    parameter: SearchedParameter,
    leader: str,
    differences: Mapping[str, tuple[float, float]],
    seeds: int = 8,
) -> StudyTables:
    """Add the differences from the leading level, by label: the mean and the half width of its interval."""
    groups = {group.label: (index, group) for index, group in enumerate(group_trials_by_value(tables, parameter))}
    trials = {label: group.best_trial or 0 for label, (_, group) in groups.items()}
    others = tuple(
        LevelDifference(
            groups[label][0],
            trials[label],
            Estimate(mean, mean - half, mean + half, seeds, 12, half / 16, 11.0),
            mean - NARROW * half,
            mean + NARROW * half,
        )
        for label, (mean, half) in differences.items()
    )
    question = Question(parameter.name, groups[leader][0], trials[leader], others)
    runs = [tables.runs, _draw_runs(tables, trials[leader], 0.0, 0.0, seeds)]
    runs += [_draw_runs(tables, trials[label], mean, half, seeds) for label, (mean, half) in differences.items()]
    return replace(tables, summary=replace(tables.summary, questions=(question,)), runs=pd.concat(runs))


def _draw_runs(tables: StudyTables, trial: int, mean: float, half: float, seeds: int) -> pd.DataFrame:
    """Return a trial's runs on the test set, whose spread over seeds gives half the width of the interval."""
    steps = np.linspace(-1, 1, seeds)
    spread = half / 2 / 2.36 * np.sqrt(seeds) * steps / steps.std(ddof=1)
    table = {"candidate": f"trial {trial}", "trial": trial, "seed": range(seeds)}
    return pd.DataFrame(table | {f"test_{tables.objective}": 1.0 + mean + spread})
