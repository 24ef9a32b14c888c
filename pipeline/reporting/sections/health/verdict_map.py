"""A map of the monitor's verdicts over the search space."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE, LEARNING_RATE, MOMENTUM, Separation
from thalweg.reporting.page.figures import AltairChart, Chart
from thalweg.reporting.page.marks import (
    MAX_LARGE_MARKS,
    build_category_scale,
    build_heading,
    build_layer,
    build_range_axis,
    build_tooltip,
)
from thalweg.reporting.page.theme import BAR_SHAPE, CROSS_SHAPE, PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_range
from thalweg.stats.samples import rank_separation

VERDICT_MARKS = {
    "converged": ("plain", "circle"),
    "improving": ("plain", "triangle-right"),
    "came to rest with its rate": ("plain", "triangle-left"),
    "overfitting": ("ink", "square"),
    "rate too low": ("ink", "triangle-down"),
    "rate too high": ("ink", "triangle-up"),
    constant_trials.CONSTANT_KIND: ("ink", BAR_SHAPE),
    "diverged": ("diverged", CROSS_SHAPE),
    "too short to tell": ("faint", "diamond"),
}
"""Colour and shape of each kind of verdict, in the order of the report."""
SOUND_KINDS = ("converged", "improving", "came to rest with its rate")


def order_kinds(verdicts: Sequence[str]) -> list[str]:
    """Return kinds of verdict in the order of the report."""
    return [kind for kind in VERDICT_MARKS if kind in verdicts] + sorted(set(verdicts) - VERDICT_MARKS.keys())


def rank_map_axes(tables: StudyTables, verdicts: pd.DataFrame) -> list[SearchedParameter]:
    """Rank searched ranges: learning rate, momentum, then the ranges that best separate sound verdicts from others."""
    good = set(verdicts.loc[verdicts["kind"].isin(SOUND_KINDS), "trial"])
    trials = tables.trials[tables.trials["number"].isin(verdicts["trial"])]

    def compute_separation(name: str) -> float:
        inside, outside = (
            group[name].dropna().astype(float) for _, group in trials.groupby(trials["number"].isin(good))
        )
        return abs(rank_separation(inside, outside) - 0.5) if len(inside) and len(outside) else 0.0

    ranges = [parameter for parameter in tables.parameters if parameter.is_range]
    mixed = 0 < len(good) < trials["number"].nunique()
    first = {LEARNING_RATE: 2.0, MOMENTUM: 1.0}
    return sorted(ranges, key=lambda p: -first.get(p.name, compute_separation(p.name) if mixed else 0.0))


def build_verdict_map(tables: StudyTables, verdicts: pd.DataFrame, edge: Separation | None) -> list[Chart]:
    """Map trials by two searched ranges, or by one and the verdict; beyond `edge`, trials fail."""
    axes = rank_map_axes(tables, verdicts)[:2]
    if verdicts.empty or not axes:
        return []
    first, second = axes[0], axes[1] if len(axes) > 1 else None
    columns = {"trial": "number", "value": "value", "x": first.name, **({"y": second.name} if second else {})}
    trials = pd.DataFrame({name: tables.trials[column] for name, column in columns.items()})
    points = trials.merge(verdicts[["trial", "kind"]], on="trial").astype(dict.fromkeys(["x", "y"][: len(axes)], float))
    points["y"] = points["kind"] if second is None else points["y"]
    points = points.dropna(subset=["x", "y"]).sort_values("trial")
    if points.empty:
        return []
    axis_names = [_shorten_name(parameter) for parameter in axes]
    line = _build_edge_line(edge, first, second)
    caption = f"One mark per trial: {axis_names[0]} across" + (f", {axis_names[1]} upwards." if second else ".")
    if len(line):
        caption += " Dashed line: beyond it, trials begin to fail."
    order, of_kind = order_kinds(points["kind"].unique().tolist()), points.groupby("kind")["x"]
    ranges = ((kind, of_kind.get_group(kind)) for kind in order)
    kind_texts = (
        f"{kind} {len(x)}, {axis_names[0]} {format_range(*map(format_number, (x.min(), x.max())))}"
        for kind, x in ranges
    )
    where = " and ".join(parameter.name for parameter in axes)
    spoken = f"Verdicts of {format_count(len(points), 'trial')} by {where}: {', '.join(kind_texts)}."
    draw = partial(_plot_verdict_map, first, second, order, len(points), tables.objective_label)
    data = {"points": points, "edge": line}
    return [Chart("verdict-map", f"Verdicts by {' and '.join(axis_names)}", caption, spoken, data, draw)]


def _shorten_name(parameter: SearchedParameter) -> str:
    """Return the last part of a well-known parameter's name in words; other names in full."""
    name = parameter.name
    return name.rpartition(".")[2].replace("_", " ") if name in (LEARNING_RATE, MOMENTUM) else name


def _build_edge_line(
    edge: Separation | None, first: SearchedParameter, second: SearchedParameter | None
) -> pd.DataFrame:
    """Return points of the line beyond which trials fail, within the space; none where it is not on this map."""
    none = pd.DataFrame({"x": [], "y": []})
    if edge is None or second is None:
        return none
    heights = np.linspace(second.low, second.high, 61)
    if edge.name == first.name:
        line = pd.DataFrame({"x": edge.threshold, "y": heights[[0, -1]]})
    elif edge.name == EFFECTIVE_RATE and (first.name, second.name) == (LEARNING_RATE, MOMENTUM):
        line = pd.DataFrame({"x": edge.threshold * (1 - heights), "y": heights})
    else:
        return none
    return line[line["x"].between(first.low, first.high)].reset_index(drop=True)


def _plot_verdict_map(
    first: SearchedParameter, second: SearchedParameter | None, order: list[str], count: int, value: str
) -> AltairChart:
    x = alt.X("x:Q", **build_range_axis(first, 10, 6, title=_shorten_name(first)))
    y: alt.Y = alt.Y("y:N", sort=order, title=None, axis=alt.Axis(labelLimit=140))
    if second is not None:
        y = alt.Y("y:Q", **build_range_axis(second, 10, 6))
    marks = {kind: VERDICT_MARKS.get(kind, ("plain", "circle")) for kind in order}
    paints = build_category_scale({kind: PAINT[paint] for kind, (paint, _) in marks.items()})
    upwards = [build_tooltip("y", title=_shorten_name(second))] if second else []
    points: alt.Chart = build_layer("points").mark_point(size=70 if count <= MAX_LARGE_MARKS else 18, opacity=0.9)
    points = points.encode(
        x=x,
        y=y,
        color=alt.Color("kind:N", legend=alt.Legend(columns=3), scale=paints),
        shape=alt.Shape("kind:N", scale=build_category_scale({kind: shape for kind, (_, shape) in marks.items()})),
        tooltip=[
            "trial:Q",
            "kind:N",
            build_tooltip("value", title=value),
            build_tooltip("x", title=_shorten_name(first)),
            *upwards,
        ],
    )
    if second is None:
        alone: alt.Chart = points.properties(height=34 * len(order))
        return alone
    edge = build_layer("edge").mark_line(color=PAINT["diverged"], strokeDash=[5, 4], strokeWidth=1.5, clip=True)
    line = edge.encode(x=x, y=y, order=alt.Order("y:Q"))
    return alt.layer(line, points).properties(height=300, title=build_heading(_shorten_name(second)))
