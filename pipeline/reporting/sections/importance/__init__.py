"""Which parameters set the best trials apart, and whether what was asked about matters."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import combinations

import altair as alt
import pandas as pd

from thalweg.reporting.advice import more_trials, search_space
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
from thalweg.reporting.sections.importance.isolation_plots import build_isolation_figure, report_isolation
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, join_items

TITLE = "What matters"
ORDER = 45
MAX_MAPPED_PARAMETERS = 3
"""So many numeric parameters, the most important ones, are mapped by pairs."""
BEYOND_CHANCE = "beyond chance"
WITHIN_CHANCE = "within chance"


def build_findings(tables: StudyTables) -> list[Finding]:
    if tables.trials.empty or not tables.parameters:
        return []
    asked = [told for parameter in list_scientific(tables) for told in report_isolation(tables, parameter)]
    found = rank_importances(tables)
    if found is None:
        return asked
    return [*(_report_effects(tables, found) if found.important else _report_no_effect(tables, found)), *asked]


def _describe_method(found: ImportanceRanking) -> str:
    best, trials = len(found.best_trials), format_count(found.trial_count, "trial")
    return f"PED-ANOVA sets the {best} best of {trials}, {found.equal_training.describe_epoch()}, against all of them"


def _report_no_effect(tables: StudyTables, found: ImportanceRanking) -> list[Finding]:
    first = found.parameters[0]
    evidence = (
        f"{_describe_method(found)}. The largest share, {_format_percent(first.share)} for {format_code(first.name)}, is one that a parameter "
        f"without any effect reaches too: up to {_format_percent(first.chance)}. Where training fails is told under Health."
    )
    step = more_trials.advise_trials(tables) if is_search_gaining(tables) else ""
    return [Finding("What sets the best trials apart cannot be told from chance.", evidence, step, found.best_trials)]


def _report_effects(tables: StudyTables, found: ImportanceRanking) -> list[Finding]:
    """What mattered, then what did not; of that, nothing that the study asks about: it is answered by itself."""
    first, *others = found.important
    name, asked = format_code(first.name), {one.name for one in list_scientific(tables)}
    evidence = (
        f"{_describe_method(found)}: {name} has {_describe_share(first)} of the importance, of which chance alone would give up to "
        f"{_format_percent(first.chance)}."
    )
    if len(found.parameters) == 1:
        verdict = f"{name}, the only parameter searched, mattered."
    elif found.has_clear_leader:
        verdict, second = f"{name} mattered most.", found.parameters[1]
        evidence += f" The next, {format_code(second.name)}, has {_describe_share(second)}; "
        evidence += f"the lead holds in {_format_percent(found.lead_share)} of redraws."
    elif others:
        verdict = f"{name} mattered; whether more than {format_code(others[0].name)} cannot be told."
        evidence += f" {format_code(others[0].name)} has {_describe_share(others[0])}; when trials are drawn again the lead holds in "
        evidence += f"{_format_percent(found.lead_share)} of cases, short of 95 %."
    else:
        verdict = f"{name} mattered."
    if others:
        evidence += f" Beyond chance, too: {_list_names(others)}."
    idle = [one for one in found.unimportant if one.name not in asked]
    minor, open_ = ([one for one in idle if one.is_minor is small] for small in (True, False))
    step = search_space.advise_search(tables)
    return [
        Finding(verdict, evidence, step, found.best_trials, "good"),
        *([_report_minor_parameters(minor, step)] if minor else []),
        *([_report_open_parameters(found, open_)] if open_ else []),
    ]


def _report_minor_parameters(minor: list[Importance], step: str) -> Finding:
    """What did not matter: its share is small in every redraw, and a larger one would have been seen."""
    shares = join_items([f"{format_code(one.name)} {_describe_share(one)}" for one in minor])
    evidence = (
        f"Share of the importance: {shares}; one above {_format_percent(MAX_MINOR_SHARE)} would not have been missed."
    )
    return Finding(f"{_list_names(minor)} mattered little.", evidence, step)


def _report_open_parameters(found: ImportanceRanking, open_: list[Importance]) -> Finding:
    parts = [
        f"{format_code(one.name)} {_format_percent(one.share)} (chance: up to {_format_percent(one.chance)})"
        for one in open_
    ]
    evidence = f"Share of the importance: {join_items(parts)}. A small share may hide an effect in so few trials."
    matter = "matters" if len(open_) == 1 else "matter"
    return Finding(
        f"Whether {_list_names(open_)} {matter} cannot be told from {format_count(found.trial_count, 'trial')}.",
        evidence,
    )


def _list_names(parameters: Sequence[Importance]) -> str:
    return join_items([format_code(one.name) for one in parameters])


def _format_percent(share: float) -> str:
    return f"{100 * min(share, 1.0):.0f} %"


def _describe_share(one: Importance) -> str:
    return f"{_format_percent(one.share)} ({100 * one.low:.0f} to {100 * one.high:.0f})"


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [EmptyFigure("importance", "Importance", "No trial was run, or nothing was searched.")]
    found = rank_importances(tables)
    return [
        _build_importance_figure(tables, found),
        *_build_isolation_figures(tables),
        *_build_pair_maps(tables, found),
    ]


def _build_importance_figure(tables: StudyTables, found: ImportanceRanking | None) -> Figure:
    title = "Share of the importance"
    if found is None:
        if tables.count("diverged") == len(tables.trials):
            return EmptyFigure("importance", title, "Every trial diverged: nothing set the best apart.")
        reason = f"{format_count(len(tables.trials), 'trial')} cannot say what matters: it takes {MIN_TRIALS} that can be compared, "
        return EmptyFigure("importance", title, f"{reason}of which some are better than the others.")
    rows = [split_label(one.name) for one in found.parameters]
    table = pd.DataFrame([asdict(one) for one in found.parameters]).rename(columns={"name": "parameter"})
    table = table.assign(row=rows, chance=table["chance"].clip(upper=1.0))
    table["told"] = [BEYOND_CHANCE if one.is_important else WITHIN_CHANCE for one in found.parameters]
    caption = (
        f"PED-ANOVA: how the {len(found.best_trials)} best of {format_count(found.trial_count, 'trial')} differ in each parameter from "
        f"all, {found.equal_training.describe_epoch()}. Thin bar: its 95 % interval where trials are drawn again"
        f"{', with the noise of a seed' if found.noise else ''}. Upright line: what one without effect stays below."
    )
    if found.equal_training.epoch is not None:
        caption += " Stopped trials count: those that trained on alone would mislead."
    if found.equal_training.unknown_count:
        caption += f" {format_count(found.equal_training.unknown_count, 'trial')} without a value by then left out."
    if found.rare_parameters:
        told = [f"{format_code(name)} ({count})" for name, count in found.rare_parameters.items()]
        caption += f" Too few trials have {join_items(told)} to say."
    spoken = (
        "Share of the importance: " + "; ".join(f"{one.name} {_describe_share(one)}" for one in found.parameters) + "."
    )
    return Chart("importance", title, caption, spoken, {"shares": table}, partial(_plot_importance, rows))


def split_label(name: str) -> str:
    """A row's label in two lines: the last part of a name, and what is above it."""
    above, _, last = name.rpartition(".")
    return f"{last}|{above}" if above and " " not in name else name


def _plot_importance(rows: list[str]) -> AltairChart:
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=140))
    paint = alt.Scale(domain=[BEYOND_CHANCE, WITHIN_CHANCE], range=[PAINT["plain"], PAINT["faint"]])
    across = alt.Axis(title=None, format=".0%", tickCount=5, grid=True)
    whole = alt.X("share:Q", axis=across, scale=alt.Scale(domain=[0, 1], nice=False))
    tips = ["parameter:N", *(build_tooltip(one, ".1%") for one in ("share", "low", "high", "chance")), "trials:Q"]
    shares, ink = build_layer("shares"), PAINT["ink"]
    return alt.layer(
        shares.mark_bar(height=16, cornerRadiusEnd=2).encode(
            x=whole, y=y, color=alt.Color("told:N", scale=paint), tooltip=tips
        ),
        shares.mark_rule(color=ink, strokeWidth=1.4).encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y),
        shares.mark_tick(color=ink, thickness=2, height=26).encode(x=alt.X("chance:Q", axis=across), y=y),
    ).properties(height=42 * len(rows))


def _build_isolation_figures(tables: StudyTables) -> list[Figure]:
    asked = list_scientific(tables)
    if not asked:
        reason = "No searched parameter has the role scientific: give it to what the study asks about, in study.space, "
        return [
            EmptyFigure("isolation", "What the study asks about", f"{reason}and it is compared here value by value.")
        ]
    return [build_isolation_figure(tables, index, parameter) for index, parameter in enumerate(asked)]


def _build_pair_maps(tables: StudyTables, found: ImportanceRanking | None) -> list[Figure]:
    return [] if found is None else build_heat_maps(tables, found.equal_training, _list_parameter_pairs(tables, found))


def _list_parameter_pairs(
    tables: StudyTables, found: ImportanceRanking
) -> list[tuple[SearchedParameter, SearchedParameter]]:
    """The most important numeric parameters by two, the more important one first."""
    by_name = {parameter.name: parameter for parameter in tables.parameters if parameter.is_range}
    return list(
        combinations([by_name[one.name] for one in found.parameters if one.name in by_name][:MAX_MAPPED_PARAMETERS], 2)
    )
