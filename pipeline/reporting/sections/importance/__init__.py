"""The importance of parameters, the comparison of scientific ones, and maps of pairs."""

from collections.abc import Sequence
from itertools import combinations

from thalweg.reporting.advice import more_trials, rules, search_space
from thalweg.reporting.analysis import failure_regions
from thalweg.reporting.analysis.failure_bounds import find_failure_bounds
from thalweg.reporting.analysis.importance import MIN_TRIALS, Importance, ImportanceRanking, rank_importances
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.finding import Finding, Measured, measure
from thalweg.reporting.page.figures import EmptyFigure, Figure
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections.importance.effects import build_effects_figure, describe_effect, describe_method
from thalweg.reporting.sections.importance.heat_maps import build_heat_maps
from thalweg.reporting.sections.importance.isolation_findings import report_isolation
from thalweg.reporting.sections.importance.isolation_plots import build_isolation_figure
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_code,
    format_count,
    format_number,
    format_percent,
    join_items,
)
from thalweg.stats.interval import Interval

TITLE = "What matters"
ORDER = 20
MAX_MAPPED_PARAMETERS = 3
"""The most important numeric parameters, whose pairs are mapped."""


def build_findings(tables: StudyTables) -> list[Finding]:
    if tables.trials.empty or not tables.parameters:
        return []
    scientific = [finding for parameter in list_scientific(tables) for finding in report_isolation(tables, parameter)]
    ranking = rank_importances(tables)
    if ranking is None:
        return [*_report_few_trials(tables), *_report_equal_values(tables), *scientific]
    return [*(_report_effects if ranking.important_parameters else _report_no_effect)(tables, ranking), *scientific]


def _report_few_trials(tables: StudyTables) -> list[Finding]:
    """Report that the study has too few trials to show what matters."""
    count = len(tables.trials)
    if count >= MIN_TRIALS or tables.ranked.empty:
        return []
    evidence = f"The study has {format_count(count, 'trial')}; {MIN_TRIALS} are needed."
    # another section has the step of a rule that is due
    step = "" if rules.find_rule(tables) else more_trials.advise_continuation(tables, MIN_TRIALS)
    return [Finding("Too few trials to show what matters.", evidence, step, numbers={"trials": count})]


def _report_equal_values(tables: StudyTables) -> list[Finding]:
    """Report that all complete trials have the same value, which hints at settings without any effect."""
    values = tables.ranked["value"]
    if len(values) < MIN_TRIALS or values.nunique() > 1:
        return []
    verdict = f"All {len(values):,} complete trials have the same value, {format_number(values.iloc[0])}."
    evidence, step = "No searched setting changed it.", "Check that the searched settings take effect."
    return [Finding(verdict, evidence, step, tone="caution", numbers={"complete": len(values)})]


def _report_no_effect(tables: StudyTables, ranking: ImportanceRanking) -> list[Finding]:
    """Report that no parameter surely matters, apart from those that matter little."""
    scientific = {parameter.name for parameter in list_scientific(tables)}
    minor = [one for one in ranking.unimportant_parameters if one.is_minor and one.name not in scientific]
    others = [one for one in ranking.unimportant_parameters if not one.is_minor]
    reports = [_report_minor_parameters(minor, search_space.advise_search(tables))] if minor else []
    if not others:
        return reports
    verdicts = [judge_parameter(tables, parameter) for parameter in list_scientific(tables)]
    is_answered = any(verdict is not None and verdict.worse_values for verdict in verdicts)
    first, setting, trials = others[0], "other searched setting" if is_answered else "searched setting", "trials"
    evidence = f"{describe_method(ranking)} {describe_effect(first)}"
    evidence += f" Without any effect, one would look as sure in {format_percent(first.chance, whole=True)} of studies."
    if failure_regions.list_edges(tables):
        evidence += " Health shows where training fails."
        trials = "of the other trials"
    step = rules.advise_trials(tables) if is_search_gaining(tables) else ""
    return [
        Finding(f"No {setting} clearly explains which {trials} did best.", evidence, step, **_measure_effects([first])),
        *reports,
    ]


def _report_effects(tables: StudyTables, ranking: ImportanceRanking) -> list[Finding]:
    """Report what mattered, then what did not; scientific parameters have their own findings."""
    first, *others = ranking.important_parameters
    described = [first]
    name, scientific = format_code(first.name), {parameter.name for parameter in list_scientific(tables)}
    evidence = f"{describe_method(ranking)} {describe_effect(first)}"
    share = format_percent(ranking.lead_share, whole=True) if ranking.lead_share <= 0.99 else "more than 99 %"
    lead = f"{name} has the largest effect with a probability of {share}"
    if len(ranking.parameters) == 1:
        verdict = f"{name}, the only searched setting, mattered."
    elif ranking.has_clear_leader:
        verdict = f"{name} mattered most."
        described.append(_find_next(ranking, first))
        evidence += f" {lead}. The next is {describe_effect(described[-1])}"
    elif others:
        verdict = f"{name} mattered, but not clearly more than {format_code(others[0].name)}."
        described.append(others[0])
        evidence += f" {describe_effect(others[0])}"
        evidence += "" if first.is_tuned else f" {lead}, which is below 95 %."  # it is that of means over the space
    else:
        verdict = f"{name} mattered."
    if is_alike := first.name in _list_alike(tables):
        verdict = f"On average {name} made a difference, but each of its values does as well at its own best."
    if more := [one for one in others if one.name not in scientific]:
        evidence += f" {_list_names(more)} had an effect beyond chance, too."
    idle = [parameter for parameter in ranking.unimportant_parameters if parameter.name not in scientific]
    minor = [parameter for parameter in idle if parameter.is_minor]
    # a setting at whose end training fails does matter there; Health says where
    unclear = [one for one in idle if not one.is_minor and not find_failure_bounds(tables, one.name)]
    step = search_space.advise_search(tables)
    return [
        Finding(verdict, evidence, step, tone="plain" if is_alike else "good", **_measure_effects(described)),
        *([_report_minor_parameters(minor, step)] if minor else []),
        *([_report_unclear_parameters(ranking, unclear)] if unclear else []),
    ]


def _list_alike(tables: StudyTables) -> list[str]:
    """List the scientific parameters whose values, each at its own best, surely make no difference."""
    judged = {parameter.name: judge_parameter(tables, parameter) for parameter in list_scientific(tables)}
    return [name for name, verdict in judged.items() if verdict is not None and verdict.kind == "alike"]


def _find_next(ranking: ImportanceRanking, first: Importance) -> Importance:
    return next(parameter for parameter in ranking.parameters if parameter is not first)


def _report_minor_parameters(minor: list[Importance], step: str) -> Finding:
    """Report parameters whose effect is surely smaller than what counts."""
    effects = " ".join(describe_effect(parameter) for parameter in minor)
    bounds = join_items([f"{format_number(one.bound, 2)} for {format_code(one.name)}" for one in minor])
    evidence = (
        f"{effects} Any two levels differ by less than {bounds} (probability 95 %), also where the other settings are "
        f"at their best. The smallest difference that counts is {format_number(minor[0].smallest_effect, 2)}."
    )
    return Finding(f"{_list_names(minor)} mattered little.", evidence, step, **_measure_effects(minor))


def _report_unclear_parameters(ranking: ImportanceRanking, unclear: list[Importance]) -> Finding:
    evidence = " ".join(describe_effect(parameter) for parameter in unclear)
    if any(parameter.low > 0 for parameter in unclear):
        evidence += (
            f" Each interval is of one setting alone. Without any effect, one of {len(ranking.parameters)} would look "
            f"as sure in {format_percent(min(parameter.chance for parameter in unclear), whole=True)} of studies."
        )
    matter = f"{_list_names(unclear)} {'matters' if len(unclear) == 1 else 'matter'}"
    verdict = f"{format_count(ranking.trial_count, 'trial')} are too few to show whether {matter}."
    if ranking.model_count < ranking.trial_count:
        verdict = f"A model of {ranking.model_count:,} trials does not show whether {matter}."
    return Finding(verdict, evidence, **_measure_effects(unclear))


def _measure_effects(parameters: Sequence[Importance]) -> Measured:
    """Return the effects of parameters by their names, with the interval of the first."""
    return measure({one.name: Interval(one.difference, one.low, one.high, one.trials) for one in parameters})


def _list_names(parameters: Sequence[Importance]) -> str:
    return join_items([format_code(parameter.name) for parameter in parameters])


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [EmptyFigure("importance", "Importance", "No trial was run, or nothing was searched.")]
    ranking = rank_importances(tables)
    figures = [build_effects_figure(tables, ranking), *_build_isolation_figures(tables)]
    if ranking is not None:
        figures += build_heat_maps(tables, ranking.equal_training, _list_parameter_pairs(tables, ranking))
    return figures


def _build_isolation_figures(tables: StudyTables) -> list[Figure]:
    if scientific := list_scientific(tables):
        return [build_isolation_figure(tables, index, parameter) for index, parameter in enumerate(scientific)]
    reason = "No searched setting has the role scientific. Give this role in study.space to the setting that the study "
    return [EmptyFigure("isolation", "What the study asks about", f"{reason}asks about, to compare its values here.")]


def _list_parameter_pairs(
    tables: StudyTables, ranking: ImportanceRanking
) -> list[tuple[SearchedParameter, SearchedParameter]]:
    """List pairs of the most important numeric parameters, the more important one first."""
    ranges = {parameter.name: parameter for parameter in tables.parameters if parameter.is_range}
    ranked = [ranges[parameter.name] for parameter in ranking.parameters if parameter.name in ranges]
    return list(combinations(ranked[:MAX_MAPPED_PARAMETERS], 2))
