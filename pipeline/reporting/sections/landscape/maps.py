"""Maps of the loss, coloured like a sea chart: the lower, the bluer; the training path is a line."""

from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import (
    build_heading,
    build_layer,
    build_tooltip,
    merge_cells,
    name_shades,
    plot_cells,
    plot_haloed_text,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_percent

Floats = NDArray[np.float64]

SHADE_COUNT = 10
"""Shades of a map."""
CELLS_PER_SIDE = 180
"""Cells per side after smoothing."""
SHADED_QUANTILE = 0.9
"""The share of points that get different shades; all higher points share one."""


def build_figures(tables: StudyTables) -> list[Figure]:
    """Build the plane of the path, then a random one, each for the training loss and for the validation loss."""
    planes = tables.landscape["plane"]
    return [
        _build_loss_map(tables, planes[(planes["plane"] == plane) & (planes["part"] == part)], plane, part)
        for plane in ("path", "random")
        for part in ("train", "validation")
    ]


def _build_loss_map(tables: StudyTables, table: pd.DataFrame, plane: str, part: str) -> Figure:
    a, b = np.unique(table["a"]), np.unique(table["b"])
    loss = table.sort_values(["a", "b"])["loss"].to_numpy(np.float64).reshape(len(a), len(b))
    lowest = table.sort_values("loss", kind="stable").iloc[0]
    edges = compute_shade_edges(loss, float(lowest["error"]))
    areas = build_contours(a, b, loss, edges)
    path = tables.landscape["path"].assign(loss=tables.landscape["path"][part])[["epoch", "a", "b", "loss"]]
    marks = pd.DataFrame([{"a": 0.0, "b": 0.0, "name": "end"}])
    facts = tables.landscape["facts"].iloc[0]
    if plane == "path":
        marks = pd.concat([path[["a", "b"]].head(1).assign(name="start"), marks])
        where, share = "the path's plane", format_percent(facts["share_a"] + facts["share_b"], whole=True)
        shown = f"in the plane of the training path, which holds {share} of the path's variance. Line: the path, "
        shown += "one dot per epoch. Both axes: distance from the end of training, over all weights"
    else:
        path, where = path.head(0), "a random plane"
        shown = "around the end of training, in two random directions whose filters are as long as the network's: "
        shown += "at 1 each filter has changed by its own length"
    split = "training" if part == "train" else part
    title = f"{split.capitalize()} loss in {where}"
    caption = (
        f"The loss on {format_count(int(facts['examples']), 'example')} of the {split} set {shown}. The standard error "
        f"at the lowest point is {format_number(lowest['error'], 2)}."
    )
    spoken = (
        f"{title}: from {format_number(loss.min())} to {format_number(loss.max())}, lowest at "
        f"{format_number(lowest['a'], 2)}, {format_number(lowest['b'], 2)}; training ends at 0, 0."
    )
    data = {"cells": areas, "way": path, "marks": marks}
    draw = partial(_plot_loss_map, (a[0], a[-1]), (b[0], b[-1]), _name_depths(edges), plane)
    return Chart(f"landscape-{plane}-{part}", title, caption, spoken, data, draw, is_half_width=True)


def compute_shade_edges(loss: Floats, error: float) -> Floats:
    """Compute the edges [SHADE_COUNT + 1] of shades: finer towards the bottom, down to the loss's own error."""
    low, high = float(loss.min()), float(np.quantile(loss, SHADED_QUANTILE))
    if not high > low:
        return low + np.linspace(0, 1, SHADE_COUNT + 1)
    floor = max(error, (high - low) / 500)
    return low + floor * (((high - low) / floor + 1) ** np.linspace(0, 1, SHADE_COUNT + 1) - 1)


def build_contours(a: Floats, b: Floats, loss: Floats, edges: Floats) -> pd.DataFrame:
    """Return rectangles of one shade each, smoothed between the measured points: x, x2, y, y2, depth."""
    fine_a, fine_b = (np.linspace(axis[0], axis[-1], CELLS_PER_SIDE + 1) for axis in (a, b))
    middle_a, middle_b = ((axis[:-1] + axis[1:]) / 2 for axis in (fine_a, fine_b))
    along = np.stack([np.interp(middle_a, a, loss[:, j]) for j in range(len(b))], 1)
    surface = np.stack([np.interp(middle_b, b, row) for row in along], 0)  # [a, b]
    shade = np.clip(np.digitize(surface, edges[1:-1]), 0, SHADE_COUNT - 1)
    table = merge_cells(shade.T, fine_a, fine_b, 0.5)
    return table.assign(depth=table.pop("shade").map(dict(enumerate(_name_depths(edges)))))


def _name_depths(edges: Floats) -> list[str]:
    return [*name_shades(edges[1:-1], "to"), "above"]


def _plot_loss_map(across: tuple[float, float], up: tuple[float, float], names: list[str], plane: str) -> AltairChart:
    def build_axis(ends: tuple[float, float]) -> dict[str, Any]:
        scale = alt.Scale(domain=list(ends), nice=False, zero=False)
        return {"scale": scale, "axis": alt.Axis(title=None, tickCount=5, format=".3~g", grid=False)}

    depths = {name: PAINT[f"depth{depth}"] for depth, name in enumerate(names)}
    position = {"x": alt.X("a:Q", **build_axis(across)), "y": alt.Y("b:Q", **build_axis(up))}
    path, ordered = build_layer("way"), {"order": alt.Order("epoch:Q"), **position}
    dots = path.mark_point(color=PAINT["river"], stroke=PAINT["paper"], strokeWidth=1.2, size=46)
    ends = build_layer("marks").mark_point(color=PAINT["paper"], stroke=PAINT["river"], strokeWidth=2.2, size=130)
    heading = f"second against first {'direction of the path' if plane == 'path' else 'random direction'}"
    return alt.layer(
        plot_cells("depth", build_axis(across), build_axis(up), depths, 5),
        path.mark_line(color=PAINT["paper"], strokeWidth=4.5, opacity=0.85).encode(**ordered),
        path.mark_line(color=PAINT["river"], strokeWidth=2.2).encode(**ordered),
        dots.encode(tooltip=["epoch:Q", build_tooltip("loss")], **position),
        ends.encode(**position),
        *plot_haloed_text("marks", {"text": "name:N", **position}, dy=-15, fontSize=13, fontWeight="bold"),
    ).properties(height=320, title=build_heading(heading))
