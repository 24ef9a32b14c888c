"""The importance of parameters, the comparison of scientific ones, and maps of pairs."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import combinations

import altair as alt
import pandas as pd

from thalweg.reporting.advice import more_trials, search_space
from thalweg.reporting.analysis import failure_regions
from thalweg.reporting.analysis.importance import (
    MAX_MINOR_SHARE,
    MIN_TRIALS,
    Importance,
    ImportanceRanking,
    rank_importances,
)
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections.importance.heat_maps import build_heat_maps
from thalweg.reporting.sections.importance.isolation_findings import report_isolation
from thalweg.reporting.sections.importance.isolation_plots import build_isolation_figure
from thalweg.reporting.sentences import describe_epoch
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_percent, format_percent_estimate, join_items

TITLE = "What matters"
ORDER = 45
MAX_MAPPED_PARAMETERS = 3
"""The most important numeric parameters, whose pairs are mapped."""
BEYOND_CHANCE = "beyond chance"
WITHIN_CHANCE = "within chance"


def build_findings(tables: StudyTables) -> list[Finding]:
    if tables.trials.empty or not tables.parameters:
        return []
    scientific = [finding for parameter in list_scientific(tables) for finding in report_isolation(tables, parameter)]
    ranking = rank_importances(tables)
    if ranking is None:
        return scientific
    return [*(_report_effects if ranking.important_parameters else _report_no_effect)(tables, ranking), *scientific]


def _describe_method(ranking: ImportanceRanking) -> str:
    best, trials = len(ranking.best_trials), format_count(ranking.trial_count, "trial")
    epoch = describe_epoch(ranking.equal_training.epoch)
    return f"PED-ANOVA compares the {best} best of {trials}, {epoch}, with all of them."


def _report_no_effect(tables: StudyTables, ranking: ImportanceRanking) -> list[Finding]:
    first = ranking.parameters[0]
    evidence = (
        f"{_describe_method(ranking)} {format_code(first.name)} has the largest share of the "
        f"importance: {_format_share(first.share)}. {_describe_chance(first)}"
    )
    if failure_regions.list_edges(tables):
        evidence += " Health shows where training fails."
    step = more_trials.advise_trials(tables) if is_search_gaining(tables) else ""
    return [Finding("No searched setting clearly explains which trials did best.", evidence, step, ranking.best_trials)]


def _describe_chance(first: Importance) -> str:
    """Say that chance alone explains the largest share, and where so few trials can prove nothing."""
    if first.chance >= 1:
        return "Even 100 % would prove nothing: with so few trials a share may reach that by chance alone."
    return f"That proves nothing: by chance alone a share may reach {_format_share(first.chance)}."


def _report_effects(tables: StudyTables, ranking: ImportanceRanking) -> list[Finding]:
    """Report what mattered, then what did not; scientific parameters have their own findings."""
    first, *others = ranking.important_parameters
    name, scientific = format_code(first.name), {parameter.name for parameter in list_scientific(tables)}
    evidence = (
        f"{_describe_method(ranking)} {name} has {_describe_share(first)} of the importance; "
        f"values shuffled among the trials reach up to {_format_share(first.chance)} by chance."
    )
    redraws = f"{_format_share(ranking.lead_share)} of cases when trials are drawn again"
    if len(ranking.parameters) == 1:
        verdict = f"{name}, the only searched setting, mattered."
    elif ranking.has_clear_leader:
        verdict, second = f"{name} mattered most.", ranking.parameters[1]
        evidence += f" The next, {format_code(second.name)}, has {_describe_share(second)}. {name} leads in {redraws}."
    elif others:
        second_name = format_code(others[0].name)
        verdict = f"{name} mattered, but not clearly more than {second_name}."
        evidence += f" {second_name} has {_describe_share(others[0])}. {name} leads in {redraws}, which is below 95 %."
    else:
        verdict = f"{name} mattered."
    if others:
        evidence += f" Also beyond chance: {_list_names(others)}."
    idle = [parameter for parameter in ranking.unimportant_parameters if parameter.name not in scientific]
    minor, unclear = ([parameter for parameter in idle if parameter.is_minor is is_minor] for is_minor in (True, False))
    step = search_space.advise_search(tables)
    return [
        Finding(verdict, evidence, step, ranking.best_trials, "good"),
        *([_report_minor_parameters(minor, step)] if minor else []),
        *([_report_unclear_parameters(ranking, unclear)] if unclear else []),
    ]


def _report_minor_parameters(minor: list[Importance], step: str) -> Finding:
    """Report parameters whose share is small in every redraw, where a larger share would have shown."""
    shares = join_items([f"{format_code(parameter.name)} {_describe_share(parameter)}" for parameter in minor])
    evidence = f"Share of the importance: {shares}. A share above {_format_share(MAX_MINOR_SHARE)} would have shown."
    return Finding(f"{_list_names(minor)} mattered little.", evidence, step)


def _report_unclear_parameters(ranking: ImportanceRanking, unclear: list[Importance]) -> Finding:
    shares = [
        f"{format_code(parameter.name)} {_format_share(parameter.share)} (by chance: up to "
        f"{_format_share(parameter.chance)})"
        for parameter in unclear
    ]
    evidence = f"Share of the importance: {join_items(shares)}. With so few trials, a small share may hide an effect."
    trials, matter = format_count(ranking.trial_count, "trial"), "matters" if len(unclear) == 1 else "matter"
    return Finding(f"{trials} are too few to show whether {_list_names(unclear)} {matter}.", evidence)


def _list_names(parameters: Sequence[Importance]) -> str:
    return join_items([format_code(parameter.name) for parameter in parameters])


def _format_share(share: float) -> str:
    return format_percent(min(share, 1.0), whole=True)


def _describe_share(parameter: Importance) -> str:
    return format_percent_estimate(*(min(end, 1.0) for end in (parameter.share, parameter.low, parameter.high)))


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [EmptyFigure("importance", "Importance", "No trial was run, or nothing was searched.")]
    ranking = rank_importances(tables)
    figures = [_build_importance_figure(tables, ranking), *_build_isolation_figures(tables)]
    if ranking is not None:
        figures += build_heat_maps(tables, ranking.equal_training, _list_parameter_pairs(tables, ranking))
    return figures


def _build_importance_figure(tables: StudyTables, ranking: ImportanceRanking | None) -> Figure:
    title = "Share of the importance"
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
    table = table.assign(row=rows, chance=table["chance"].clip(upper=1.0))
    table["verdict"] = [BEYOND_CHANCE if parameter.is_important else WITHIN_CHANCE for parameter in ranking.parameters]
    caption = (
        f"PED-ANOVA: how far each setting's values in the {len(ranking.best_trials)} best of "
        f"{format_count(ranking.trial_count, 'trial')} differ from those in all, "
        f"{describe_epoch(equal_training.epoch)}. Thin bar: the share's 95 % interval (bootstrap over trials"
        f"{', with seed noise' if ranking.noise else ''}). Upright line: a setting without effect stays below it."
    )
    if any(parameter.low == parameter.share < parameter.high for parameter in ranking.parameters):
        caption += " Redrawn trials raise small shares, so an interval may begin at its share."
    if equal_training.epoch is not None:
        caption += " Stopped trials count, because the others alone would mislead."
    if equal_training.unknown_count:
        caption += f" {format_count(equal_training.unknown_count, 'trial')} without a value by then left out."
    if ranking.rare_parameters:
        rare = [f"{format_code(name)} ({count})" for name, count in ranking.rare_parameters.items()]
        caption += f" Left out, because too few trials have them: {join_items(rare)}."
    shares = "; ".join(f"{parameter.name} {_describe_share(parameter)}" for parameter in ranking.parameters)
    description = f"Share of the importance: {shares}."
    return Chart("importance", title, caption, description, {"shares": table}, partial(_plot_importance, rows))


def split_label(name: str) -> str:
    """Return a row's label in two lines: the last part of a name, then the parts before it."""
    above, _, last = name.rpartition(".")
    return f"{last}|{above}" if above and " " not in name else name


def _plot_importance(rows: list[str]) -> AltairChart:
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=140))
    paint = alt.Scale(domain=[BEYOND_CHANCE, WITHIN_CHANCE], range=[PAINT["plain"], PAINT["faint"]])
    across = alt.Axis(title=None, format=".0%", tickCount=5, grid=True)
    share = alt.X("share:Q", axis=across, scale=alt.Scale(domain=[0, 1], nice=False))
    tips = ["parameter:N", *(build_tooltip(field, ".1%") for field in ("share", "low", "high", "chance")), "trials:Q"]
    shares, ink = build_layer("shares"), PAINT["ink"]
    return alt.layer(
        shares.mark_bar(height=16, cornerRadiusEnd=2).encode(
            x=share, y=y, color=alt.Color("verdict:N", scale=paint), tooltip=tips
        ),
        shares.mark_rule(color=ink, strokeWidth=1.4).encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y),
        shares.mark_tick(color=ink, thickness=2, height=26).encode(x=alt.X("chance:Q", axis=across), y=y),
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
