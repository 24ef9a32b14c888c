"""The objective against each searched parameter."""

from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.advice import search_space, space_yaml
from thalweg.reporting.analysis import constant_trials, good_region
from thalweg.reporting.analysis.good_region import jitter_trials, select_best_tenth
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Code, EmptyFigure, Figure, Table
from thalweg.reporting.page.marks import (
    build_layer,
    build_range_axis,
    build_tooltip,
    build_trial_points,
    build_window_heading,
    encode_jitter,
    encode_roles,
    encode_window_y,
)
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    choice_key,
    format_choices,
    format_count,
    format_number,
    format_share,
    join_items,
    metric_label,
)

TITLE = "Parameters"
ORDER = 50


def build_findings(tables: StudyTables) -> list[Finding]:
    if not tables.parameters or tables.ranked.empty:
        return []
    if len(tables.ranked) < good_region.MIN_COMPLETE_TRIALS:
        evidence = f"{format_share(len(tables.ranked), len(tables.trials))} trials were trained to the end; it takes "
        return [Finding("Too few trials say where good values lie.", f"{evidence}{good_region.MIN_COMPLETE_TRIALS}.")]
    found = [
        told for parameter in tables.parameters if parameter.is_range for told in _report_crowded_end(tables, parameter)
    ]
    # where trials differ no more than seeds would make them, Noise says so
    return [*found, *_report_good_region(tables)] if search_space.is_region_known(tables) else found


def _report_crowded_end(tables: StudyTables, parameter: SearchedParameter) -> list[Finding]:
    """That the best trials crowd at an end: whether to search beyond it, or whether trials are lost there."""
    side = good_region.find_crowded_end(tables, parameter)
    if not side:
        return []
    name, end = parameter.name, parameter.low if side == "low" else parameter.high
    known, everyone = select_best_tenth(tables).dropna(subset=[name]), tables.trials.dropna(subset=[name])
    near, of_all = good_region.is_near_end(known, parameter, side), good_region.is_near_end(everyone, parameter, side)
    evidence = (
        f"{format_share(int(near.sum()), len(known))} of the best trials lie within a tenth of the range from its end at "
        f"{format_number(end)}; of all trials {format_share(int(of_all.sum()), len(everyone))}, of draws from the whole range "
        f"{100 * good_region.chance_at_end(parameter, side):.0f} %."
    )
    trials = tuple(int(n) for n in known.loc[near, "number"])
    word, step = "below" if side == "low" else "above", search_space.advise_search(tables)
    if search_space.find_moved_ends(tables, name).get(side) != "out":
        why = (
            f", but {word} it training fails"
            if search_space.is_failing_beyond(tables, name, side)
            else f": at {format_number(end)}"
        )
        return [Finding(f"The best of `{name}` lie at an end of its range{why}.", evidence, step, trials)]
    return [Finding(f"The best of `{name}` may lie {word} the range searched.", evidence, step, trials, "caution")]


def _report_good_region(tables: StudyTables) -> list[Finding]:
    """How many trials lie where the good ones are, and where to search next."""
    within = good_region.is_inside_space(tables.trials, [one.searched for one in search_space.build_next_space(tables)])
    evidence = (
        f"Their ranges, a little wider, hold {format_share(int(within.sum()), len(tables.trials))} of the trials; of these "
        f"{int((tables.trials.loc[within, 'state'] == 'complete').sum()):,} trained to the end."
    )
    behind = tuple(int(number) for number in good_region.select_good_trials(tables)["number"])
    verdict = f"{format_count(len(behind), 'trial')} mark where good values lie."
    return [Finding(verdict, evidence, search_space.advise_search(tables), behind)]


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [EmptyFigure("slices", "Slices", "No trial was run, or nothing was searched.")]
    if tables.trials["value"].notna().sum() == 0:
        return [EmptyFigure("slices", "Slices", "Every trial diverged: no value can be drawn against a parameter.")]
    drawn = [_build_slice_figure(tables, index, parameter) for index, parameter in enumerate(tables.parameters)]
    listing = [_build_ranges_table(tables)] if len(tables.ranked) >= 5 else []
    return [*drawn, *listing, *_build_next_space(tables)]


def _build_next_space(tables: StudyTables) -> list[Figure]:
    """The space to search next, to paste."""
    if not search_space.advise_search(tables):
        return []
    caption = (
        "Around the good trials, and on where they crowd at an end, but not where trials are lost; to paste over "
        "`study.space` in params.yaml, with a new `study.name`."
    )
    return [Code("next-space", "Search next", caption, space_yaml.format_space(search_space.build_next_space(tables)))]


def _build_slice_figure(tables: StudyTables, index: int, parameter: SearchedParameter) -> Figure:
    name, numeric = parameter.name, parameter.is_range
    trials = tables.trials.dropna(subset=[name]).sort_values("number")
    if not numeric:
        trials = trials[trials[name].astype(str) != ""]
    if trials["value"].notna().sum() == 0:
        return EmptyFigure(f"slice-{index}", name, "No trial with a value has this parameter.", is_half_width=True)
    seen, named = (
        constant_trials.compute_trial_window(tables),
        {} if numeric else _name_choices(parameter, trials[name]),
    )
    if numeric:
        at = {"at": trials[name].astype(float)}
    else:
        at = {"at": trials[name].map(choice_key).map(named), "aside": jitter_trials(trials["number"], 0.7)}
    points = build_trial_points(trials, seen, tables.sign, tables.winner, **at)
    parts = [f"`{above}` is {' or '.join(map(format_number, wanted))}" for above, wanted in parameter.when.items()]
    caption = f"Only where {join_items(parts)}: {format_count(len(points), 'trial')}." if parts else ""
    caption = f"{caption} {constant_trials.describe_outliers(tables, trials, seen)}".strip()
    axis = metric_label(tables.objective)
    x = {"x": alt.X("at:Q", **build_range_axis(parameter, 8))} if numeric else _encode_choices(list(named.values()))
    # one legend a row is enough: the marks mean the same in every chart
    draw = partial(_plot_slice, seen, x, points["role"].tolist(), axis, index < 2)
    spoken = f"{axis.capitalize()} against {name} for {format_count(len(points), 'trial')}."
    return Chart(f"slice-{index}", name, caption, spoken, {"points": points}, draw, is_half_width=True)


def _name_choices(parameter: SearchedParameter, values: pd.Series) -> dict[Any, str]:
    """What each choice is called, by what it is known by."""
    choices = parameter.list_choices(values[values.astype(str) != ""])
    return dict(zip(map(choice_key, choices), format_choices(choices), strict=True))


def _encode_choices(choices: list[str]) -> dict[str, Any]:
    axis = alt.Axis(title=None, labelAngle=0, labelLimit=110)
    return {"x": alt.X("at:N", sort=choices, scale=alt.Scale(domain=choices), axis=axis), "xOffset": encode_jitter()}


def _plot_slice(seen: Window, across: dict[str, Any], roles: list[str], axis: str, legend: bool) -> AltairChart:
    at = alt.Tooltip("at:N", title="here") if "xOffset" in across else build_tooltip("at", title="here")
    told = ["trial:Q", "role:N", build_tooltip("value"), at]
    marks = {**across, "y": encode_window_y(seen, "shown"), **encode_roles(roles, len(roles), legend)}
    drawn: alt.Chart = build_layer("points").mark_point().encode(tooltip=told, **marks)
    return drawn.properties(height=210, title=build_window_heading(seen, axis))


def _build_ranges_table(tables: StudyTables) -> Table:
    best, winner = select_best_tenth(tables), tables.trials[tables.trials["number"] == tables.winner]
    rows = []
    for parameter in tables.parameters:
        known = best[parameter.name].dropna()
        if parameter.is_range:
            searched = (
                f"{format_number(parameter.low)} to {format_number(parameter.high)}{', log' if parameter.log else ''}"
            )
            where = f"{format_number(known.min())} to {format_number(known.max())}" if len(known) else "–"
        else:
            named = _name_choices(parameter, known)
            searched, counts = ", ".join(named.values()), known.map(choice_key).map(named).value_counts()
            most_first = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            where = ", ".join(f"{choice} ({count})" for choice, count in most_first) or "–"
        own = format_number(next(iter(winner[parameter.name]), None), 4)
        rows.append({"parameter": parameter.name, "searched": searched, "best trials": where, "winner": own})
    caption = f"Where the {len(best)} best trials lie in what was searched. "
    caption += "The sampler chose where to look: not a fair draw."
    return Table("best-ranges", "What the best have in common", caption, pd.DataFrame(rows))
