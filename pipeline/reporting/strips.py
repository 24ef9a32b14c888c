"""Rows of values, a small dot for each seed, with their mean and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import altair as alt
import pandas as pd

from pipeline.reporting.charts import Chart, Drawing, source
from pipeline.reporting.findings import Interval
from pipeline.reporting.theme import PAINT
from pipeline.reporting.words import number, span

ROLES = {"winner": PAINT["winner"], "runner-up": PAINT["plain"], "baseline": PAINT["baseline"]}


@dataclass(frozen=True)
class Row:
    """One row: two lines of label, a role for its colour, values by seed, their mean over seeds.

    `wide` is the interval for other seeds and other groups of examples at once, where it is known.
    """

    name: str
    below: str
    role: str
    values: pd.Series
    mean: Interval | None
    wide: Interval | None = None

    @property
    def label(self) -> str:
        return f"{self.name}|{self.below}" if self.below else self.name

    def told(self) -> str:
        who = f"{self.name} ({self.below})" if self.below else self.name
        if (shown := self.wide or self.mean) and shown.n > 1:
            return f"{who} {span(shown.mean, shown.low, shown.high)}"
        return f"{who} {number(self.mean.mean if self.mean else self.values.mean())}"


def strip(
    name: str, title: str, caption: str, axis: str, rows: Sequence[Row], zero: bool = False, half: bool = True
) -> Chart:
    """A chart of rows; `zero` draws the baseline as a line where values are differences from it."""
    points = [
        {"row": row.label, "role": row.role, "seed": seed, "value": value}
        for row in rows
        for seed, value in row.values.dropna().sort_index().items()
    ]
    bars = [
        {"row": row.label, "role": row.role, "mean": m.mean, "low": m.low, "high": m.high, "seeds": m.n}
        for row in rows
        if (m := row.mean)
    ]
    return Chart(
        name,
        title,
        caption,
        f"{title}. Means with 95 % intervals: {'; '.join(row.told() for row in rows)}.",
        {
            "points": pd.DataFrame(points, columns=["row", "role", "seed", "value"]),
            "bars": pd.DataFrame(bars, columns=["row", "role", "mean", "low", "high", "seeds"]),
            "wide": pd.DataFrame(
                [{"row": row.label, "role": row.role, "low": w.low, "high": w.high} for row in rows if (w := row.wide)]
            ),
            "zero": pd.DataFrame({"value": [0.0] if zero else []}),
        },
        partial(_draw, [row.label for row in rows], zero, axis),
        half,
    )


def _draw(rows: list[str], zero: bool, axis: str) -> Drawing:
    color = alt.Color("role:N", legend=None, scale=alt.Scale(domain=list(ROLES), range=list(ROLES.values())))
    across = alt.Axis(title=axis, tickCount=5, grid=True)
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=110))
    x = alt.X("value:Q", scale=alt.Scale(zero=False, nice=True, padding=8), axis=across)
    seeds = (
        alt.Chart(source("points"))
        .mark_point(size=22, opacity=0.45, yOffset=9)
        .encode(x=x, y=y, color=color, tooltip=["seed:O", alt.Tooltip("value:Q", format=".4~g")])
    )
    bars = (
        alt.Chart(source("bars"))
        .mark_rule(strokeWidth=4, yOffset=-5)
        .encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y, color=color)
    )
    means = (
        alt.Chart(source("bars"))
        .mark_point(size=110, yOffset=-5)
        .encode(
            x=alt.X("mean:Q", axis=across),
            y=y,
            color=color,
            tooltip=[alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("mean", "low", "high", "seeds")],
        )
    )
    wide = (
        alt.Chart(source("wide"))
        .mark_rule(strokeWidth=1.2, yOffset=-5)
        .encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y, color=color)
    )
    layers = [wide, bars, means, seeds]
    if zero:
        line = alt.Chart(source("zero")).mark_rule(strokeWidth=1.5, color=PAINT["baseline"])
        layers.insert(0, line.encode(x=alt.X("value:Q", axis=across)))
    return alt.layer(*layers).properties(height=58 * len(rows))
