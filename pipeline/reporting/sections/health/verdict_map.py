"""Where in the search space the monitor said what: a map of verdicts."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.separation import MOMENTUM, PACE, RATE, Parted
from thalweg.reporting.page.figures import Chart, Drawing, source
from thalweg.reporting.page.scales import MANY, heading
from thalweg.reporting.page.theme import BAR, CROSS, PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number
from thalweg.stats.samples import rank_separation

MARKS = {
    "converged": ("plain", "circle"),
    "improving": ("plain", "triangle-right"),
    "overfitting": ("ink", "square"),
    "rate too low": ("ink", "triangle-down"),
    "rate too high": ("ink", "triangle-up"),
    constant_trials.KIND: ("ink", BAR),
    "diverged": ("diverged", CROSS),
    "too short to tell": ("faint", "diamond"),
}
"""Colour and shape of each kind of verdict, in the order in which they are told."""
SOUND = ("converged", "improving")


def ordered(kinds: Sequence[str]) -> list[str]:
    """Kinds of verdict in the order in which they are told."""
    return [kind for kind in MARKS if kind in kinds] + sorted(set(kinds) - MARKS.keys())


def telling(tables: StudyTables, told: pd.DataFrame) -> list[SearchedParameter]:
    """Searched ranges: learning rate and momentum, then those that most part sound verdicts from the others."""
    good = set(told.loc[told["kind"].isin(SOUND), "trial"])
    trials = tables.trials[tables.trials["number"].isin(told["trial"])]

    def parts(name: str) -> float:
        inside, outside = (part[name].dropna().astype(float) for _, part in trials.groupby(trials["number"].isin(good)))
        return abs(rank_separation(inside, outside) - 0.5) if len(inside) and len(outside) else 0.0

    ranges = [parameter for parameter in tables.parameters if parameter.is_range]
    mixed = 0 < len(good) < trials["number"].nunique()
    first = {RATE: 2.0, MOMENTUM: 1.0}
    return sorted(ranges, key=lambda p: -first.get(p.name, parts(p.name) if mixed else 0.0))


def chart(tables: StudyTables, told: pd.DataFrame, edge: Parted | None) -> list[Chart]:
    """Trials by two searched ranges, or by one and the verdict, marked by verdict; `edge` is where losing begins."""
    axes = telling(tables, told)[:2]
    if told.empty or not axes:
        return []
    first, second = axes[0], axes[1] if len(axes) > 1 else None
    rows = tables.trials.merge(told[["trial", "kind"]], left_on="number", right_on="trial")
    points = pd.DataFrame({"trial": rows["trial"], "kind": rows["kind"], "value": rows["value"]})
    points["x"] = rows[first.name].astype(float)
    points["y"] = rows["kind"] if second is None else rows[second.name].astype(float)
    points = points.dropna(subset=["x", "y"]).sort_values("trial")
    if points.empty:
        return []
    kinds = ordered(points["kind"].unique().tolist())
    line = _edge(edge, first, second)
    caption = f"One mark a trial: {_short(first)} across" + (f", {_short(second)} upwards." if second else ".")
    if len(line):
        caption += " The dashed line is where trials begin to be lost."
    where = f"{first.name} and {second.name}" if second else first.name
    spoken = f"Verdicts of {many(len(points), 'trial')} by {where}: " + ", ".join(
        f"{kind} {int((points['kind'] == kind).sum())}, {_short(first)} {number(part.min())} to {number(part.max())}"
        for kind in kinds
        for part in [points.loc[points["kind"] == kind, "x"]]
    )
    title = f"Verdicts by {_short(first)}" + (f" and {_short(second)}" if second else "")
    draw = partial(_draw, first, second, kinds, len(points), label(tables.objective))
    return [Chart("verdict-map", title, caption, f"{spoken}.", {"points": points, "edge": line}, draw)]


def _short(parameter: SearchedParameter) -> str:
    """The last part of a parameter's name, in words, where it is one that everybody knows."""
    name = parameter.name
    return name.rpartition(".")[2].replace("_", " ") if name in (RATE, MOMENTUM) else name


def _edge(edge: Parted | None, first: SearchedParameter, second: SearchedParameter | None) -> pd.DataFrame:
    """Points of the line beyond which trials are lost, within the space; none where it has no place on this map."""
    none = pd.DataFrame({"x": [], "y": []})
    if edge is None or second is None:
        return none
    heights = np.linspace(second.low, second.high, 61)
    if edge.name == first.name:
        line = pd.DataFrame({"x": edge.at, "y": heights[[0, -1]]})
    elif edge.name == PACE and (first.name, second.name) == (RATE, MOMENTUM):
        line = pd.DataFrame({"x": edge.at * (1 - heights), "y": heights})
    else:
        return none
    return line[line["x"].between(first.low, first.high)].reset_index(drop=True)


def _scale(parameter: SearchedParameter) -> alt.Scale:
    kind = {"type": "log"} if parameter.log else {"zero": False}
    return alt.Scale(domain=[parameter.low, parameter.high], nice=False, padding=10, **kind)


def _draw(
    first: SearchedParameter, second: SearchedParameter | None, kinds: list[str], count: int, axis: str
) -> Drawing:
    ticks: dict[str, Any] = {"tickCount": 6, "format": ".6~g", "labelOverlap": True}
    x = alt.X("x:Q", scale=_scale(first), axis=alt.Axis(title=_short(first), **ticks))
    upwards = alt.Axis(title=None, **ticks)
    y: alt.Y = alt.Y("y:N", sort=kinds, title=None, axis=alt.Axis(labelLimit=140))
    if second is not None:
        y = alt.Y("y:Q", scale=_scale(second), axis=upwards)
    marks = [MARKS.get(kind, ("plain", "circle")) for kind in kinds]
    points = (
        alt.Chart(source("points"))
        .mark_point(size=70 if count <= MANY else 18, opacity=0.9)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                legend=alt.Legend(columns=3),
                scale=alt.Scale(domain=kinds, range=[PAINT[p] for p, _ in marks]),
            ),
            shape=alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=[shape for _, shape in marks])),
            tooltip=[
                "trial:Q",
                "kind:N",
                alt.Tooltip("value:Q", title=axis, format=".4~g"),
                alt.Tooltip("x:Q", title=_short(first), format=".4~g"),
                *([alt.Tooltip("y:Q", title=_short(second), format=".4~g")] if second else []),
            ],
        )
    )
    if second is None:
        alone: alt.Chart = points.properties(height=34 * len(kinds))
        return alone
    edge = alt.Chart(source("edge")).mark_line(color=PAINT["diverged"], strokeDash=[5, 4], strokeWidth=1.5, clip=True)
    line = edge.encode(x=x, y=y, order=alt.Order("y:Q"))
    return alt.layer(line, points).properties(height=300, title=heading(_short(second)))
