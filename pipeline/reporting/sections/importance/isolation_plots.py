"""Findings and charts for a scientific parameter: each value at its own best of all other parameters."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.advice import more_seeds, more_trials, search_space
from thalweg.reporting.analysis.good_region import jitter_trials
from thalweg.reporting.analysis.isolation import (
    MIN_VALUE_TRIALS,
    ValueComparison,
    ValueGroup,
    chance_all_lost,
    compare_values,
    group_trials_by_value,
)
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict, judge_parameter
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import (
    build_layer,
    build_tooltip,
    build_trial_points,
    build_window_heading,
    encode_jitter,
    encode_roles,
    encode_window_y,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_percent, join_items, metric_label


def report_isolation(tables: StudyTables, parameter: SearchedParameter) -> list[Finding]:
    """Report whether a scientific parameter matters, as far as its trials can show; nothing without complete trials."""
    groups, noise = group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    verdict = judge_parameter(tables, parameter)
    if verdict is None:
        return []
    complete = [group for group in groups if group.best is not None]
    leader, others = compare_values(groups, noise) or (complete[0], [])
    best = [leader, *(other.group for other in others)]
    parts = [f"Best {metric_label(tables.objective)} of each value: {_describe_bests(best)}."]
    if not others:
        parts = [f"Only {leader.label} has a trial that trained to its end."]
    elif noise is not None:
        least = format_number(noise.least_significant_difference, 2)
        parts.append(f"Differences below {least} are within noise.")
    worse, unclear, ties = ([one for one in others if one.verdict == kind] for kind in ("worse", "open", "tie"))
    rare = [one for one in unclear if leader.is_rare or one.group.is_rare]
    parts += [_describe_comparison(leader, one) for one in [*worse, *unclear] if one not in rare][:3]
    if ties and len(ties) < len(others):
        parts.append(f"Within noise of {leader.label}: {join_items([one.group.label for one in ties])}.")
    parts += [*_describe_rare_values(leader, rare), *_describe_unjudged_values(groups), verdict.evidence]
    trials = [group.best_trial for group in best if group.best_trial is not None and others]
    step = _advise_next_step(tables, parameter, verdict)
    return [Finding(verdict.text, " ".join(part for part in parts if part), step, tuple(trials), verdict.tone)]


def _advise_next_step(tables: StudyTables, parameter: SearchedParameter, verdict: ScientificVerdict) -> str:
    """Advise another space, trials with some values, or more seeds per trial."""
    if verdict.worse_values or verdict.equal_values:
        return search_space.advise_search(tables)
    if verdict.rare_values:
        return more_trials.advise_rare_values(parameter.name, verdict.rare_values)
    return more_seeds.advise_study_seeds(tables) if verdict.is_noisy else ""


def _describe_bests(groups: Sequence[ValueGroup]) -> str:
    return join_items(
        [
            f"{format_number(group.best)} with {group.label} ({format_count(len(group.costs), 'trial')})"
            for group in groups
            if group.best is not None
        ]
    )


def _describe_comparison(leader: ValueGroup, other: ValueComparison) -> str:
    """Say why a value is called worse, or why that is unclear."""
    both = len(leader.costs) + len(other.group.costs)
    best = f"best {other.trials_ahead} of the {both} trials with either value all have {leader.label}"
    if other.trials_ahead == 1:
        best = f"best of the {both} trials with either value has {leader.label}"
    text = f"{other.group.label} is {_describe_gap(other)}. The {best}; by chance this happens in "
    text += f"{format_percent(other.chance)} of studies"
    if other.verdict == "worse":
        return f"{text}."
    return f"{text}. Many values are compared, so only less than {format_percent(other.chance_limit)} would be clear."


def _describe_gap(other: ValueComparison) -> str:
    """Say how far a value is from the leader: the best of each, or the expected best of equal numbers of trials."""
    gap = f"{format_number(abs(other.difference), 2)} {'worse' if other.difference > 0 else 'better'}"
    return gap if other.equal_count is None else f"{gap}, if {other.equal_count} trials are drawn of each"


def _describe_rare_values(leader: ValueGroup, rare: Sequence[ValueComparison]) -> list[str]:
    """Name the values that were tried too rarely to be judged."""
    if not rare:
        return []
    if leader.is_rare:
        return [f"{leader.label} leads with fewer than {MIN_VALUE_TRIALS} trials, which may be luck."]
    gaps = join_items([f"{other.group.label} ({_describe_gap(other)})" for other in rare])
    return [f"Tried in fewer than {MIN_VALUE_TRIALS} trials, too few to find their own best: {gaps}."]


def _describe_unjudged_values(groups: Sequence[ValueGroup]) -> list[str]:
    """Name the values that no trial had, and those of which no trial trained to its end."""
    missing = [group.label for group in groups if not len(group.costs)]
    sentences = [f"No trial had {join_items(missing)}."] if missing else []
    for group in groups:
        if group.is_lost:
            chance = format_percent(chance_all_lost(groups, group))
            sentences.append(
                f"No trial with {group.label} trained to its end; if all values were alike, this would happen in "
                f"{chance} of studies."
            )
    return sentences


def build_isolation_figure(tables: StudyTables, index: int, parameter: SearchedParameter) -> Figure:
    """Build the chart of the best of each value with its noise, in front of all trials."""
    name, groups, noise = parameter.name, group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    shown = [group for group in groups if len(group.costs)]
    if not any(group.best is not None for group in shown):
        reason = "No trial with this parameter trained to its end."
        return EmptyFigure(f"isolation-{index}", f"{name}: the best of each value", reason, is_half_width=True)
    window = compute_window(tables.trials["value"], tables.sign, bounds=tables.bounds_of(tables.objective))
    tilted = len(shown) > 4 and parameter.is_range
    separator = " · " if tilted else "|"  # tilted lines below each other would run into their neighbours
    rows = [f"{group.label}{separator}{format_count(len(group.costs), 'trial')}" for group in shown]
    points = pd.concat(
        [
            build_trial_points(
                group.trials, window, tables.sign, at=row, aside=jitter_trials(group.trials["number"], 0.7)
            )
            for row, group in zip(rows, shown, strict=True)
        ],
        ignore_index=True,
    )
    half = noise.least_significant_difference / 2**0.5 if noise else 0.0
    best = pd.DataFrame(
        {"at": rows, "trial": [group.best_trial for group in shown], "best": [group.best for group in shown]}
    )
    best = best.dropna(subset="best").astype({"trial": int, "best": float})
    best["low"], best["high"] = ((best["best"] + sign * half).clip(window.low, window.high) for sign in (-1, 1))
    noise_sentence = "Bar: 95 % noise of one seed." if noise else "The noise of a seed is not known."
    caption = (
        f"Diamond: each value at its own best over all other parameters. Faint: all trials. {noise_sentence} "
        f"{'Lower' if tables.sign > 0 else 'Higher'} is better. The best of more trials is better by chance alone."
    )
    spoken = f"The best {metric_label(tables.objective)} for each value of {name}: {_describe_bests(shown)}."
    draw = partial(
        _plot_isolation, window, rows, points["role"].tolist(), metric_label(tables.objective), index == 0, tilted
    )
    title = f"{name}: the best of each value"
    return Chart(
        f"isolation-{index}", title, caption, spoken, {"points": points, "best": best}, draw, is_half_width=True
    )


def _plot_isolation(
    window: Window, rows: list[str], roles: list[str], axis: str, legend: bool, tilted: bool
) -> AltairChart:
    angle, limit = (-55, 180) if tilted else (0, 110)
    along = alt.Axis(title=None, labelAngle=angle, labelLimit=limit, labelExpr="split(datum.label, '|')")
    at = alt.X("at:N", sort=rows, scale=alt.Scale(domain=rows), axis=along)
    trials = build_layer("points").mark_point(opacity=0.5)
    tips, roles_marked = ["trial:Q", "role:N", build_tooltip("value")], encode_roles(roles, len(roles), legend)
    bars = build_layer("best").mark_rule(strokeWidth=2.5, color=PAINT["ink"])
    best = build_layer("best").mark_point(
        shape="diamond", size=130, color=PAINT["ink"], stroke=PAINT["paper"], strokeWidth=1
    )
    return alt.layer(
        trials.encode(x=at, y=encode_window_y(window, "shown"), xOffset=encode_jitter(), tooltip=tips, **roles_marked),
        bars.encode(x=at, y=encode_window_y(window, "low"), y2="high:Q"),
        best.encode(x=at, y=encode_window_y(window, "best"), tooltip=["trial:Q", build_tooltip("best")]),
    ).properties(height=240, title=build_window_heading(window, axis))
