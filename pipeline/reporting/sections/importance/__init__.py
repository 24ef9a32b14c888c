"""The importance of parameters, the comparison of scientific ones, and maps of pairs."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import combinations

import altair as alt
import pandas as pd

from thalweg.reporting.advice import rules, search_space
from thalweg.reporting.analysis import failure_regions
from thalweg.reporting.analysis.failure_bounds import find_failure_bounds
from thalweg.reporting.analysis.importance import MIN_TRIALS, Importance, ImportanceRanking, rank_importances
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.scientific_verdict import judge_parameter
from thalweg.reporting.finding import Finding, Measured, measure
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections.importance.heat_maps import build_heat_maps
from thalweg.reporting.sections.importance.isolation_findings import report_isolation
from thalweg.reporting.sections.importance.isolation_plots import build_isolation_figure
from thalweg.reporting.sentences import describe_epoch
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_code,
    format_count,
    format_interval,
    format_number,
    format_percent,
    join_items,
)
from thalweg.stats.interval import Interval

TITLE = "What matters"
ORDER = 20
MAX_MAPPED_PARAMETERS = 3
"""The most important numeric parameters, whose pairs are mapped."""
MATTERED = "mattered"
LITTLE = "mattered little"
UNCLEAR = "not clear"


def build_findings(tables: StudyTables) -> list[Finding]:
    if tables.trials.empty or not tables.parameters:
        return []
    scientific = [finding for parameter in list_scientific(tables) for finding in report_isolation(tables, parameter)]
    ranking = rank_importances(tables)
    if ranking is None:
        return [*_report_equal_values(tables), *scientific]
    return [*(_report_effects if ranking.important_parameters else _report_no_effect)(tables, ranking), *scientific]


def _report_equal_values(tables: StudyTables) -> list[Finding]:
    """Report that all complete trials have the same value, which hints at settings without any effect."""
    values = tables.ranked["value"]
    if len(values) < MIN_TRIALS or values.nunique() > 1:
        return []
    verdict = f"All {len(values):,} complete trials have the same value, {format_number(values.iloc[0])}."
    evidence, step = "No searched setting changed it.", "Check that the searched settings take effect."
    return [Finding(verdict, evidence, step, tone="caution", numbers={"complete": len(values)})]


def _describe_method(ranking: ImportanceRanking) -> str:
    """Say what is compared, and where failed trials count."""
    trials, epoch = format_count(ranking.trial_count, "trial"), describe_epoch(ranking.equal_training.epoch)
    if ranking.model_count < ranking.trial_count:
        trials = f"{ranking.model_count:,} of the {trials}, evenly spaced"
    text = f"A smooth model of {trials}, {epoch}, is averaged over all other settings."
    if ranking.worst_value is not None:
        text += f" Failed trials, and values beyond {format_number(ranking.worst_value)}, count as that value."
    return text


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
    evidence = f"{_describe_method(ranking)} {_describe_effect(first)}"
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
    evidence = f"{_describe_method(ranking)} {_describe_effect(first)}"
    share = format_percent(ranking.lead_share, whole=True) if ranking.lead_share <= 0.99 else "more than 99 %"
    lead = f"{name} has the largest effect with a probability of {share}"
    if len(ranking.parameters) == 1:
        verdict = f"{name}, the only searched setting, mattered."
    elif ranking.has_clear_leader:
        verdict = f"{name} mattered most."
        described.append(_find_next(ranking, first))
        evidence += f" {lead}. The next is {_describe_effect(described[-1])}"
    elif others:
        verdict = f"{name} mattered, but not clearly more than {format_code(others[0].name)}."
        described.append(others[0])
        evidence += f" {_describe_effect(others[0])}"
        evidence += "" if first.is_tuned else f" {lead}, which is below 95 %."  # it is that of means over the space
    else:
        verdict = f"{name} mattered."
    if is_alike := first.name in _list_alike(tables):
        verdict = f"On average {name} made a difference, but each of its values does as well at its own best."
    if more := [one for one in others if one.name not in scientific]:
        evidence += f" Beside {name}, {_list_names(more)} had an effect beyond chance."
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
    effects = " ".join(_describe_effect(parameter) for parameter in minor)
    bounds = join_items([f"{format_number(one.bound, 2)} for {format_code(one.name)}" for one in minor])
    evidence = (
        f"{effects} Any two levels differ by less than {bounds} (probability 95 %), also where the other settings are "
        f"at their best. The smallest difference that counts is {format_number(minor[0].smallest_effect, 2)}."
    )
    return Finding(f"{_list_names(minor)} mattered little.", evidence, step, **_measure_effects(minor))


def _report_unclear_parameters(ranking: ImportanceRanking, unclear: list[Importance]) -> Finding:
    evidence = " ".join(_describe_effect(parameter) for parameter in unclear)
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


def _describe_effect(parameter: Importance) -> str:
    """Describe an effect: `rate`: from worst (0.1 to 1) to best (0.001 to 0.01) 0.31 (0.22 to 0.40)."""
    amount = format_interval(parameter.difference, parameter.low, parameter.high)
    tuned = ", the other settings at the best known for each" if parameter.is_tuned else ""
    return f"{format_code(parameter.name)}: from worst ({parameter.worst}) to best ({parameter.best}) {amount}{tuned}."


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [EmptyFigure("importance", "Importance", "No trial was run, or nothing was searched.")]
    ranking = rank_importances(tables)
    figures = [_build_importance_figure(tables, ranking), *_build_isolation_figures(tables)]
    if ranking is not None:
        figures += build_heat_maps(tables, ranking.equal_training, _list_parameter_pairs(tables, ranking))
    return figures


def _build_importance_figure(tables: StudyTables, ranking: ImportanceRanking | None) -> Figure:
    label = tables.objective_label
    title = f"Effect of each setting on {label}"
    if ranking is None:
        reason = (
            f"{format_count(len(tables.trials), 'trial')} cannot show what matters: {MIN_TRIALS} trials that can be "
            "compared are needed, and some must be better than the others."
        )
        if tables.count_trials("diverged") == len(tables.trials):
            reason = "Every trial diverged, so no setting explains which did best."
        return EmptyFigure("importance", title, reason)
    rows, equal_training = [split_label(parameter.name) for parameter in ranking.parameters], ranking.equal_training
    table = pd.DataFrame([asdict(parameter) for parameter in ranking.parameters]).rename(columns={"name": "parameter"})
    table = table.assign(row=rows, verdict=[_name_verdict(parameter) for parameter in ranking.parameters])
    smallest = ranking.parameters[0].smallest_effect
    caption = (
        f"From the worst third of a range, or the worst choice, to the best. {_describe_method(ranking)} Thin bar: "
    )
    caption += "the 95 % interval."
    if smallest is not None:
        caption += f" Upright line: the smallest difference that counts, {format_number(smallest, 2)}."
    if equal_training.epoch is not None:
        caption += " Stopped trials count, because the others alone would mislead."
    if equal_training.unknown_count:
        caption += f" {format_count(equal_training.unknown_count, 'trial')} without a value by then left out."
    if ranking.rare_parameters:
        rare = [f"{format_code(name)} ({count})" for name, count in ranking.rare_parameters.items()]
        caption += f" Left out, because too few trials have them: {join_items(rare)}."
    effects = " ".join(_describe_effect(parameter) for parameter in ranking.parameters)
    description = f"Effect on {label}. {effects}"
    draw = partial(_plot_importance, rows, label, smallest is not None)
    return Chart("importance", title, caption, description, {"effects": table}, draw)


def _name_verdict(parameter: Importance) -> str:
    return MATTERED if parameter.is_important else LITTLE if parameter.is_minor else UNCLEAR


def split_label(name: str) -> str:
    """Return a row's label in two lines: the last part of a name, then the parts before it."""
    above, _, last = name.rpartition(".")
    return f"{last}\n{above}" if above and " " not in name else name


def _plot_importance(rows: list[str], label: str, has_smallest: bool) -> AltairChart:
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelExpr=r"split(datum.label, '\n')", labelLimit=140))
    shades = [PAINT["plain"], PAINT["faint"], PAINT["faint"]]
    paint = alt.Scale(domain=[MATTERED, LITTLE, UNCLEAR], range=shades)
    across = alt.Axis(title=label, tickCount=5, grid=True)
    tips = ["parameter:N", "worst:N", "best:N", *(build_tooltip(name) for name in ("difference", "low", "high"))]
    effects, ink = build_layer("effects"), PAINT["ink"]
    small = effects.mark_tick(color=ink, thickness=2, height=26)
    return alt.layer(
        effects.mark_bar(height=16, cornerRadiusEnd=2).encode(
            x=alt.X("difference:Q", axis=across),
            y=y,
            color=alt.Color("verdict:N", scale=paint, legend=alt.Legend(columns=2)),  # fits a phone
            tooltip=[*tips, "trials:Q"],
        ),
        effects.mark_rule(color=ink, strokeWidth=1.4).encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y),
        *([small.encode(x=alt.X("smallest_effect:Q", axis=across), y=y)] if has_smallest else []),
    ).properties(height=42 * len(rows))


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
