"""What to do with the search next: the rules, in order. The first that applies decides, in every section.

So a report cannot ask for more trials and for none, or for another space and for what is not searched.
"""

from collections.abc import Callable
from dataclasses import dataclass

from thalweg.reporting.advice import more_seeds, more_trials, next_space, search_space
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.progress import compute_gain
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.finding import Step
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.level_measures import MIN_LEVEL_TRIALS

EXHAUSTED = Step(
    "Every combination was tried: more trials only add seeds. Widen the space, or raise `points` of a grid."
)
FLAT = Step(
    "More trials of the same kind are unlikely to help: change something that is not searched yet: the model, the data "
    "or the task."
)


@dataclass(frozen=True)
class Rule:
    """A step for the search, and when it is the right one."""

    name: str
    is_due: Callable[[StudyTables], bool]
    advise: Callable[[StudyTables], Step]


def _find_rare_parameter(tables: StudyTables) -> SearchedParameter | None:
    """Find what the study asks about and cannot answer, because some values were tried too rarely."""
    for parameter in list_scientific(tables):
        verdict = judge_parameter(tables, parameter)
        if verdict is not None and verdict.rare_values and not (verdict.worse_values or verdict.equal_values):
            return parameter
    return None


def _advise_rare_values(tables: StudyTables) -> Step:
    rare = _find_rare_parameter(tables)
    return more_trials.advise_level_trials(tables, rare, MIN_LEVEL_TRIALS) if rare else Step("")


def _has_gain(tables: StudyTables, kind: str) -> bool:
    gain = compute_gain(tables)
    return gain is not None and gain.kind == kind


RULES = (
    Rule("widen the space", next_space.has_widened_range, search_space.advise_search),
    Rule("the space is exhausted", lambda tables: tables.is_space_exhausted, lambda _: EXHAUSTED),
    Rule("continue the search", is_search_gaining, more_trials.advise_continuation),
    Rule("try rare values", lambda tables: _find_rare_parameter(tables) is not None, _advise_rare_values),
    Rule("quieten the noise", lambda tables: _has_gain(tables, "drowned"), more_seeds.advise_study_seeds),
    Rule("change what is not searched", lambda tables: _has_gain(tables, "flat"), lambda _: FLAT),
)


def find_rule(tables: StudyTables) -> Rule | None:
    """Return the first rule that is due; None if nothing is known."""
    return next((rule for rule in RULES if rule.is_due(tables)), None)


def advise_trials(tables: StudyTables) -> Step:
    """Advise whether to run more trials, and in which space; '' if unknown."""
    rule = find_rule(tables)
    return rule.advise(tables) if rule else Step("")


def advise_growing_measure(tables: StudyTables, is_growing: bool) -> Step:
    """Return `advise_trials` for one of several measures; '' if only another measure grows, whose section says so."""
    return advise_trials(tables) if is_growing or not is_search_gaining(tables) else Step("")
