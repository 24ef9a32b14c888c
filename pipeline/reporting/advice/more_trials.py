"""Advice on the number of trials."""

from thalweg.reporting.advice import more_seeds, search_space
from thalweg.reporting.analysis.isolation import group_trials_by_value, list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.progress import compute_gain
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code

OTHER_CHANGES = "change something that is not searched yet: the model, the data or the task."

EXHAUSTED = "Every combination was tried: more trials only add seeds. Widen the space, or raise `points` of a grid."


def advise_trials(tables: StudyTables) -> str:
    """Advise whether to run more trials, and in which space; '' if unknown."""
    gain = compute_gain(tables)
    if is_search_gaining(tables) and search_space.has_widened_range(tables):
        return search_space.advise_search(tables)
    if tables.is_space_exhausted:
        return EXHAUSTED
    if is_search_gaining(tables):
        stop = tables.summary.study.stop
        loosened = f"loosen `study.stop.{stop['reason']}` and start again" if stop else ""
        trials = 2 * (len(tables.trials) + tables.repeat_count)
        return f"Continue the search: {loosened or f'`thalweg study --trials {trials}`'}."
    if gain is None or gain.kind == "unknown":
        return ""
    if gain.kind == "drowned":
        return more_seeds.advise_study_seeds(tables)
    if any(
        (verdict := judge_parameter(tables, parameter)) and verdict.rare_values for parameter in list_scientific(tables)
    ):
        return f"For better values, {OTHER_CHANGES}"
    return f"More trials of the same kind are unlikely to help: {OTHER_CHANGES}"


def advise_growing_measure(tables: StudyTables, is_growing: bool) -> str:
    """Return `advise_trials` for one of several measures; '' if only another measure grows, whose section says so."""
    return advise_trials(tables) if is_growing or not is_search_gaining(tables) else ""


def advise_level_trials(tables: StudyTables, parameter: SearchedParameter, level_trials: int) -> str:
    """Advise as many trials as give each value of a scientific parameter `level_trials` of them."""
    name, levels = format_code(parameter.name), len(group_trials_by_value(tables, parameter))
    if tables.setting("study.sampler") == "grid":
        return f"Raise `points` of the other settings, so that each value of {name} has {level_trials} trials."
    cohort = int(tables.setting("study.cohort", 1))
    total = -(-level_trials * levels // cohort) * cohort
    return f"Set `study.trials: {total}`: each value of {name} then gets {total // levels} trials or more."
