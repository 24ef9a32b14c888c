"""Strip charts: rows of values by seed, each with its mean and interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.page.figures import AltairChart, Chart
from thalweg.reporting.page.marks import build_category_scale, build_layer, build_tooltip, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.text import format_interval, format_number
from thalweg.stats.interval import Interval

ROLE_COLOURS = {"winner": PAINT["winner"], "runner-up": PAINT["plain"], "baseline": PAINT["baseline"]}
INTERVAL_STROKES = {"seeds alone": 4.0, "seeds and examples": 1.2}
"""Sources of variation in an interval, and its stroke width in pixels."""

ROW_HEIGHT = 35
"""Pixels of a row: its label has two lines."""


@dataclass(frozen=True)
class StripRow:
    """A row: a label of two lines, a role for its colour, values by seed, the interval of their mean over seeds.

    `wide_interval` holds for other seeds and other groups of examples at once, if known; `unit` names the index of the
    values.
    """

    name: str
    second_line: str
    role: str
    values: pd.Series
    seed_interval: Interval | None
    wide_interval: Interval | None = None
    unit: str = "seed"
    trial: int | None = None

    @property
    def label(self) -> str:
        return f"{self.name}\n{self.second_line}" if self.second_line else self.name

    def describe_row(self, with_scope: bool) -> str:
        """Describe the row; `with_scope` says where an interval holds for seeds alone."""
        notes = dict.fromkeys(["" if self.trial is None else f"trial {self.trial}", self.second_line])
        note = ", ".join(filter(None, notes))
        label = f"{self.name} ({note})" if note else self.name
        if (interval := self.wide_interval or self.seed_interval) and interval.n > 1:
            scope = ", over seeds alone" if with_scope and self.wide_interval is None else ""
            return f"{label} {format_interval(interval.mean, interval.low, interval.high)}{scope}"
        return f"{label} {format_number(self.seed_interval.mean if self.seed_interval else self.values.mean())}"


def build_strip_chart(
    name: str,
    title: str,
    caption: str,
    axis_title: str,
    rows: Sequence[StripRow],
    has_zero_line: bool = False,
    is_half_width: bool = True,
) -> Chart:
    """Build a chart of rows; `has_zero_line` draws the baseline at 0 if values are differences from it."""
    points: list[dict[str, Any]] = []
    bars: list[dict[str, Any]] = []
    wide_bars: list[dict[str, Any]] = []
    for row in rows:
        labels = {"row": row.label, "role": row.role, "trial": row.trial}
        values = row.values.dropna().sort_index()
        points += [labels | {"run": f"{row.unit} {run}", "value": value} for run, value in values.items()]
        for intervals, interval, scope in (
            (bars, row.seed_interval, "seeds alone"),
            (wide_bars, row.wide_interval, "seeds and examples"),
        ):
            if interval:
                ends = {"mean": interval.mean, "low": interval.low, "high": interval.high, "seeds": interval.n}
                intervals.append(labels | ends | {"over": scope})
    data = {
        "points": _build_strip_table(points, "run", "value"),
        "bars": _build_strip_table(bars, "mean", "low", "high", "seeds", "over"),
        "wide": _build_strip_table(wide_bars, "low", "high", "over"),
        "zero": pd.DataFrame({"value": [0.0] if has_zero_line else []}),
    }
    described = "; ".join(row.describe_row(bool(wide_bars)) for row in rows)
    means = "Means with 95 % intervals" if bars or wide_bars else "Values"
    description = f"{title}. {means}: {described}."
    draw = partial(_plot_strips, [row.label for row in rows], axis_title, bool(wide_bars))
    return Chart(name, title, caption, description, data, draw, is_half_width, decoration_tables=("zero",))


def _build_strip_table(rows: list[dict[str, Any]], *columns: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["row", "role", "trial", *columns]).astype({"trial": "Int64"})


def _plot_strips(rows: list[str], axis: str, has_wide: bool) -> AltairChart:
    lines = alt.Axis(labelExpr="split(datum.label, '\\n')", labelLimit=130)
    position = {
        "y": alt.Y("row:N", sort=rows, title=None, axis=lines),
        "color": alt.Color("role:N", legend=None, scale=build_category_scale(ROLE_COLOURS)),
    }
    low, mean = (alt.X(f"{field}:Q", axis=alt.Axis(title=axis, tickCount=5, grid=True)) for field in ("low", "mean"))
    value = alt.X("value:Q", axis=alt.Axis(title=axis, tickCount=5, grid=True))
    legend = alt.Legend(columns=1, symbolType="stroke", symbolSize=300, symbolStrokeColor=PAINT["plain"])
    shown_legend = legend if has_wide else None
    thickness = alt.StrokeWidth("over:O", scale=build_category_scale(INTERVAL_STROKES), legend=shown_legend)
    wide_bars, bars = (
        build_layer(name).mark_rule(yOffset=-5).encode(x=low, x2="high:Q", strokeWidth=thickness, **position)
        for name in ("wide", "bars")
    )
    means = build_layer("bars").mark_point(size=110, yOffset=-5)
    means = means.encode(x=mean, tooltip=build_tooltips(".4~g", "mean", "low", "high", "seeds"), **position)
    seeds = build_layer("points").mark_point(size=22, opacity=0.45, yOffset=9)
    fitted = value.scale(zero=False, nice=True, padding=8)
    seeds = seeds.encode(x=fitted, tooltip=["run:N", build_tooltip("value")], **position)
    line = build_layer("zero").mark_rule(strokeWidth=1.5, color=PAINT["baseline"]).encode(x=value)
    return alt.layer(line, wide_bars, bars, means, seeds).properties(height=ROW_HEIGHT * len(rows))
