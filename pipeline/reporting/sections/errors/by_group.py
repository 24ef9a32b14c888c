"""Errors by group of examples, and groups with much larger errors than the others."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.groups import (
    MIN_ERROR_RATIO,
    MIN_GROUP_EXAMPLES,
    assign_groups,
    compute_group_errors,
    find_outlier_groups,
)
from thalweg.reporting.finding import Finding, Tone, measure
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_category_scale, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_estimate, format_number, join_items
from thalweg.stats.interval import Interval

MAX_DRAWN_GROUPS = 24
"""Groups in the chart, at most."""


def build_findings(tables: StudyTables) -> list[Finding]:
    """Report the groups whose errors are larger than those of the others."""
    table = _build_group_errors(tables)
    outliers = find_outlier_groups(table)
    if outliers.empty:
        return []
    worst, names = outliers.iloc[0], join_items(outliers["group"].tolist(), 5)
    evidence = f"The worst is {worst['group']}. " if len(outliers) > 1 else ""
    ratio, low, high = (format_number(worst[name], 2) for name in ("ratio", "from_ratio", "to_ratio"))
    evidence += (
        f"Its {_name_error_measure(tables)} is {format_number(worst['mean'])} over "
        f"{format_count(int(worst['examples']), 'example')}. Its ratio to the other {len(table) - 1} groups"
        f"{_describe_large_groups(tables, table)} is {format_estimate(ratio, low, high)}. Given how much the others "
        f"differ, chance alone puts one of {len(table)} groups so far off in fewer than 5 of 100 studies."
    )
    step = f"Look at the pictures and labels of {worst['group']}, and at how it differs from the training set."
    verdict = f"Group {names} stands" if len(outliers) == 1 else f"Groups {names} stand"
    ends = (float(worst["ratio"]), float(worst["from_ratio"]), float(worst["to_ratio"]))
    measured = measure({"ratio": Interval(*ends, len(table))}, mean_error=float(worst["mean"]))
    tone: Tone = "caution" if worst["from_ratio"] >= MIN_ERROR_RATIO else "plain"
    return [Finding(f"{verdict} out with large errors.", evidence, step, tone=tone, **measured)]


def build_figures(tables: StudyTables) -> list[Figure]:
    """Draw the mean error of each group with its interval, worst first; nothing for too few groups."""
    table = _build_group_errors(tables)
    if table.empty:
        return []
    outliers = set(find_outlier_groups(table)["group"])
    rows = table.head(MAX_DRAWN_GROUPS).drop(columns="spread")
    rows["standing"] = rows["group"].isin(outliers).map({True: "stands out", False: "like the others"})
    measure = _name_error_measure(tables).capitalize()
    caption = f"{measure} of each group{_describe_large_groups(tables, table)}, worst first. Bars: their 95 % "
    caption += "intervals over examples. Line: the mean of all."
    if len(table) > MAX_DRAWN_GROUPS:
        caption += f" The worst {MAX_DRAWN_GROUPS} of {len(table):,} groups."
    if outliers:
        caption += " Diamonds: groups outside the spread of the others."
    most, least = (format_number(end) for end in (table["mean"].max(), table["mean"].min()))
    verb = "stand" if len(outliers) > 1 else "stands"
    description = f"{measure} of {format_count(len(table), 'group')}, from {most} to {least}; "
    description += f"{join_items(sorted(outliers))} {verb} out."
    mean = pd.DataFrame({"mean": [float(tables.predictions["error"].abs().mean())]})
    draw = partial(_plot_groups, rows["group"].tolist(), _name_error_measure(tables))
    return [Chart("groups", "Error by group", caption, description, {"groups": rows, "mean": mean}, draw)]


def _build_group_errors(tables: StudyTables) -> pd.DataFrame:
    has_errors = len(tables.predictions) and "error" in tables.predictions
    return compute_group_errors(tables.predictions) if has_errors else pd.DataFrame(columns=["group", "mean"])


def _describe_large_groups(tables: StudyTables, table: pd.DataFrame) -> str:
    """Say that smaller groups are left out, and how many groups of all are left; '' if none is left out."""
    total = assign_groups(tables.predictions).nunique()
    left = f"{len(table):,} of {format_count(total, 'group')}"
    return f" with at least {MIN_GROUP_EXAMPLES} examples ({left})" if len(table) < total else ""


def _name_error_measure(tables: StudyTables) -> str:
    """Name the measure of a group: the size of its errors, not their bias."""
    if tables.setting("task.kind") == "detect":
        return "mean number of missed objects plus wrong detections"
    return "mean absolute error" if tables.has_number_outputs else "mean error"


def _plot_groups(names: list[str], measure: str) -> AltairChart:
    y = alt.Y("group:N", sort=names, title=None, axis=alt.Axis(labelLimit=150))
    across = alt.Axis(title=measure, tickCount=5, grid=True, format=".6~g")
    low, mean = (alt.X(f"{n}:Q", axis=across, scale=alt.Scale(zero=True, nice=True)) for n in ("low", "mean"))
    paints = build_category_scale({"stands out": PAINT["ink"], "like the others": PAINT["plain"]})
    shapes = build_category_scale({"stands out": "diamond", "like the others": "circle"})
    base = build_layer("groups").encode(y=y, color=alt.Color("standing:N", legend=None, scale=paints))
    bars = base.mark_rule(strokeWidth=2).encode(x=low, x2="high:Q")
    dots = base.mark_point(size=80).encode(
        x=mean,
        shape=alt.Shape("standing:N", legend=None, scale=shapes),
        tooltip=["group:N", "standing:N", "examples:Q", *build_tooltips(".3~g", "mean", "low", "high")],
    )
    line = build_layer("mean").mark_rule(color=PAINT["quiet"], strokeDash=[5, 4]).encode(x=mean)
    return alt.layer(line, bars, dots).properties(height=22 * len(names))
