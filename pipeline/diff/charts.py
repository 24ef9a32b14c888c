"""The charts of a comparison: the winners by seed, their differences, and the effects of what was searched."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.diff.answer import DiffAnswer
from thalweg.diff.study import Study
from thalweg.reporting.page.figures import AltairChart, Chart
from thalweg.reporting.page.marks import build_category_scale, build_layer, build_tooltip
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.text import format_count
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import t_interval

COLOURS = {"A": PAINT["baseline"], "B": PAINT["winner"]}
ROW_HEIGHT = 46
"""Pixels of a parameter: two bars."""


def build_winners_chart(a: Study, b: Study, answer: DiffAnswer) -> Chart | None:
    """Draw both winners by seed; None if they cannot be compared."""
    if answer.difference is None:
        return None
    rows = []
    for study, side, role in ((a, answer.a, "baseline"), (b, answer.b, "winner")):
        values, wide = _list_values(study), side.winner.interval if side.winner else None
        rows.append(StripRow(study.name, "", role, values, t_interval(values), wide))
    caption = "Small dots: seeds. Large dots: their means. Bars: 95 % intervals over seeds alone; thin bars: over "
    caption += "seeds and examples, corrected for the choice of the winner."
    return build_strip_chart("beside", "Both winners", caption, answer.metric, rows)


def build_differences_chart(a: Study, b: Study, answer: DiffAnswer) -> Chart | None:
    """Draw B less A by seed; None if the studies share no seeds."""
    difference = answer.difference
    if difference is None or not difference.paired:
        return None
    values = (_list_values(b) - _list_values(a)).dropna()
    wide = Interval(difference.mean, difference.low, difference.high, difference.seeds_a)
    row = StripRow("B − A", "", "winner", values, t_interval(values), wide)
    side = "left" if answer.minimize else "right"
    caption = f"From {format_count(len(values), 'pair')} of one seed. The upright line is A: {side} of it B is better. "
    caption += "The thin bar is the interval of the verdict."
    title, axis = "Difference seed by seed", f"difference in {answer.metric}"
    return build_strip_chart("difference", title, caption, axis, [row], has_zero_line=True)


def _list_values(study: Study) -> pd.Series:
    assert study.judged is not None
    return pd.Series(study.judged.values.by_seed, index=list(study.judged.seeds), dtype=float)


def build_effects_chart(answer: DiffAnswer) -> Chart | None:
    """Draw how much each parameter mattered in both studies; None if that is not known, or in two different metrics."""
    rows = [
        {"parameter": pair.name, "study": name, "mean": effect.difference, "low": effect.low, "high": effect.high}
        for pair in answer.parameters
        for name, effect in (("A", pair.effect_a), ("B", pair.effect_b))
        if effect is not None
    ]
    if not rows or not answer.metric:
        return None
    table = pd.DataFrame(rows)
    names = list(dict.fromkeys(table["parameter"]))
    shown = "; ".join(f"{row['parameter']} in {row['study']} {row['mean']:.3g}" for row in rows)
    title = f"Effect of each setting on {answer.metric}"
    caption = "From the worst third of a range, or the worst choice, to the best. Thin bars: the 95 % intervals."
    draw = partial(_plot_effects, names, answer.metric)
    return Chart("effects", title, caption, f"{title}. {shown}.", {"effects": table}, draw)


def _plot_effects(names: list[str], metric: str) -> AltairChart:
    effects, across = build_layer("effects"), alt.Axis(title=metric, tickCount=5, grid=True)
    last = "split(datum.label, '.')[length(split(datum.label, '.')) - 1]"
    place = {
        "y": alt.Y("parameter:N", sort=names, title=None, axis=alt.Axis(labelExpr=last, labelLimit=140)),
        "yOffset": alt.YOffset("study:N", sort=["A", "B"]),
    }
    tips = ["parameter:N", "study:N", *(build_tooltip(name) for name in ("mean", "low", "high"))]
    bars = effects.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("mean:Q", axis=across),
        color=alt.Color("study:N", scale=build_category_scale(COLOURS)),
        tooltip=tips,
        **place,
    )
    ends = effects.mark_rule(color=PAINT["ink"], strokeWidth=1.4)
    return alt.layer(bars, ends.encode(x=alt.X("low:Q", axis=across), x2="high:Q", **place)).properties(
        height=ROW_HEIGHT * len(names)
    )
