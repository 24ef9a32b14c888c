"""Shared parts of charts: layers, headings, tooltips, scales, axes, marks of trials, haloed text."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.analysis.window import Window
from thalweg.reporting.page.theme import BAR_SHAPE, CROSS_SHAPE, PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.text import format_number

Floats = NDArray[np.float64]

MAX_LARGE_MARKS = 300
"""Trials; above that, marks are small."""
ROLE_MARKS = {
    "winner": (PAINT["winner"], "circle"),
    "complete": (PAINT["plain"], "circle"),
    "stopped": (PAINT["faint"], BAR_SHAPE),
    "diverged": (PAINT["diverged"], CROSS_SHAPE),
}
"""Colour and shape of a trial's mark, because colour alone excludes the colour-blind."""


def build_layer(name: str) -> alt.Chart:
    """Start a layer on a table of the chart, by name."""
    return alt.Chart(alt.NamedData(name=name))


def build_tooltip(field: str, format: str = ".4~g", **options: Any) -> alt.Tooltip:  # noqa: A002
    """Build a tooltip for a number; `title` replaces the name of its column."""
    return alt.Tooltip(f"{field}:Q", format=format, **options)


def build_tooltips(format: str, *fields: str) -> list[alt.Tooltip]:  # noqa: A002
    """Build tooltips for several numbers in one format."""
    return [build_tooltip(field, format) for field in fields]


def build_category_scale(values: Mapping[Any, Any]) -> alt.Scale:
    """Map each category to its colour, shape or dash."""
    return alt.Scale(domain=list(values), range=list(values.values()))


def build_heading(text: str) -> alt.TitleParams:
    """Build the title of the vertical axis, written horizontally above it."""
    return alt.TitleParams(text=text)


def build_window_heading(window: Window, text: str) -> alt.TitleParams:
    """Build the title of a window's vertical axis, with `log scale` if it has one."""
    return build_heading(f"{text}, log scale" if window.is_log else text)


def build_window_scale(window: Window) -> alt.Scale:
    """Build a scale with the limits of the window."""
    if window.is_log:
        return alt.Scale(type="log", domain=[window.low, window.high], nice=False)
    return alt.Scale(domain=[window.low, window.high], nice=False, zero=False)


def build_window_axis(window: Window) -> alt.Axis:
    """Build an axis with a few round values."""
    if not window.is_log:
        return alt.Axis(tickCount=5, title=None)
    return alt.Axis(values=window.list_ticks(), format=".6~g", title=None)


def encode_window_y(window: Window, field: str) -> alt.Y:
    """Encode a column of values on the vertical axis of a window."""
    return alt.Y(f"{field}:Q", scale=build_window_scale(window), axis=build_window_axis(window))


def build_integer_axis() -> alt.Axis:
    """Build an axis of whole numbers; it hides labels of fractions, which Vega draws on short axes."""
    return alt.Axis(tickMinStep=1, format="d", labelExpr="datum.value == floor(datum.value) ? datum.label : ''")


def build_range_axis(parameter: SearchedParameter, padding: int, ticks: int = 4, **axis: Any) -> dict[str, Any]:
    """Build scale and axis of a searched parameter over its range, with `padding` pixels at the ends."""
    kind = {"type": "log"} if parameter.log else {"zero": False}
    options = {"title": None, "tickCount": ticks, "format": ".6~g", "labelOverlap": True, **axis}
    scale = alt.Scale(domain=[parameter.low, parameter.high], nice=False, padding=padding, **kind)
    return {"scale": scale, "axis": alt.Axis(**options)}


def encode_jitter() -> alt.XOffset:
    """Spread the marks of one choice sideways by the column `aside` (0 to 1)."""
    return alt.XOffset("aside:Q", scale=alt.Scale(domain=[0, 1]))


def assign_roles(trials: pd.DataFrame, winner: int | None) -> pd.Series:
    """Return the role of each trial: winner, complete, stopped or diverged."""
    named = trials["state"].replace({"pruned": "stopped", "infeasible": "stopped"})
    return named.mask(trials["number"] == winner, "winner")


def encode_roles(present: Sequence[str], count: int, has_legend: bool = True) -> dict[str, Any]:
    """Encode the `present` roles by colour, shape and size."""
    legend = alt.Legend() if has_legend else None
    paints, shapes = ({role: marks[i] for role, marks in ROLE_MARKS.items() if role in set(present)} for i in (0, 1))
    return {
        "color": alt.Color("role:N", legend=legend, scale=build_category_scale(paints)),
        "shape": alt.Shape("role:N", legend=legend, scale=build_category_scale(shapes)),
        "size": alt.condition(
            "datum.role === 'winner'", alt.value(150), alt.value(54 if count <= MAX_LARGE_MARKS else 16)
        ),
    }


def build_trial_points(
    trials: pd.DataFrame, window: Window, sign: int, winner: int | None = None, **extra: object
) -> pd.DataFrame:
    """Build marks of trials: trial, role, value, drawn value, and `extra` columns; the winner last."""
    role, shown = assign_roles(trials, winner), window.clip_values(trials["value"], sign)
    points = pd.DataFrame({"trial": trials["number"], "role": role, "value": trials["value"], "shown": shown, **extra})
    return points.sort_values("role", key=lambda role: role == "winner", kind="stable")


def plot_haloed_text(name: str, channels: dict[str, Any], width: float = 4, **mark: Any) -> list[alt.Chart]:
    """Draw text of a table on a halo in the background's colour, so that lines do not cross it."""
    paints = {"stroke": PAINT["paper"], "strokeWidth": width}, {"color": PAINT["ink"]}
    return [build_layer(name).mark_text(**mark, **paint).encode(**channels) for paint in paints]


def plot_cells(field: str, x: dict[str, Any], y: dict[str, Any], colours: dict[str, str], columns: int) -> alt.Chart:
    """Draw the cells of a heat map; `colours` maps the values of `field`, `x` and `y` hold axes and scales."""
    legend = alt.Legend(orient="bottom", symbolType="square", symbolSize=110, columns=columns, columnPadding=10)
    cells: alt.Chart = build_layer("cells").mark_rect().encode(
        x=alt.X("x:Q", **x), x2="x2:Q", y=alt.Y("y:Q", **y), y2="y2:Q",
        fill=alt.Fill(f"{field}:N", scale=build_category_scale(colours), legend=legend),
    )  # fmt: skip
    return cells


def merge_cells(shades: NDArray[np.int64], x: Floats, y: Floats, overlap: float) -> pd.DataFrame:
    """Merge neighbouring cells of one shade and row into rectangles: x, x2, y, y2, shade.

    `shades` [y, x] are numbers, -1 for empty cells; `x` and `y` are the cell edges. Each rectangle extends `overlap`
    cells under its right and upper neighbours, which are drawn later, so that no seam shows.
    """
    rows = []
    for row, line in enumerate(shades):
        top = min(y[row + 1] + overlap * (y[1] - y[0]), y[-1])
        for start, end in pairwise([0, *(np.flatnonzero(np.diff(line)) + 1), len(line)]):
            if line[start] >= 0:
                rows.append((x[start], min(x[end] + overlap * (x[1] - x[0]), x[-1]), y[row], top, line[start]))
    return pd.DataFrame(rows, columns=["x", "x2", "y", "y2", "shade"])


def name_shades(edges: Floats, word: str) -> list[str]:
    """Name each shade by `word` and its edge, with enough digits to distinguish the shades."""
    for digits in range(2, 7):
        names = [f"{word} {format_number(float(end), digits)}" for end in edges]
        if len(set(names)) == len(names):
            return names
    return [f"step {i + 1}" for i in range(len(edges))]
