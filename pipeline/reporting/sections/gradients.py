"""The winner's gradient by backpropagation, checked against numerical derivatives of several steps."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import build_category_scale, build_heading, build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_number, join_items

TITLE = "Gradient check"
ORDER = 34
MIN_DRAWN_ERROR = 1e-13
"""Smaller errors are drawn at this one."""
VERDICT_COLOURS = {"right": PAINT["winner"], "kink": PAINT["quiet"], "wrong": PAINT["ink"]}


def is_applicable(tables: StudyTables) -> bool:
    """Return whether the gradient was checked."""
    return len(tables.gradients) > 0


def build_findings(tables: StudyTables) -> list[Finding]:
    """Report wrong gradients, then slopes that are not finite; report right ones only if none is wrong."""
    if not is_applicable(tables):
        return []
    keys = ["term", "kind", "direction", "verdict"]
    slopes = tables.gradients.groupby(keys, sort=False, dropna=False)["error"].min().reset_index()
    slopes["slope"] = slopes["term"].map(format_code) + " along " + slopes["direction"].map(format_code)
    slopes = slopes.sort_values("error", ascending=False, kind="stable")
    wrong, unknown, right = (slopes[slopes["verdict"] == verdict] for verdict in ("wrong", "unknown", "right"))
    findings = []
    if len(wrong):
        evidence = (
            f"Along {len(wrong):,} of {format_count(len(slopes), 'slope')}, backpropagation and central differences in "
            f"float64 differ at every step size: {join_items(wrong['slope'].tolist())}. Even at its best step size, "
            f"{wrong['slope'].iloc[0]} is off by {format_number(wrong['error'].iloc[0], 2)} of the slope."
        )
        step = (
            "Look for a custom gradient, `stop_gradient` or rounding between the wrong weights and the loss. "
            "The fault comes before any arrays whose gradient is right."
        )
        numbers = {"wrong": len(wrong), "slopes": len(slopes), "largest_error": float(wrong["error"].iloc[0])}
        verdict = "Backpropagation gives a wrong gradient."
        findings.append(Finding(verdict, evidence, step, tone="caution", numbers=numbers))
    if len(unknown):
        evidence = f"Loss or gradient is not finite at the winner's weights: {join_items(unknown['slope'].tolist())}."
        verdict, numbers = "Some slopes cannot be checked.", {"unknown": len(unknown), "slopes": len(slopes)}
        findings.append(Finding(verdict, evidence, tone="caution", numbers=numbers))
    if len(right) and wrong.empty:
        terms = slopes.sort_index()[["term", "kind"]].drop_duplicates().fillna("").itertuples(index=False)
        directions = format_count(slopes["direction"].nunique(), "direction")
        losses = join_items([f"{format_code(term)} by {format_code(kind)}" if kind else term for term, kind in terms])
        evidence = (
            f"Checked along {format_count(len(right), 'slope')} ({losses}; {directions}) against central differences "
            f"in float64. At the best step size, the median error is {format_number(right['error'].median(), 2)} of "
            f"the slope, the largest {format_number(right['error'].iloc[0], 2)} ({right['slope'].iloc[0]})."
        )
        numbers = {"slopes": len(right), "largest_error": float(right["error"].iloc[0])}
        verdict = "Backpropagation agrees with numerical derivatives."
        findings.append(Finding(verdict, evidence, tone="good", numbers=numbers))
    return findings


def build_figures(tables: StudyTables) -> list[Figure]:
    if not is_applicable(tables):
        return []
    finite = tables.gradients[np.isfinite(tables.gradients["error"])]
    terms = [rows for _, rows in finite.groupby("term", sort=False)]
    if not terms:
        return [EmptyFigure("gradients", "Error against step size", "No error of the gradient is finite.")]
    return [_build_error_chart(rows, index, len(terms) > 1) for index, rows in enumerate(terms)]


def _build_error_chart(rows: pd.DataFrame, index: int, is_half_width: bool) -> Chart:
    term, kind = rows[["term", "kind"]].fillna("").iloc[0]
    caption = (
        "One line per direction: the error of the gradient against central differences, as a share of the slope. "
        "As the step size shrinks, the error of a right gradient falls with its square, until rounding makes it "
        "rise. The error of a wrong gradient stays the same. At a kink of the loss, the slope depends on the side."
    )
    counts = rows.drop_duplicates("direction")["verdict"].value_counts(sort=False)
    description = "; ".join(f"{format_count(int(count), 'direction')} {verdict}" for verdict, count in counts.items())
    lines = rows.assign(error=rows["error"].clip(lower=MIN_DRAWN_ERROR))[["direction", "step", "error", "verdict"]]
    return Chart(
        f"gradients-{index}",
        f"Error against step size: {term} by {kind}" if kind else f"Error against step size: {term}",
        caption if not index else "",
        f"Error of central differences against their step for {term}: {description}.",
        {"lines": lines},
        partial(_plot_errors, [verdict for verdict in VERDICT_COLOURS if verdict in counts]),
        is_half_width,
    )


def _plot_errors(present: list[str]) -> AltairChart:
    scale = alt.Scale(type="log", nice=False)
    paints = build_category_scale({verdict: VERDICT_COLOURS[verdict] for verdict in present})
    dashes = build_category_scale({verdict: [4, 3] if verdict == "kink" else [1, 0] for verdict in present})
    legend = alt.Legend(symbolType="stroke", symbolOpacity=1, symbolSize=400, symbolStrokeWidth=2)
    lines = build_layer("lines").mark_line(strokeWidth=1.3, opacity=0.6, point=alt.OverlayMarkDef(size=14, opacity=0.6))
    chart: alt.Chart = lines.encode(
        x=alt.X("step:Q", scale=scale, axis=alt.Axis(title="step size, log scale", format="~e", tickCount=9)),
        y=alt.Y("error:Q", scale=scale, axis=alt.Axis(title=None, format="~e", tickCount=6)),
        detail="direction:N",
        color=alt.Color("verdict:N", legend=legend, scale=paints),
        strokeDash=alt.StrokeDash("verdict:N", legend=legend, scale=dashes),
        tooltip=["direction:N", "verdict:N", build_tooltip("step", ".1~e"), build_tooltip("error", ".2~e")],
    )
    return chart.properties(height=280, title=build_heading("error, share of the slope, log scale"))
