"""How values and trials are drawn alike in every chart: ranges worth drawing, axes, headings, marks of roles."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.window import Window
from thalweg.reporting.page.theme import BAR, CROSS, PAINT


def heading(text: str) -> alt.TitleParams:
    """What the vertical axis shows, written flat above it."""
    return alt.TitleParams(text=text)


def window_heading(window: Window, text: str) -> alt.TitleParams:
    """What the vertical axis shows, and that it is a log axis where it is one."""
    return heading(f"{text}, log scale" if window.log else text)


def window_scale(window: Window) -> alt.Scale:
    """A scale that ends where the window does."""
    if window.log:
        return alt.Scale(type="log", domain=[window.low, window.high], nice=False)
    return alt.Scale(domain=[window.low, window.high], nice=False, zero=False)


def window_axis(window: Window) -> alt.Axis:
    """An axis with a few round values."""
    if not window.log:
        return alt.Axis(tickCount=5, title=None)
    return alt.Axis(values=window.ticks(), format=".6~g", title=None)


def whole_axis() -> alt.Axis:
    """An axis of whole numbers: a short one has ticks between them, whatever the smallest step asked for."""
    return alt.Axis(tickMinStep=1, format="d", labelExpr="datum.value == floor(datum.value) ? datum.label : ''")


MANY = 300
"""Trials above which the marks are small."""

ROLES = ("winner", "complete", "stopped", "diverged")


def role_of(trials: pd.DataFrame, winner: int | None) -> pd.Series:
    """winner, complete, stopped or diverged, for each trial."""
    named = trials["state"].replace({"pruned": "stopped", "infeasible": "stopped"})
    return named.mask(trials["number"] == winner, "winner")


def role_marks(present: Sequence[str], count: int, named: bool = True) -> dict[str, Any]:
    """Colour, shape and size of the roles that are there, never colour alone; `named` gives them a legend."""
    domain = [role for role in ROLES if role in set(present)]
    paint = {"winner": "winner", "complete": "plain", "stopped": "faint", "diverged": "diverged"}
    shape = {"winner": "circle", "complete": "circle", "stopped": BAR, "diverged": CROSS}
    legend = alt.Legend() if named else None

    def scale(values: list[Any]) -> alt.Scale:
        return alt.Scale(domain=domain, range=values)

    return {
        "color": alt.Color("role:N", legend=legend, scale=scale([PAINT[paint[role]] for role in domain])),
        "shape": alt.Shape("role:N", legend=legend, scale=scale([shape[role] for role in domain])),
        "size": alt.condition("datum.role === 'winner'", alt.value(150), alt.value(54 if count <= MANY else 16)),
    }
