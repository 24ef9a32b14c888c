"""Performance profiles: which share of a candidate's runs is at least as good as a value."""

from functools import partial
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.page.figures import Chart, Drawing
from thalweg.reporting.page.marks import heading, layer, scale_kinds, tips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.text import many
from thalweg.stats.samples import profile

MARKED = {"winner": [1, 0], "baseline": [8, 3]}
"""With a colour and a band of their own, and their dashes."""
DASHES = ([2, 3], [7, 2, 2, 2], [4, 3], [9, 4], [1, 2], [12, 3, 3, 3])


def profiles(values: dict[str, pd.Series], sign: int, axis: str, part: str) -> Chart:
    """Profiles of candidates by name [runs], best first; `sign` 1: smaller is better."""
    whole = np.concatenate([each.to_numpy() for each in values.values()])
    low, high = float(whole.min()), float(whole.max())
    room = 0.03 * (high - low) or 0.03 * abs(high) or 1.0
    ends = (low - room, high + room)
    lines = pd.concat([_steps(each, sign, ends).assign(candidate=name) for name, each in values.items()])
    caption = (
        f"Read: which share of a candidate's runs has {axis} at least as good as here. A line further to the "
        f"{'left' if sign > 0 else 'right'} is better; lines that cross take turns. Bands of winner and baseline: at "
        "each value by itself they hold the share of all possible seeds in 95 % of studies."
    )
    runs = many(min(len(each) for each in values.values()), "run")
    halves = {name: profile(each, sign).value[(len(each) - 1) // 2] for name, each in values.items()}
    spoken = (
        f"Performance profiles of {len(values)} candidates with {runs} or more each on {part}. "
        f"Half of the runs reach: {'; '.join(f'{name} {half:.4g}' for name, half in halves.items())}."
    )
    data = {"lines": lines[["candidate", "value", "share"]], "bands": lines[lines["candidate"].isin(list(MARKED))]}
    draw = partial(_draw, list(values), axis, "step-after" if sign > 0 else "step-before")
    return Chart("profiles", "Performance profiles", caption, spoken, data, draw)


def _steps(values: pd.Series, sign: int, ends: tuple[float, float]) -> pd.DataFrame:
    """A profile as points to be joined by steps, by value, from one end of the axis to the other."""
    known = profile(values, sign)
    table = pd.DataFrame({"value": known.value, "share": known.share, "low": known.low, "high": known.high})
    table = table.drop_duplicates("value", keep="last")
    best, worst = ends if sign > 0 else ends[::-1]
    # none of n is as far from nothing as all of n from everything
    none = pd.DataFrame({"value": [best], "share": [0.0], "low": [0.0], "high": [1 - float(known.low[-1])]})
    whole = pd.concat([none, table, table.tail(1).assign(value=worst)], ignore_index=True)
    return whole if sign > 0 else whole.iloc[::-1]


def _draw(names: list[str], axis: str, step: Literal["step-after", "step-before"]) -> Drawing:
    others = [name for name in names if name not in MARKED]
    dashes = MARKED | {name: DASHES[place % len(DASHES)] for place, name in enumerate(others)}
    legend = alt.Legend(columns=2, symbolType="stroke", symbolOpacity=1, symbolSize=400, symbolStrokeWidth=2)
    paints = scale_kinds({name: PAINT[name if name in MARKED else "plain"] for name in names})
    dash = alt.StrokeDash("candidate:N", legend=legend, scale=scale_kinds({name: dashes[name] for name in names}))
    color = alt.Color("candidate:N", legend=legend, scale=paints)
    x = alt.X("value:Q", title=axis, scale=alt.Scale(zero=False, nice=False, padding=8), axis=alt.Axis(tickCount=6))
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    bands = layer("bands").mark_area(interpolate=step, opacity=0.13)
    lines = layer("lines").mark_line(interpolate=step, strokeWidth=2)
    drawn = alt.layer(
        bands.encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q", color=color),
        lines.encode(x=x, y=y, color=color, strokeDash=dash,
                     tooltip=["candidate:N", *tips(".4~g", "value"), *tips(".0%", "share")]),
    )  # fmt: skip
    return drawn.properties(height=260, title=heading("share of runs at least as good"))
