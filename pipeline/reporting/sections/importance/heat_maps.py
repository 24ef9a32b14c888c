"""The objective over two parameters at once: a smooth surface with the trials on it."""

from collections.abc import Mapping, Sequence
from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice.next_space import build_next_space
from thalweg.reporting.analysis.equal_training import EqualTraining
from thalweg.reporting.analysis.surface import (
    MAP_CELLS,
    MAP_SHADES,
    MIN_TRIALS,
    SHADE_POWER,
    Floats,
    fit_trial_surface,
    locate_trials,
)
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import (
    assign_roles,
    build_layer,
    build_range_axis,
    build_tooltip,
    encode_roles,
    merge_cells,
    name_shades,
    plot_cells,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sentences import describe_epoch
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_number, format_percent, join_items
from thalweg.stats.surface import Surface


def build_heat_maps(
    tables: StudyTables, levels: EqualTraining, pairs: Sequence[tuple[SearchedParameter, SearchedParameter]]
) -> list[Figure]:
    """Build one map for each pair of numeric parameters."""
    return [_build_heat_map(tables, levels, index, *pair) for index, pair in enumerate(pairs)]


def _build_heat_map(
    tables: StudyTables, levels: EqualTraining, index: int, across: SearchedParameter, up: SearchedParameter
) -> Figure:
    name, title = f"map-{index}", f"{across.name} and {up.name}"
    trials, positions, _ = locate_trials(tables, levels, across, up)
    surface = fit_trial_surface(tables, levels, across, up)
    if surface is None:
        reason = (
            "Not drawn: a smooth surface over these two predicts less than a tenth of the differences between trials."
        )
        if len(trials) < MIN_TRIALS:
            reason = f"Only {format_count(len(trials), 'trial')} have both settings, too few to smooth over."
        return EmptyFigure(name, title, reason, is_half_width=True)
    if _is_misleading(surface, positions, trials["number"] == tables.winner, tables.sign):
        reason = "Not drawn: the smooth surface is worse at the winner than at half of the trials."
        return EmptyFigure(name, title, reason, is_half_width=True)
    areas, shades = _build_shaded_cells(surface, across, up, tables.sign)
    points = pd.DataFrame(
        {
            "trial": trials["number"],
            "role": assign_roles(trials, tables.winner),
            "value": levels.values.reindex(trials["number"]).to_numpy(),
            "x": trials[across.name].astype(float),
            "y": trials[up.name].astype(float),
        }
    ).sort_values("role", key=lambda role: role == "winner", kind="stable")
    caption = (
        f"{tables.objective_label.capitalize()} {describe_epoch(levels.epoch)}, smoothed over "
        f"{format_count(len(trials), 'trial')}; stronger colour is better. The smoothing window is "
        f"{format_percent(surface.width, whole=True)} of each range. Predicting each trial from the others explains "
        f"{format_percent(surface.explained, whole=True)} of the differences. Empty: no trial is near. "
        "Advice on ranges follows the good trials, not this map."
    )
    best = positions[int(np.argmin(surface(positions) * tables.sign))]
    spot = {p.name: p.value_at(float(share)) for p, share in zip((across, up), best, strict=True)}
    first, second = (format_number(value, 2) for value in spot.values())
    spoken = f"{title}: the smoothed {tables.objective_label} is best near {first} and {second}."
    if outside := [format_code(name) for name in list_outside(tables, spot)]:
        caption += f" It is best at values of {join_items(outside)} outside the range that the good trials give to "
        caption += "search next."
    draw = partial(_plot_heat_map, across, up, shades, points["role"].tolist(), index == 0)
    return Chart(name, title, caption, spoken, {"cells": areas, "points": points}, draw, is_half_width=True)


def list_outside(tables: StudyTables, spot: Mapping[str, float]) -> list[str]:
    """List the parameters whose value at a spot the next search leaves out."""
    ranges = {step.searched.name: step.searched for step in build_next_space(tables) if step.fixed is None}
    return [name for name, value in spot.items() if name in ranges and not _is_inside(ranges[name], value)]


def _is_inside(parameter: SearchedParameter, value: float) -> bool:
    return not parameter.is_range or 0.99 * parameter.low <= value <= 1.01 * parameter.high


def _is_misleading(surface: Surface, positions: Floats, winner: pd.Series, sign: int) -> bool:
    """Return whether a surface is worse at the winner than at half of the trials, at `positions` [n, 2]."""
    values = surface(positions) * sign
    return bool((values[winner.to_numpy()] > np.median(values)).any())


def _build_shaded_cells(
    surface: Surface, across: SearchedParameter, up: SearchedParameter, sign: int
) -> tuple[pd.DataFrame, list[str]]:
    """Return rectangles of one shade each, neighbouring cells merged, and the names of the shades, best first."""
    edges = np.linspace(0, 1, MAP_CELLS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    positions = np.stack(np.meshgrid(middle, middle), -1).reshape(-1, 2)
    values, near = surface(positions), surface.is_near(positions)
    # finer towards the best, where readers look
    steps = np.linspace(0, 1, MAP_SHADES + 1) ** SHADE_POWER
    low, high = values[near].min(), values[near].max()
    ends = low + (high - low) * steps if sign > 0 else (high - (high - low) * steps)[::-1]
    shade = np.clip(np.digitize(values, ends[1:-1]), 0, MAP_SHADES - 1)
    if sign < 0:
        shade, ends = MAP_SHADES - 1 - shade, ends[::-1]
    names = name_shades((np.exp(ends) if surface.is_log else ends)[1:], "to" if sign > 0 else "from")
    table = merge_cells(np.where(near, shade, -1).reshape(MAP_CELLS, MAP_CELLS), edges, edges, 0.08)
    for column, parameter in {"x": across, "x2": across, "y": up, "y2": up}.items():
        table[column] = table[column].map(parameter.value_at)
    return table.assign(shade=table["shade"].map(dict(enumerate(names)))), names


def _plot_heat_map(
    across: SearchedParameter, up: SearchedParameter, shades: list[str], roles: list[str], legend: bool
) -> AltairChart:
    x, y = (build_range_axis(parameter, 6, grid=False) for parameter in (across, up))
    paint = {name: PAINT[f"step{MAP_SHADES - index}"] for index, name in enumerate(shades)}
    tips = [
        "trial:Q",
        "role:N",
        build_tooltip("value"),
        build_tooltip("x", title="across"),
        build_tooltip("y", title="up"),
    ]
    position = {"x": alt.X("x:Q", **x), "y": alt.Y("y:Q", **y), **encode_roles(roles, len(roles), legend)}
    trials = build_layer("points").mark_point(stroke=PAINT["paper"], strokeWidth=0.8).encode(tooltip=tips, **position)
    named = alt.TitleParams(text=f"{up.name} against {across.name}")
    return alt.layer(plot_cells("shade", x, y, paint, MAP_SHADES), trials).properties(height=280, title=named)
