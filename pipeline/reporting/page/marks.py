"""What charts have in common: their tables, headings, tooltips, scales and axes, marks of trials, words on halos."""

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
"""Trials above which the marks are small."""
ROLE_MARKS = {
    "winner": (PAINT["winner"], "circle"),
    "complete": (PAINT["plain"], "circle"),
    "stopped": (PAINT["faint"], BAR_SHAPE),
    "diverged": (PAINT["diverged"], CROSS_SHAPE),
}
"""Colour and shape of a trial's mark, never colour alone."""


def build_layer(name: str) -> alt.Chart:
    """Begin a layer on a table of the chart, by name."""
    return alt.Chart(alt.NamedData(name=name))


def build_tooltip(field: str, format: str = ".4~g", **more: Any) -> alt.Tooltip:  # noqa: A002
    """Tell a number where the pointer is, in so many digits; `title` names it otherwise than its column."""
    return alt.Tooltip(f"{field}:Q", format=format, **more)


def build_tooltips(format: str, *fields: str) -> list[alt.Tooltip]:  # noqa: A002
    """Tell several numbers where the pointer is, all in one format."""
    return [build_tooltip(field, format) for field in fields]


def build_category_scale(values: Mapping[Any, Any]) -> alt.Scale:
    """Give each kind its own colour, shape or dash."""
    return alt.Scale(domain=list(values), range=list(values.values()))


def build_heading(text: str) -> alt.TitleParams:
    """What the vertical axis shows, written flat above it."""
    return alt.TitleParams(text=text)


def build_window_heading(window: Window, text: str) -> alt.TitleParams:
    """What the vertical axis shows, and that it is a log axis where it is one."""
    return build_heading(f"{text}, log scale" if window.is_log else text)


def build_window_scale(window: Window) -> alt.Scale:
    """A scale that ends where the window does."""
    if window.is_log:
        return alt.Scale(type="log", domain=[window.low, window.high], nice=False)
    return alt.Scale(domain=[window.low, window.high], nice=False, zero=False)


def build_window_axis(window: Window) -> alt.Axis:
    """An axis with a few round values."""
    if not window.is_log:
        return alt.Axis(tickCount=5, title=None)
    return alt.Axis(values=window.list_ticks(), format=".6~g", title=None)


def encode_window_y(window: Window, field: str) -> alt.Y:
    """Place a column of values on the vertical axis of a window."""
    return alt.Y(f"{field}:Q", scale=build_window_scale(window), axis=build_window_axis(window))


def build_integer_axis() -> alt.Axis:
    """An axis of whole numbers: a short one has ticks between them, whatever the smallest step asked for."""
    return alt.Axis(tickMinStep=1, format="d", labelExpr="datum.value == floor(datum.value) ? datum.label : ''")


def build_range_axis(parameter: SearchedParameter, padding: int, ticks: int = 4, **axis: Any) -> dict[str, Any]:
    """Scale and axis of a searched parameter: its range, with so many pixels of room at its ends."""
    kind = {"type": "log"} if parameter.log else {"zero": False}
    shown = {"title": None, "tickCount": ticks, "format": ".6~g", "labelOverlap": True, **axis}
    scale = alt.Scale(domain=[parameter.low, parameter.high], nice=False, padding=padding, **kind)
    return {"scale": scale, "axis": alt.Axis(**shown)}


def encode_jitter() -> alt.XOffset:
    """Place marks of one choice beside each other, by the column `aside` (0 to 1)."""
    return alt.XOffset("aside:Q", scale=alt.Scale(domain=[0, 1]))


def assign_roles(trials: pd.DataFrame, winner: int | None) -> pd.Series:
    """winner, complete, stopped or diverged, for each trial."""
    named = trials["state"].replace({"pruned": "stopped", "infeasible": "stopped"})
    return named.mask(trials["number"] == winner, "winner")


def encode_roles(present: Sequence[str], count: int, has_legend: bool = True) -> dict[str, Any]:
    """Colour, shape and size of the roles that are there; `has_legend` gives them a legend."""
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
    trials: pd.DataFrame, window: Window, sign: int, winner: int | None = None, **more: object
) -> pd.DataFrame:
    """Trials as marks: trial, role, value, where it is shown, and `more` columns; the winner last."""
    role, shown = assign_roles(trials, winner), window.clip_values(trials["value"], sign)
    points = pd.DataFrame({"trial": trials["number"], "role": role, "value": trials["value"], "shown": shown, **more})
    return points.sort_values("role", key=lambda role: role == "winner", kind="stable")


def plot_haloed_text(name: str, channels: dict[str, Any], width: float = 4, **mark: Any) -> list[alt.Chart]:
    """Words of a table on a halo of paper, so that what lies behind them does not cross them."""
    paints = {"stroke": PAINT["paper"], "strokeWidth": width}, {"color": PAINT["ink"]}
    return [build_layer(name).mark_text(**mark, **paint).encode(**channels) for paint in paints]


def plot_cells(field: str, x: dict[str, Any], y: dict[str, Any], colours: dict[str, str], columns: int) -> alt.Chart:
    """Rectangles of a heat map; `colours` are the colours of what `field` names, `x` and `y` the axes and scales."""
    below = alt.Legend(orient="bottom", symbolType="square", symbolSize=110, columns=columns, columnPadding=10)
    drawn: alt.Chart = build_layer("cells").mark_rect().encode(
        x=alt.X("x:Q", **x), x2="x2:Q", y=alt.Y("y:Q", **y), y2="y2:Q",
        fill=alt.Fill(f"{field}:N", scale=build_category_scale(colours), legend=below),
    )  # fmt: skip
    return drawn


def merge_cells(shades: NDArray[np.int64], x: Floats, y: Floats, overlap: float) -> pd.DataFrame:
    """Return cells beside each other of one shade as one rectangle: x, x2, y, y2, shade.

    `shades` [y, x] are numbers, -1 where nothing is drawn; `x` and `y` are the cells' edges. Each reaches `overlap` the
    next ones by so many cells, which are painted later, so that no seam shows.
    """
    rows = []
    for row, line in enumerate(shades):
        top = min(y[row + 1] + overlap * (y[1] - y[0]), y[-1])
        for start, end in pairwise([0, *(np.flatnonzero(np.diff(line)) + 1), len(line)]):
            if line[start] >= 0:
                rows.append((x[start], min(x[end] + overlap * (x[1] - x[0]), x[-1]), y[row], top, line[start]))
    return pd.DataFrame(rows, columns=["x", "x2", "y", "y2", "shade"])


def name_shades(edges: Floats, word: str) -> list[str]:
    """Return what each shade reaches to (or from: `word`), in as many digits as tell the shades apart."""
    for digits in range(2, 7):
        names = [f"{word} {format_number(float(end), digits)}" for end in edges]
        if len(set(names)) == len(names):
            return names
    return [f"step {i + 1}" for i in range(len(edges))]
