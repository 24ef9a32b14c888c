"""Groups of examples that are alike, and those on which the winner is wrong more than on the others."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.groups import MIN_ERROR_RATIO, compute_group_errors, find_outlier_groups
from thalweg.reporting.finding import Finding, Tone
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_category_scale, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, join_items

MAX_DRAWN_GROUPS = 24
"""At most so many groups are drawn."""


def build_findings(tables: StudyTables) -> list[Finding]:
    """The groups on which the winner is wrong more than on the others, if there are any."""
    table = _build_group_errors(tables)
    out = find_outlier_groups(table)
    if out.empty:
        return []
    first, names = out.iloc[0], join_items(out["group"].tolist(), 5)
    evidence = f"The worst is {first['group']}. " if len(out) > 1 else ""
    evidence += (
        f"Its {_name_error_measure(tables)} is {format_number(first['mean'])} over {format_count(int(first['examples']), 'example')}, "
        f"{format_number(first['ratio'], 2)} times that of the other {len(table) - 1} groups "
        f"({format_number(first['from_ratio'], 2)} to {format_number(first['to_ratio'], 2)}); by the spread of the others none of "
        f"{len(table)} groups would be so far apart in 95 of 100 studies."
    )
    step = f"Look at pictures and labels of {first['group']}, and at how it differs from what train holds."
    verdict = f"Group {names} stands" if len(out) == 1 else f"Groups {names} stand"
    tone: Tone = "caution" if first["from_ratio"] >= MIN_ERROR_RATIO else "plain"
    return [Finding(f"{verdict} out with large errors.", evidence, step, tone=tone)]


def build_figures(tables: StudyTables) -> list[Figure]:
    """The mean error of each group with its interval, the worst first; none where there are too few groups."""
    table = _build_group_errors(tables)
    if table.empty:
        return []
    out = set(find_outlier_groups(table)["group"])
    drawn = table.head(MAX_DRAWN_GROUPS).drop(columns="spread")
    drawn["standing"] = drawn["group"].isin(out).map({True: "stands out", False: "as the others"})
    measure = _name_error_measure(tables).capitalize()
    caption = (
        f"{measure} of each group with its 95 % interval over its examples, the worst first. The line is the mean."
    )
    if len(table) > MAX_DRAWN_GROUPS:
        caption += f" The worst {MAX_DRAWN_GROUPS} of {len(table):,} groups."
    if out:
        caption += " Diamonds stand out from the spread of the others."
    spoken = f"{measure} of {format_count(len(table), 'group')}, from {format_number(table['mean'].max())} to "
    spoken += f"{format_number(table['mean'].min())}; {join_items(sorted(out))} stands out."
    mean = pd.DataFrame({"mean": [float(tables.predictions["error"].abs().mean())]})
    draw = partial(_plot_groups, drawn["group"].tolist(), _name_error_measure(tables))
    return [Chart("groups", "Error by group", caption, spoken, {"groups": drawn, "mean": mean}, draw)]


def _build_group_errors(tables: StudyTables) -> pd.DataFrame:
    known = len(tables.predictions) and "error" in tables.predictions
    return compute_group_errors(tables.predictions) if known else pd.DataFrame(columns=["group", "mean"])


def _name_error_measure(tables: StudyTables) -> str:
    """What a group is judged by: the size of its errors, not their lean."""
    return "mean absolute error" if tables.has_number_outputs else "mean error"


def _plot_groups(names: list[str], measure: str) -> AltairChart:
    y = alt.Y("group:N", sort=names, title=None, axis=alt.Axis(labelLimit=150))
    across = alt.Axis(title=measure, tickCount=5, grid=True, format=".6~g")
    low, mean = (alt.X(f"{n}:Q", axis=across, scale=alt.Scale(zero=True, nice=True)) for n in ("low", "mean"))
    paints = build_category_scale({"stands out": PAINT["ink"], "as the others": PAINT["plain"]})
    shapes = build_category_scale({"stands out": "diamond", "as the others": "circle"})
    base = build_layer("groups").encode(y=y, color=alt.Color("standing:N", legend=None, scale=paints))
    bars = base.mark_rule(strokeWidth=2).encode(x=low, x2="high:Q")
    dots = base.mark_point(size=80).encode(
        x=mean,
        shape=alt.Shape("standing:N", legend=None, scale=shapes),
        tooltip=["group:N", "standing:N", "examples:Q", *build_tooltips(".3~g", "mean", "low", "high")],
    )
    line = build_layer("mean").mark_rule(color=PAINT["quiet"], strokeDash=[5, 4]).encode(x=mean)
    return alt.layer(line, bars, dots).properties(height=22 * len(names))
