"""How trade-offs are drawn: one objective against another, and how much the front covers so far."""

from typing import Literal

import altair as alt

from thalweg.reporting.analysis.window import Window
from thalweg.reporting.page.figures import Drawing, source
from thalweg.reporting.page.scales import heading, window_axis, window_heading, window_scale
from thalweg.reporting.page.theme import PAINT


def marks(across: Window, up: Window, one: str, two: str, sign: int) -> Drawing:
    """One objective against another.

    The `sign` of the first objective says on which side of a mark lies what it beats: there the steps go.
    """
    ticks = window_axis(across)
    ticks["title"] = one
    x, y = (
        alt.X("x:Q", scale=window_scale(across), axis=ticks),
        alt.Y("y:Q", scale=window_scale(up), axis=window_axis(up)),
    )
    tips = ["trial:Q", alt.Tooltip("one:Q", title=one, format=".4~g"), alt.Tooltip("two:Q", title=two, format=".4~g")]
    rest = alt.Chart(source("points")).mark_point(color=PAINT["faint"], size=44)
    best = alt.Chart(source("best"))
    side: Literal["step-after", "step-before"] = "step-after" if sign > 0 else "step-before"
    steps = best.mark_line(color=PAINT["winner"], strokeWidth=1.2, interpolate=side, opacity=0.7)
    heads = best.mark_point(color=PAINT["winner"], size=90, shape="diamond")
    bars = alt.Chart(source("bars"))
    flat = bars.mark_rule(color=PAINT["winner"], opacity=0.6).encode(
        x=alt.X("x_low:Q", scale=window_scale(across), axis=ticks), x2="x_high:Q", y=y
    )
    tall = bars.mark_rule(color=PAINT["winner"], opacity=0.6).encode(
        x=x, y=alt.Y("y_low:Q", scale=window_scale(up), axis=window_axis(up)), y2="y_high:Q"
    )
    return alt.layer(
        rest.encode(x=x, y=y, tooltip=tips),
        steps.encode(x=x, y=y, order=alt.Order("one:Q")),
        flat,
        tall,
        heads.encode(x=x, y=y, tooltip=tips),
    ).properties(height=300, title=window_heading(up, two))


def growth() -> Drawing:
    """The share covered by trial."""
    y = alt.Y("volume:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=3))
    line: alt.Chart = alt.Chart(source("volume")).mark_line(
        color=PAINT["winner"], interpolate="step-after", strokeWidth=1.8
    )
    return line.encode(
        x=alt.X("trial:Q", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        y=y,
        tooltip=["trial:Q", alt.Tooltip("volume:Q", format=".1%")],
    ).properties(height=160, title=heading("share covered"))
