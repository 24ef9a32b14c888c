"""How trade-offs are drawn: one objective against another, and how much the front covers so far."""

from typing import Literal

import altair as alt

from thalweg.reporting.analysis.window import Window
from thalweg.reporting.page.figures import Drawing
from thalweg.reporting.page.marks import heading, height, layer, tip, window_axis, window_heading, window_scale
from thalweg.reporting.page.theme import PAINT


def marks(across: Window, up: Window, one: str, two: str, sign: int) -> Drawing:
    """One objective against another.

    The `sign` of the first objective says on which side of a mark lies what it beats: there the steps go.
    """

    def x(field: str) -> alt.X:
        ticks = window_axis(across)
        ticks["title"] = one
        return alt.X(f"{field}:Q", scale=window_scale(across), axis=ticks)

    place, color = {"x": x("x"), "y": height(up, "y")}, PAINT["winner"]
    tips = ["trial:Q", tip("one", title=one), tip("two", title=two)]
    side: Literal["step-after", "step-before"] = "step-after" if sign > 0 else "step-before"
    steps = layer("best").mark_line(color=color, strokeWidth=1.2, interpolate=side, opacity=0.7)
    bars = layer("bars").mark_rule(color=color, opacity=0.6)
    return alt.layer(
        layer("points").mark_point(color=PAINT["faint"], size=44).encode(tooltip=tips, **place),
        steps.encode(order=alt.Order("one:Q"), **place),
        bars.encode(x=x("x_low"), x2="x_high:Q", y=height(up, "y")),
        bars.encode(x=x("x"), y=height(up, "y_low"), y2="y_high:Q"),
        layer("best").mark_point(color=color, size=90, shape="diamond").encode(tooltip=tips, **place),
    ).properties(height=300, title=window_heading(up, two))


def growth() -> Drawing:
    """The share covered by trial."""
    y = alt.Y("volume:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=3))
    line: alt.Chart = layer("volume").mark_line(color=PAINT["winner"], interpolate="step-after", strokeWidth=1.8)
    return line.encode(
        x=alt.X("trial:Q", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        y=y,
        tooltip=["trial:Q", tip("volume", ".1%")],
    ).properties(height=160, title=heading("share covered"))
