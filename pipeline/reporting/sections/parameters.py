"""The objective against each searched parameter, and the space to search next."""

from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.advice import next_space, search_space, space_yaml, suggestions
from thalweg.reporting.analysis import constant_trials, failure_bounds, failure_regions, good_region
from thalweg.reporting.analysis.good_region import jitter_trials, select_best_tenth
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import CONFIDENCE, Finding
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
from thalweg.reporting.sentences import describe_outliers
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    capitalise_first,
    choice_key,
    format_choices,
    format_code,
    format_count,
    format_number,
    format_percent,
    format_range,
    format_share,
    join_items,
)

TITLE = "Parameters"
ORDER = 40
EVEN_SAMPLERS = ("random", "quasi_random", "grid")
"""Samplers that do not look where earlier trials were good."""


def build_findings(tables: StudyTables) -> list[Finding]:
    if not tables.parameters or tables.ranked.empty:
        return []
    if len(tables.ranked) < good_region.MIN_COMPLETE_TRIALS:
        share, total = format_share(len(tables.ranked), len(tables.trials), "trial"), len(tables.trials)
        only, verb = "" if len(tables.ranked) == total else "only ", "is" if total == 1 else "are"
        evidence = (
            f"{capitalise_first(f'{only}{share}')} {verb} complete; {good_region.MIN_COMPLETE_TRIALS} are needed."
        )
        if tables.count_trials("pruned"):
            evidence += " Stopped trials do not count."
        return [
            Finding(
                "Too few trials to show where good values lie.",
                evidence,
                numbers={"complete": len(tables.ranked), "trials": total},
            )
        ]
    ranges = [parameter for parameter in tables.parameters if parameter.is_range]
    crowded = [finding for parameter in ranges for finding in _report_crowded_end(tables, parameter)]
    # where trials differ no more than seed noise, the Noise section says so
    kept = next_space.keep_choices(tables)
    is_known = next_space.is_region_known(tables) and bool(next_space.list_important_parameters(kept))
    return [*crowded, *_report_good_region(tables)] if is_known else crowded


def _report_crowded_end(tables: StudyTables, parameter: SearchedParameter) -> list[Finding]:
    """Report that the best trials crowd at an end of a range, and whether to search beyond it."""
    kept = next_space.keep_choices(tables)
    side = good_region.find_crowded_end(kept, parameter)
    if not side:
        return []
    name, end = parameter.name, parameter.low if side == "low" else parameter.high
    best, all_trials = (table.dropna(subset=[name]) for table in (select_best_tenth(kept), kept.trials))
    near, all_near = (good_region.is_near_end(table, parameter, side) for table in (best, all_trials))
    share = capitalise_first(format_share(int(near.sum()), len(best), "best trial"))
    chance = format_percent(good_region.chance_at_end(parameter, side), whole=True)
    evidence = (
        f"{share} lie within a tenth of the range from its end at {format_number(end)}. Of all "
        f"trials it is {format_share(int(all_near.sum()), len(all_trials))}, of random draws from the range {chance}."
    )
    evidence += "" if kept is tables else " Only trials whose choices are searched next count."
    trials = tuple(int(n) for n in best.loc[near, "number"])
    numbers = {"near_the_end": int(near.sum()), "best_trials": len(best), "end": float(end)}
    word, step = "below" if side == "low" else "above", search_space.advise_search(tables)
    if next_space.find_moved_ends(tables, name).get(side) != "out":
        failure = failure_bounds.describe_failure_beyond(kept, parameter, side)
        verdict = f"The best values of `{name}` lie at an end of its range, {format_number(end)}"
        verdict += f", but {failure}." if failure else "."
        return [Finding(verdict, evidence, step, trials, numbers=numbers, confidence=CONFIDENCE)]
    verdict = f"The best values of `{name}` may lie {word} the searched range."
    return [Finding(verdict, evidence, step, trials, "caution", numbers=numbers, confidence=CONFIDENCE)]


def _report_good_region(tables: StudyTables) -> list[Finding]:
    """Report how many trials lie where the good ones are, and where to search next."""
    within = good_region.is_inside_space(
        tables.trials, [step.trial_values for step in next_space.build_next_space(tables)]
    )
    inside, constant = tables.trials[within], constant_trials.find_constant_trials(tables)["number"]
    complete, idle = int((inside["state"] == "complete").sum()), int(inside["number"].isin(constant).sum())
    step = search_space.advise_search(tables)
    space = "The space to search next" if step else "The present one"
    evidence = (
        f"{space} holds {format_share(len(inside), len(tables.trials), 'trial')} so far; "
        f"{format_share(complete, len(inside))} of these are complete"
        f"{f', but {idle:,} learned nothing' if idle else ''}."
    )
    trials = tuple(int(number) for number in next_space.select_space_trials(tables)["number"])
    use = "where to search" if step else "no need for another search space"
    verdict = f"{format_count(len(trials), 'good trial')} {'shows' if len(trials) == 1 else 'show'} {use}."
    numbers = {"good_trials": len(trials), "inside": len(inside), "trials": len(tables.trials)}
    return [Finding(verdict, evidence, step, trials, numbers=numbers)]


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [EmptyFigure("slices", "Slices", "No trial was run, or nothing was searched.")]
    if tables.trials["value"].notna().sum() == 0:
        return [EmptyFigure("slices", "Slices", "Every trial diverged, so there are no values to draw.")]
    slices = [
        _build_slice_figure(tables, index, parameter)
        for index, parameter in enumerate(tables.parameters)
        if len(parameter.choices) != 1  # one value, as of a size that only some models have: nothing to compare
    ]
    ranges = [_build_ranges_table(tables)] if len(tables.ranked) >= good_region.MIN_COMPLETE_TRIALS else []
    return [*slices, *ranges, *_build_next_space(tables)]


def _build_next_space(tables: StudyTables) -> list[Figure]:
    if not search_space.advise_search(tables) or not space_yaml.format_space(next_space.build_next_space(tables)):
        return []
    caption = (
        "Settings that mattered have the values of the good trials. Where the best trials crowd at an end of a range, "
        "it goes further, unless trials fail beyond that end. "
    )
    if failure_regions.list_edges(tables) and sum(parameter.is_range for parameter in tables.parameters) > 1:
        caption += "Each end is moved alone, so combinations inside may still fail: see Health. "
    space = next_space.build_next_space(tables)
    if tables.is_foreign:
        caption += "Each line draws one setting of a trial in Optuna, or sets the value that it keeps."
        return [Code("next-space", "Search next", caption, suggestions.format_suggestions(tables, space))]
    settings = [f"{format_code(setting)} ({reason})" for setting, reason in space_yaml.list_settings(space)]
    caption += "In params.yaml, replace `space:` and the lines below it by this."
    if settings:
        caption += f" These settings are not searched any more: set {join_items(settings, len(settings))}."
    if outside := space_yaml.list_outside_values(tables, space):
        left_out = join_items([format_code(value) for value, _ in outside if value], len(outside))
        inside = join_items([format_code(value) for _, value in outside], len(outside))
        caption += f" Values of params.yaml lie outside this space ({left_out or 'some are missing'}): set {inside}."
    caption += " Then run `thalweg run`."
    return [Code("next-space", "Search next", caption, space_yaml.format_space(space))]


def _build_slice_figure(tables: StudyTables, index: int, parameter: SearchedParameter) -> Figure:
    name, numeric = parameter.name, parameter.is_range
    trials = tables.trials.dropna(subset=[name]).sort_values("number")
    if not numeric:
        trials = trials[trials[name].astype(str) != ""]
    if trials["value"].notna().sum() == 0:
        return EmptyFigure(f"slice-{index}", name, "No trial with a value has this setting.", is_half_width=True)
    window = constant_trials.compute_trial_window(tables)
    labels = {} if numeric else _name_choices(parameter, trials[name])
    if numeric:
        columns = {"at": trials[name].astype(float)}
    else:
        columns = {"at": trials[name].map(choice_key).map(labels), "aside": jitter_trials(trials["number"], 0.7)}
    points = build_trial_points(trials, window, tables.sign, tables.winner, **columns)
    parts = [f"`{above}` is {' or '.join(map(format_number, values))}" for above, values in parameter.when.items()]
    caption = f"Only where {join_items(parts)}: {format_count(len(points), 'trial')}." if parts else ""
    caption = f"{caption} {describe_outliers(*constant_trials.find_outliers(tables, trials, window))}".strip()
    axis = tables.objective_label
    x = {"x": alt.X("at:Q", **build_range_axis(parameter, 8))} if numeric else _encode_choices(list(labels.values()))
    # one legend a row is enough: the marks mean the same in every chart
    draw = partial(_plot_slice, window, x, points["role"].tolist(), axis, index < 2)
    spoken = f"{axis.capitalize()} against {name} for {format_count(len(points), 'trial')}."
    return Chart(f"slice-{index}", name, caption, spoken, {"points": points}, draw, is_half_width=True)


def _name_choices(parameter: SearchedParameter, values: pd.Series) -> dict[Any, str]:
    """Return the label of each choice by its key."""
    choices = parameter.list_choices(values[values.astype(str) != ""])
    return dict(zip(map(choice_key, choices), format_choices(choices), strict=True))


def _encode_choices(choices: list[str]) -> dict[str, Any]:
    axis = alt.Axis(title=None, labelAngle=0, labelLimit=110)
    return {"x": alt.X("at:N", sort=choices, scale=alt.Scale(domain=choices), axis=axis), "xOffset": encode_jitter()}


def _plot_slice(window: Window, x: dict[str, Any], roles: list[str], axis: str, legend: bool) -> AltairChart:
    here = alt.Tooltip("at:N", title="here") if "xOffset" in x else build_tooltip("at", title="here")
    tips = ["trial:Q", "role:N", build_tooltip("value"), here]
    marks = {**x, "y": encode_window_y(window, "shown"), **encode_roles(roles, len(roles), legend)}
    chart: alt.Chart = build_layer("points").mark_point().encode(tooltip=tips, **marks)
    return chart.properties(height=210, title=build_window_heading(window, axis))


def _build_ranges_table(tables: StudyTables) -> Table:
    best, winner = select_best_tenth(tables), tables.trials[tables.trials["number"] == tables.winner]
    best_name, rows = format_count(len(best), "best trial"), []
    for parameter in tables.parameters:
        values = best[parameter.name].dropna()
        if parameter.is_range:
            searched = (
                f"{format_number(parameter.low)} to {format_number(parameter.high)}{', log' if parameter.log else ''}"
            )
            where = format_range(format_number(values.min()), format_number(values.max())) if len(values) else "–"
        else:
            labels = _name_choices(parameter, values)
            searched, counts = ", ".join(labels.values()), values.map(choice_key).map(labels).value_counts()
            most_first = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            where = ", ".join(f"{choice} ({count})" for choice, count in most_first) or "–"
        winning = format_number(next(iter(winner[parameter.name]), None), 4)
        rows.append({"parameter": parameter.name, "searched": searched, best_name: where, "winner": winning})
    caption = f"Where the {best_name} lie in the searched space. "
    if next_space.is_region_known(tables) and search_space.advise_search(tables):
        kept, good = next_space.keep_choices(tables), next_space.select_space_trials(tables)
        is_near = good["number"].isin(good_region.select_near_best(kept)["number"]).all()
        caption += f"The space below comes from the {format_count(len(good), 'good trial')}"
        caption += ", within noise of the best. " if is_near else ". "
        caption += "" if kept is tables else "All of them have the choices that are kept. "
    if tables.setting("study.sampler") not in EVEN_SAMPLERS:
        caption += "The sampler chose where to look, so this is not a random sample."
    return Table("best-ranges", f"What the {best_name} have in common", caption.strip(), pd.DataFrame(rows))
