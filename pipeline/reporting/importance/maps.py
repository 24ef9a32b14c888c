"""The objective over two parameters at once: a smooth surface with the trials on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.importance.levels import Levels
from thalweg.reporting.page.charts import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import role_marks, role_of, window
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.region import position, value_at
from thalweg.reporting.tables import Tables
from thalweg.reporting.words import label, many, number

Floats = NDArray[np.float64]

CELLS = 28
SHADES = 5
FINER = 1.5
LEAST = 12
NEAR = 1.25
TOLD = 0.1
"""Cells a side; shades, and the power of their spacing; trials at least; drawn within so many windows of a trial; the
share of the differences that a surface must foretell."""
WIDTHS = tuple(0.04 * 1.3**step for step in range(11))
"""Widths of the window that are tried, as shares of the ranges."""


@dataclass(frozen=True)
class Surface:
    """Gaussian-kernel regression (Nadaraya 1964, Watson 1964) of values [n] at places [n, 2] in the unit square.

    - `width` is the window's standard deviation, of `WIDTHS` the one with the least error where each trial in turn is
      foretold by the others.
    - `explained` is the share of the values' variance that is foretold so; 0 or less: no better than their mean.
    - `log`: the values are logarithms.
    """

    at: Floats
    values: Floats
    width: float
    explained: float
    log: bool = False

    def __call__(self, places: Floats) -> Floats:
        """The surface at places [m, 2]."""
        weight = np.exp(-_squares(places, self.at) / (2 * self.width**2))
        smooth: Floats = weight @ self.values / np.maximum(weight.sum(1), 1e-300)
        return smooth

    def near(self, places: Floats) -> NDArray[np.bool_]:
        """Which of places [m, 2] have a trial within the window's width."""
        close: NDArray[np.bool_] = _squares(places, self.at).min(1) <= (NEAR * self.width) ** 2
        return close


def _squares(places: Floats, others: Floats) -> Floats:
    along, up = (places[:, i, None] - others[None, :, i] for i in (0, 1))
    apart: Floats = along**2 + up**2
    return apart


def smoothed(at: Floats, values: Floats) -> Surface:
    """The surface with the window that foretells best."""
    apart, total = _squares(at, at), len(values)
    mean = (values.sum() - values) / (total - 1)
    chance = float(((values - mean) ** 2).mean())
    errors = []
    for width in WIDTHS:
        weight = np.exp(-apart / (2 * width**2))
        np.fill_diagonal(weight, 0.0)
        sums = weight.sum(1)
        # where no other trial is near enough to count there is nothing but their mean
        told = np.where(sums > 1e-12, weight @ values / np.maximum(sums, 1e-300), mean)
        errors.append(float(((values - told) ** 2).mean()))
    best = int(np.argmin(errors))
    return Surface(at, values, WIDTHS[best], 1 - errors[best] / chance if chance > 0 else 0.0)


def both(
    tables: Tables, found: Levels, across: Mapping[str, Any], up: Mapping[str, Any]
) -> tuple[pd.DataFrame, Floats, Floats]:
    """The trials that have both parameters, their places [n, 2] in the unit square, and their values [n].

    Values far out are brought to the edge of what is worth drawing; what diverged or broke a limit has none.
    """
    trials = tables.trials[tables.trials["number"].isin(found.values.index)]
    trials = trials.dropna(subset=[across["name"], up["name"]]).sort_values("number")
    values = found.values.reindex(trials["number"])
    seen = window(values, tables.sign)
    at = np.stack([position(trials[one["name"]], one).to_numpy(np.float64) for one in (across, up)], 1)
    return trials, at, values.clip(seen.low, seen.high).to_numpy(np.float64)


def surface_of(tables: Tables, found: Levels, across: Mapping[str, Any], up: Mapping[str, Any]) -> Surface | None:
    """The surface over two numeric parameters; None where it takes more trials, or foretells hardly anything."""
    _, at, values = both(tables, found, across, up)
    if len(values) < LEAST or not np.isfinite(values).any():
        return None
    seen = window(pd.Series(values), tables.sign)
    placed = seen.place(pd.Series(values), tables.sign).to_numpy(np.float64)
    surface = smoothed(at, np.log(placed) if seen.log else placed)
    return replace(surface, log=seen.log) if surface.explained >= TOLD else None


def maps(tables: Tables, found: Levels, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[Figure]:
    """One map a pair of numeric parameters."""
    return [_map(tables, found, index, *pair) for index, pair in enumerate(pairs)]


def _map(tables: Tables, found: Levels, index: int, across: Mapping[str, Any], up: Mapping[str, Any]) -> Figure:
    name, title = f"map-{index}", f"{across['name']} and {up['name']}"
    trials, at, _ = both(tables, found, across, up)
    surface = surface_of(tables, found, across, up)
    if surface is None:
        few = f"Only {many(len(trials), 'trial')} have both parameters: too few to smooth over."
        flat = (
            "Over these two the trials differ as if by chance: no smooth surface foretells so much as a tenth of the "
        )
        return Blank(name, title, few if len(trials) < LEAST else f"{flat}differences.", half=True)
    if _astray(surface, at, trials["number"] == tables.winner, tables.sign):
        reason = "A smooth surface over these two leads astray: the winner lies where it is worse than at half of the "
        return Blank(name, title, f"{reason}trials.", half=True)
    cells, shades = _cells(surface, across, up, tables.sign)
    points = pd.DataFrame(
        {
            "trial": trials["number"],
            "role": role_of(trials, tables.winner),
            "value": found.values.reindex(trials["number"]).to_numpy(),
            "x": trials[across["name"]].astype(float),
            "y": trials[up["name"]].astype(float),
        }
    ).sort_values("role", key=lambda role: role == "winner", kind="stable")
    caption = (
        f"{label(tables.objective).capitalize()} {found.when()}, smoothed over {many(len(trials), 'trial')}: the "
        f"stronger, the better. The window is {100 * surface.width:.0f} % of each range; where each trial in turn is "
        f"left out, the surface foretells {100 * surface.explained:.0f} % of the differences. Empty: no trial is near."
    )
    best = at[int(np.argmin(surface(at) * tables.sign))]
    spot = [number(value_at(float(share), one), 2) for one, share in zip((across, up), best, strict=True)]
    spoken = f"{title}: the smoothed {label(tables.objective)} is best near {spot[0]} and {spot[1]}."
    draw = partial(_draw, across, up, shades, points["role"].tolist(), index == 0)
    return Chart(name, title, caption, spoken, {"cells": cells, "points": points}, draw, half=True)


def _astray(surface: Surface, at: Floats, winner: pd.Series, sign: int) -> bool:
    """Whether a surface is worse at the winner's place than at half of the trials' places [n, 2]."""
    values = surface(at) * sign
    return bool((values[winner.to_numpy()] > np.median(values)).any())


def _cells(
    surface: Surface, across: Mapping[str, Any], up: Mapping[str, Any], sign: int
) -> tuple[pd.DataFrame, list[str]]:
    """Rectangles of one shade, cells beside each other as one, and the shades' names, best first."""
    edges = np.linspace(0, 1, CELLS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    places = np.stack(np.meshgrid(middle, middle), -1).reshape(-1, 2)
    values, near = surface(places), surface.near(places)
    # finer towards the best, which is what one looks for
    steps = np.linspace(0, 1, SHADES + 1) ** FINER
    low, high = values[near].min(), values[near].max()
    ends = low + (high - low) * steps if sign > 0 else (high - (high - low) * steps)[::-1]
    shade = np.clip(np.digitize(values, ends[1:-1]), 0, SHADES - 1)
    if sign < 0:
        shade, ends = SHADES - 1 - shade, ends[::-1]
    names = _names(np.exp(ends) if surface.log else ends, sign)
    rows = []
    grid = np.where(near, shade, -1).reshape(CELLS, CELLS)
    over = 0.08 / CELLS  # a little over the next cells, which are painted later, so that no seam shows
    for row, line in enumerate(grid):
        starts = [0, *(np.flatnonzero(np.diff(line)) + 1).tolist(), CELLS]
        for start, end in pairwise(starts):
            if line[start] >= 0:
                corners = (edges[start], min(edges[end] + over, 1), edges[row], min(edges[row + 1] + over, 1))
                axes = (across, across, up, up)
                x, x2, y, y2 = (value_at(float(share), one) for one, share in zip(axes, corners, strict=True))
                rows.append({"x": x, "x2": x2, "y": y, "y2": y2, "shade": names[line[start]]})
    return pd.DataFrame(rows), names


def _names(ends: Floats, sign: int) -> list[str]:
    """What each shade reaches to, in as many digits as tell them apart."""
    for digits in range(2, 7):
        names = [f"{'to' if sign > 0 else 'from'} {number(float(end), digits)}" for end in ends[1:]]
        if len(set(names)) == len(names):
            break
    return list(dict.fromkeys(names)) if len(set(names)) == len(names) else [f"step {i + 1}" for i in range(SHADES)]


def _axis(parameter: Mapping[str, Any]) -> dict[str, Any]:
    kind = {"type": "log"} if parameter.get("log") else {"zero": False}
    scale = alt.Scale(domain=[parameter["low"], parameter["high"]], nice=False, padding=6, **kind)
    return {"scale": scale, "axis": alt.Axis(title=None, tickCount=4, format=".6~g", labelOverlap=True, grid=False)}


def _draw(
    across: Mapping[str, Any], up: Mapping[str, Any], shades: list[str], roles: list[str], legend: bool
) -> Drawing:
    paint = [PAINT[f"step{SHADES - place}"] for place in range(SHADES)]
    below = alt.Legend(orient="bottom", symbolType="square", symbolSize=110, columns=SHADES, columnPadding=10)
    cells = (
        alt.Chart(source("cells"))
        .mark_rect()
        .encode(
            x=alt.X("x:Q", **_axis(across)),
            x2="x2:Q",
            y=alt.Y("y:Q", **_axis(up)),
            y2="y2:Q",
            fill=alt.Fill("shade:N", scale=alt.Scale(domain=shades, range=paint), legend=below),
        )
    )
    trials = (
        alt.Chart(source("points"))
        .mark_point(stroke=PAINT["paper"], strokeWidth=0.8)
        .encode(
            x=alt.X("x:Q", **_axis(across)),
            y=alt.Y("y:Q", **_axis(up)),
            tooltip=[
                "trial:Q",
                "role:N",
                alt.Tooltip("value:Q", format=".4~g"),
                alt.Tooltip("x:Q", title="across", format=".4~g"),
                alt.Tooltip("y:Q", title="up", format=".4~g"),
            ],
            **role_marks(roles, len(roles), legend),
        )
    )
    named = alt.TitleParams(text=f"{up['name']} against {across['name']}")
    return alt.layer(cells, trials).properties(height=280, title=named)
