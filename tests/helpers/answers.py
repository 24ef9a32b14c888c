"""The answer of fresh seeds to what a study asks, as `confirm` would leave it in the summary."""

from collections.abc import Mapping
from dataclasses import replace

from thalweg.artifacts.summary import Estimate, LevelDifference, Question
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


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
        LevelDifference(groups[label][0], trials[label], Estimate(mean, mean - half, mean + half, seeds, 12, half / 4))
        for label, (mean, half) in differences.items()
    )
    question = Question(parameter.name, groups[leader][0], trials[leader], others)
    return replace(tables, summary=replace(tables.summary, questions=(question,)))
