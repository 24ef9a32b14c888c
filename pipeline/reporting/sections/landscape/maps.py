"""Maps of the loss, drawn as a chart of the sea is: the deeper the bluer, the way of training a line through it."""

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
from thalweg.reporting.text import format_number

Floats = NDArray[np.float64]

SHADE_COUNT = 10
"""Shades."""
CELLS_PER_SIDE = 180
"""Cells a side after smoothing."""
SHADED_QUANTILE = 0.9
"""The share of the places that shades tell apart, the highest are one shade."""


def build_figures(tables: StudyTables) -> list[Figure]:
    """The plane of the way, then a random one, each for the loss on train and on validation."""
    planes = tables.landscape["plane"]
    return [
        _build_loss_map(tables, planes[(planes["plane"] == plane) & (planes["part"] == part)], plane, part)
        for plane in ("path", "random")
        for part in ("train", "validation")
    ]


def _build_loss_map(tables: StudyTables, own: pd.DataFrame, plane: str, part: str) -> Figure:
    a, b = np.unique(own["a"]), np.unique(own["b"])
    loss = own.sort_values(["a", "b"])["loss"].to_numpy(np.float64).reshape(len(a), len(b))
    least = own.sort_values("loss", kind="stable").iloc[0]
    edges = compute_shade_edges(loss, float(least["error"]))
    areas = build_contours(a, b, loss, edges)
    way = tables.landscape["path"].assign(loss=tables.landscape["path"][part])[["epoch", "a", "b", "loss"]]
    marks = pd.DataFrame([{"a": 0.0, "b": 0.0, "name": "end"}])
    facts = tables.landscape["facts"].iloc[0]
    if plane == "path":
        marks = pd.concat([way[["a", "b"]].head(1).assign(name="start"), marks])
        where, share = "the path's plane", 100 * (facts["share_a"] + facts["share_b"])
        shown = f"in the plane of the training path, which holds {share:.0f} % of the way's variance. The line is the "
        shown += "path, a dot an epoch"
    else:
        way, where = way.head(0), "a random plane"
        shown = "around the end of training, in two random directions whose filters are as long as the network's own: "
        shown += "at 1 each weight has changed by as much as itself"
    caption = (
        f"The loss on {int(facts['examples']):,} examples of {part} {shown}; the standard error at the lowest place is "
        f"{format_number(least['error'], 2)}."
    )
    spoken = (
        f"Loss on {part} in {where}: from {format_number(loss.min())} to {format_number(loss.max())}, lowest at "
        f"{format_number(least['a'], 2)}, {format_number(least['b'], 2)}; training ends at 0, 0."
    )
    data = {"cells": areas, "way": way, "marks": marks}
    draw = partial(_plot_loss_map, (a[0], a[-1]), (b[0], b[-1]), _name_depths(edges), plane)
    title = f"Loss on {part}, in {where}"
    return Chart(f"landscape-{plane}-{part}", title, caption, spoken, data, draw, is_half_width=True)


def compute_shade_edges(loss: Floats, error: float) -> Floats:
    """The edges [DEPTHS + 1] of shades: finer and finer towards the bottom, down to the loss's own error."""
    low, high = float(loss.min()), float(np.quantile(loss, SHADED_QUANTILE))
    if not high > low:
        return low + np.linspace(0, 1, SHADE_COUNT + 1)
    floor = max(error, (high - low) / 500)
    return low + floor * (((high - low) / floor + 1) ** np.linspace(0, 1, SHADE_COUNT + 1) - 1)


def build_contours(a: Floats, b: Floats, loss: Floats, edges: Floats) -> pd.DataFrame:
    """Rectangles of one shade each, smooth between the places that were measured: x, x2, y, y2, depth, loss."""
    fine_a, fine_b = (np.linspace(axis[0], axis[-1], CELLS_PER_SIDE + 1) for axis in (a, b))
    middle_a, middle_b = ((axis[:-1] + axis[1:]) / 2 for axis in (fine_a, fine_b))
    along = np.stack([np.interp(middle_a, a, loss[:, j]) for j in range(len(b))], 1)
    whole = np.stack([np.interp(middle_b, b, row) for row in along], 0)  # [a, b]
    shade = np.clip(np.digitize(whole, edges[1:-1]), 0, SHADE_COUNT - 1)
    table = merge_cells(shade.T, fine_a, fine_b, 0.5)
    return table.assign(depth=table.pop("shade").map(dict(enumerate(_name_depths(edges)))))


def _name_depths(edges: Floats) -> list[str]:
    return [*name_shades(edges[1:-1], "to"), "above"]


def _plot_loss_map(across: tuple[float, float], up: tuple[float, float], names: list[str], plane: str) -> AltairChart:
    def axis(ends: tuple[float, float]) -> dict[str, Any]:
        scale = alt.Scale(domain=list(ends), nice=False, zero=False)
        return {"scale": scale, "axis": alt.Axis(title=None, tickCount=5, format=".3~g", grid=False)}

    depths = {name: PAINT[f"depth{depth}"] for depth, name in enumerate(names)}
    place = {"x": alt.X("a:Q", **axis(across)), "y": alt.Y("b:Q", **axis(up))}
    way, ordered = build_layer("way"), {"order": alt.Order("epoch:Q"), **place}
    dots = way.mark_point(color=PAINT["river"], stroke=PAINT["paper"], strokeWidth=1.2, size=46)
    ends = build_layer("marks").mark_point(color=PAINT["paper"], stroke=PAINT["river"], strokeWidth=2.2, size=130)
    told = "second against first direction of the way" if plane == "path" else "second against first random direction"
    return alt.layer(
        plot_cells("depth", axis(across), axis(up), depths, 5),
        way.mark_line(color=PAINT["paper"], strokeWidth=4.5, opacity=0.85).encode(**ordered),
        way.mark_line(color=PAINT["river"], strokeWidth=2.2).encode(**ordered),
        dots.encode(tooltip=["epoch:Q", build_tooltip("loss")], **place),
        ends.encode(**place),
        *plot_haloed_text("marks", {"text": "name:N", **place}, dy=-15, fontSize=13, fontWeight="bold"),
    ).properties(height=320, title=build_heading(told))
