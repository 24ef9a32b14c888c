"""Groups of examples that are alike, and those on which the winner is wrong more than on the others."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.groups import CLEAR, DRAWN, by_group, standing_out
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, Drawing, Figure, source
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import listed, many, number


def findings(tables: StudyTables) -> list[Finding]:
    """The groups on which the winner is wrong more than on the others, if there are any."""
    if tables.predictions.empty or "error" not in tables.predictions:
        return []
    table = by_group(tables.predictions)
    out = standing_out(table)
    if out.empty:
        return []
    first = out.iloc[0]
    names = listed(out["group"].tolist(), 5)
    evidence = (
        f"Its {_measure(tables)} is {number(first['mean'])} over {many(int(first['examples']), 'example')}, "
        f"{number(first['ratio'], 2)} times that of the other {len(table) - 1} groups "
        f"({number(first['from_ratio'], 2)} to {number(first['to_ratio'], 2)}); by the spread of the others none of "
        f"{len(table)} groups would be so far apart in 95 of 100 studies."
    )
    if len(out) > 1:
        evidence = f"The worst is {first['group']}. {evidence}"
    verb = "stands" if len(out) == 1 else "stand"
    step = f"Look at pictures and labels of {first['group']}, and at how it differs from what train holds."
    verdict = f"{'Group' if len(out) == 1 else 'Groups'} {names} {verb} out with large errors."
    return [Finding(verdict, evidence, step, tone="caution" if first["from_ratio"] >= CLEAR else "plain")]


def charts(tables: StudyTables) -> list[Figure]:
    """The mean error of each group with its interval, the worst first; none where there are too few groups."""
    if tables.predictions.empty or "error" not in tables.predictions:
        return []
    table = by_group(tables.predictions)
    if table.empty:
        return []
    out = set(standing_out(table)["group"])
    drawn = table.head(DRAWN).drop(columns="spread")
    drawn["standing"] = drawn["group"].isin(out).map({True: "stands out", False: "as the others"})
    caption = (
        f"{_measure(tables).capitalize()} of each group with its 95 % interval over its examples, the worst first. "
    )
    caption += "The line is the mean."
    if len(table) > DRAWN:
        caption += f" The worst {DRAWN} of {len(table):,} groups."
    if out:
        caption += " Diamonds stand out from the spread of the others."
    spoken = f"{_measure(tables).capitalize()} of {many(len(table), 'group')}, from {number(table['mean'].max())} to "
    spoken += f"{number(table['mean'].min())}; {listed(sorted(out)) if out else 'none'} stands out."
    mean = pd.DataFrame({"mean": [float(tables.predictions["error"].abs().mean())]})
    draw = partial(_draw, drawn["group"].tolist(), _measure(tables))
    return [Chart("groups", "Error by group", caption, spoken, {"groups": drawn, "mean": mean}, draw)]


def _measure(tables: StudyTables) -> str:
    """What a group is judged by: the size of its errors, not their lean."""
    return "mean absolute error" if tables.numbers else "mean error"


def _draw(names: list[str], measure: str) -> Drawing:
    y = alt.Y("group:N", sort=names, title=None, axis=alt.Axis(labelLimit=150))
    across = alt.Axis(title=measure, tickCount=5, grid=True, format=".6~g")
    scale = alt.Scale(zero=True, nice=True)
    kinds = ["stands out", "as the others"]
    color = alt.Color("standing:N", legend=None, scale=alt.Scale(domain=kinds, range=[PAINT["ink"], PAINT["plain"]]))
    shape = alt.Shape("standing:N", legend=None, scale=alt.Scale(domain=kinds, range=["diamond", "circle"]))
    base = alt.Chart(source("groups")).encode(y=y, color=color)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=across, scale=scale), x2="high:Q")
    dots = base.mark_point(size=80).encode(
        x=alt.X("mean:Q", axis=across, scale=scale),
        shape=shape,
        tooltip=[
            "group:N",
            "standing:N",
            "examples:Q",
            *(alt.Tooltip(f"{n}:Q", format=".3~g") for n in ("mean", "low", "high")),
        ],
    )
    line = alt.Chart(source("mean")).mark_rule(color=PAINT["quiet"], strokeDash=[5, 4])
    return alt.layer(line.encode(x=alt.X("mean:Q", axis=across, scale=scale)), bars, dots).properties(
        height=22 * len(names)
    )
