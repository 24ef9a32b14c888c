"""Whether backpropagation gives the winner's gradient: its error against the step of numerical derivatives."""

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
ORDER = 68
MIN_DRAWN_ERROR = 1e-13
"""Errors below it are drawn at it."""
VERDICT_COLOURS = {"right": PAINT["winner"], "kink": PAINT["quiet"], "wrong": PAINT["ink"]}


def is_applicable(tables: StudyTables) -> bool:
    """Whether the gradient was checked."""
    return len(tables.gradients) > 0


def build_findings(tables: StudyTables) -> list[Finding]:
    """A wrong gradient first, then what is not finite; that all is right only where nothing is wrong."""
    if not is_applicable(tables):
        return []
    keys = ["term", "kind", "direction", "verdict"]
    slopes = tables.gradients.groupby(keys, sort=False, dropna=False)["error"].min().reset_index()
    slopes["place"] = slopes["term"].map(format_code) + " along " + slopes["direction"].map(format_code)
    slopes = slopes.sort_values("error", ascending=False, kind="stable")
    wrong, unknown, right = (slopes[slopes["verdict"] == verdict] for verdict in ("wrong", "unknown", "right"))
    found = []
    if len(wrong):
        evidence = (
            f"Along {len(wrong):,} of {format_count(len(slopes), 'slope')} the gradient and central differences in float64 "
            f"differ whatever the step: {join_items(wrong['place'].tolist())}. At its best step {wrong['place'].iloc[0]} "
            f"is off by {format_number(wrong['error'].iloc[0], 2)} of the slope."
        )
        step = (
            "Look for a custom gradient, a stopped one (`stop_gradient`) or rounding between wrong parameters and the "
            "loss; arrays whose gradient is right lie behind it."
        )
        found.append(Finding("The gradient is not that of the loss.", evidence, step, tone="caution"))
    if len(unknown):
        evidence = f"Loss or gradient is not finite at the winner's weights: {join_items(unknown['place'].tolist())}."
        found.append(Finding("Some slopes cannot be checked.", evidence, tone="caution"))
    if len(right) and wrong.empty:
        terms = slopes.sort_index()[["term", "kind"]].drop_duplicates().fillna("").itertuples(index=False)
        losses = join_items([f"{format_code(term)} by {format_code(kind)}" if kind else term for term, kind in terms])
        evidence = (
            f"Along {format_count(len(right), 'slope')} ({losses}; {format_count(slopes['direction'].nunique(), 'direction')}) the "
            f"gradient and central differences in float64 differ by {format_number(right['error'].median(), 2)} of the slope "
            f"at the best step (median), by {format_number(right['error'].iloc[0], 2)} at most ({right['place'].iloc[0]})."
        )
        found.append(Finding("Backpropagation agrees with numerical derivatives.", evidence, tone="good"))
    return found


def build_figures(tables: StudyTables) -> list[Figure]:
    if not is_applicable(tables):
        return []
    finite = tables.gradients[np.isfinite(tables.gradients["error"])]
    terms = [own for _, own in finite.groupby("term", sort=False)]
    if not terms:
        return [EmptyFigure("gradients", "Error against step", "Nothing that was found is finite.")]
    return [_build_error_chart(own, place, len(terms) > 1) for place, own in enumerate(terms)]


def _build_error_chart(own: pd.DataFrame, place: int, half: bool) -> Chart:
    term, kind = own[["term", "kind"]].fillna("").iloc[0]
    caption = (
        "A line for each direction. It shows how far central differences with this step are from the gradient, as a "
        "share of the slope. As the step shrinks, the error of a right gradient falls with the step's square, until "
        "rounding makes it rise. The error of a wrong gradient stays where it is."
    )
    counts = own.drop_duplicates("direction")["verdict"].value_counts(sort=False)
    spoken = "; ".join(f"{format_count(int(count), 'direction')} {verdict}" for verdict, count in counts.items())
    lines = own.assign(error=own["error"].clip(lower=MIN_DRAWN_ERROR))[["direction", "step", "error", "verdict"]]
    return Chart(
        f"gradients-{place}",
        f"Error against step: {term} by {kind}" if kind else f"Error against step: {term}",
        caption if not place else "",
        f"Error of central differences against their step for {term}: {spoken}.",
        {"lines": lines},
        partial(_plot_errors, [verdict for verdict in VERDICT_COLOURS if verdict in counts]),
        half,
    )


def _plot_errors(present: list[str]) -> AltairChart:
    scale = alt.Scale(type="log", nice=False)
    paints = build_category_scale({each: VERDICT_COLOURS[each] for each in present})
    dashes = build_category_scale({each: [4, 3] if each == "kink" else [1, 0] for each in present})
    legend = alt.Legend(symbolType="stroke", symbolOpacity=1, symbolSize=400, symbolStrokeWidth=2)
    lines = build_layer("lines").mark_line(strokeWidth=1.3, opacity=0.6, point=alt.OverlayMarkDef(size=14, opacity=0.6))
    drawn: alt.Chart = lines.encode(
        x=alt.X("step:Q", scale=scale, axis=alt.Axis(title="step, log scale", format="~e", tickCount=9)),
        y=alt.Y("error:Q", scale=scale, axis=alt.Axis(title=None, format="~e", tickCount=6)),
        detail="direction:N",
        color=alt.Color("verdict:N", legend=legend, scale=paints),
        strokeDash=alt.StrokeDash("verdict:N", legend=legend, scale=dashes),
        tooltip=["direction:N", "verdict:N", build_tooltip("step", ".1~e"), build_tooltip("error", ".2~e")],
    )
    return drawn.properties(height=280, title=build_heading("error, share of the slope, log scale"))
