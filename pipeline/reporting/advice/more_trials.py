"""How many trials: whether more of them would find better ones, or settle what the study asks."""

from collections.abc import Sequence

from thalweg.reporting.advice import more_seeds, search_space
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.progress import compute_gain
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, join_items

OTHER_CHANGES = "change what is not searched yet: the model, the data, the task."


def advise_trials(tables: StudyTables) -> str:
    """Whether to run more trials, and in which space; '' where that cannot be told."""
    known = compute_gain(tables)
    if is_search_gaining(tables) and search_space.has_widened_range(tables):
        return search_space.advise_search(tables)
    if is_search_gaining(tables):
        stop = tables.summary.study.stop
        how = f"loosen `study.stop.{stop['reason']}` and start again" if stop else ""
        return f"Go on: {how or f'`thalweg study --trials {2 * len(tables.trials)}`'}."
    if known is None or known.kind == "unknown":
        return ""
    if known.kind == "drowned":
        return more_seeds.advise_study_seeds(tables)
    if any((found := judge_parameter(tables, one)) and found.rare_values for one in list_scientific(tables)):
        return f"For better values, {OTHER_CHANGES}"
    return f"More trials alike are unlikely to help; {OTHER_CHANGES}"


def advise_growing_measure(tables: StudyTables, is_growing: bool) -> str:
    """`step` for one of several measures of a search: nothing where another one grows, whose section says so."""
    return advise_trials(tables) if is_growing or not is_search_gaining(tables) else ""


def advise_rare_values(name: str, values: Sequence[str]) -> str:
    """To try values that were tried too seldom."""
    tried = f"Run more trials with {join_items(values)} for {format_code(name)}"
    return f"{tried}: raise `study.trials`; what `study.enqueue` names comes first."
