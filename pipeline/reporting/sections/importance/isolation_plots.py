"""Charts for a scientific parameter: each value at its own best of all other parameters."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.good_region import jitter_trials
from thalweg.reporting.analysis.isolation import group_trials_by_value
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.window import Window, compute_window
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
from thalweg.reporting.sections.importance.isolation_findings import describe_bests
from thalweg.reporting.sentences import describe_unknown_noise
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count


def build_isolation_figure(tables: StudyTables, index: int, parameter: SearchedParameter) -> Figure:
    """Build the chart of the best trial of each value with its noise, in front of all trials."""
    name, groups, noise = parameter.name, group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    shown = [group for group in groups if len(group.costs)]
    if not any(group.best is not None for group in shown):
        reason = "No trial with this setting trained to its end."
        return EmptyFigure(f"isolation-{index}", f"{name}: the best trial of each value", reason, is_half_width=True)
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
    noise_sentence = "Bar: seed noise (95 %)." if noise else describe_unknown_noise(tables)
    caption = (
        f"Diamond: each value at its own best over all other settings. Faint: all trials. {noise_sentence} "
        f"{'Lower' if tables.sign > 0 else 'Higher'} is better. The best of more trials is better by chance alone."
    )
    spoken = f"The best {tables.objective_label} for each value of {name}: {describe_bests(shown)}."
    draw = partial(_plot_isolation, window, rows, points["role"].tolist(), tables.objective_label, index == 0, tilted)
    title = f"{name}: the best trial of each value"
    return Chart(
        f"isolation-{index}", title, caption, spoken, {"points": points, "best": best}, draw, is_half_width=True
    )


def _plot_isolation(
    window: Window, rows: list[str], roles: list[str], axis: str, legend: bool, tilted: bool
) -> AltairChart:
    angle, limit = (-55, 180) if tilted else (0, 110)
    x_axis = alt.Axis(title=None, labelAngle=angle, labelLimit=limit, labelExpr="split(datum.label, '|')")
    x = alt.X("at:N", sort=rows, scale=alt.Scale(domain=rows), axis=x_axis)
    trials = build_layer("points").mark_point(opacity=0.5)
    tips, roles_marked = ["trial:Q", "role:N", build_tooltip("value")], encode_roles(roles, len(roles), legend)
    bars = build_layer("best").mark_rule(strokeWidth=2.5, color=PAINT["ink"])
    best = build_layer("best").mark_point(
        shape="diamond", size=130, color=PAINT["ink"], stroke=PAINT["paper"], strokeWidth=1
    )
    return alt.layer(
        trials.encode(x=x, y=encode_window_y(window, "shown"), xOffset=encode_jitter(), tooltip=tips, **roles_marked),
        bars.encode(x=x, y=encode_window_y(window, "low"), y2="high:Q"),
        best.encode(x=x, y=encode_window_y(window, "best"), tooltip=["trial:Q", build_tooltip("best")]),
    ).properties(height=240, title=build_window_heading(window, axis))
