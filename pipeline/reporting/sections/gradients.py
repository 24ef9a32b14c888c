"""Whether backpropagation gives the winner's gradient: its error against the step of numerical derivatives."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, listed, many, number

TITLE = "Gradient check"
ORDER = 68
LEAST = 1e-13
"""Errors below it are drawn at it."""
VERDICTS = ("right", "kink", "wrong")
MARKS = {"right": "winner", "kink": "quiet", "wrong": "ink"}


def applies(tables: StudyTables) -> bool:
    """Whether the gradient was checked."""
    return len(tables.gradients) > 0


def slopes(tables: StudyTables) -> pd.DataFrame:
    """One row a loss and direction: term, kind, direction, verdict, analytic, and the error at its best step."""
    if not applies(tables):
        return pd.DataFrame(columns=["term", "kind", "direction", "verdict", "analytic", "error"])
    table = tables.gradients.assign(kind=tables.gradients["kind"].fillna(""))
    keys = ["term", "kind", "direction", "verdict", "analytic"]
    return table.groupby(keys, sort=False, dropna=False)["error"].min().reset_index()


def findings(tables: StudyTables) -> list[Finding]:
    known = slopes(tables)
    told = [_wrong, _unknown, _right, _kinks]
    return [finding for one in told for finding in one(known)]


def _right(known: pd.DataFrame) -> list[Finding]:
    right = known[known["verdict"] == "right"]
    if right.empty or (known["verdict"] == "wrong").any():
        return []
    worst = right.sort_values("error", kind="stable").iloc[-1]
    evidence = (
        f"Along {many(len(right), 'slope')} ({_losses(known)}; {many(known['direction'].nunique(), 'direction')}) the "
        f"gradient and central differences in float64 differ by {number(right['error'].median(), 2)} of the slope at "
        f"the best step (median), by {number(worst['error'], 2)} at most ({_where(worst)})."
    )
    return [Finding("Backpropagation agrees with numerical derivatives.", evidence, tone="good")]


def _wrong(known: pd.DataFrame) -> list[Finding]:
    wrong = known[known["verdict"] == "wrong"].sort_values("error", ascending=False, kind="stable")
    if wrong.empty:
        return []
    worst = wrong.iloc[0]
    evidence = (
        f"Along {len(wrong):,} of {many(len(known), 'slope')} the gradient and central differences in float64 differ "
        f"whatever the step: {listed(_places(wrong))}. At its best step {_where(worst)} is off by "
        f"{number(worst['error'], 2)} of the slope."
    )
    step = (
        "Look for a custom gradient, a stopped one (`stop_gradient`) or rounding between wrong parameters and the "
        "loss; arrays whose gradient is right lie behind it."
    )
    return [Finding("The gradient is not that of the loss.", evidence, step, tone="caution")]


def _kinks(known: pd.DataFrame) -> list[Finding]:
    kinks = known[known["verdict"] == "kink"]
    if kinks.empty:
        return []
    evidence = (
        f"However small the step, differences to the two sides stay apart, and the gradient lies between them: "
        f"{listed(_places(kinks))}."
    )
    evidence += " That is no fault: `l1` has a kink where a prediction is exact, a rectifier where its input is 0."
    verdict = (
        f"{many(len(kinks), 'slope')} {'lies' if len(kinks) == 1 else 'lie'} on a kink, where there is no gradient."
    )
    return [Finding(verdict, evidence)]


def _unknown(known: pd.DataFrame) -> list[Finding]:
    unknown = known[known["verdict"] == "unknown"]
    if unknown.empty:
        return []
    evidence = f"Loss or gradient is not finite at the winner's weights: {listed(_places(unknown))}."
    return [Finding("Some slopes cannot be checked.", evidence, tone="caution")]


def _losses(known: pd.DataFrame) -> str:
    return listed(
        [_loss(term, kind) for term, kind in known[["term", "kind"]].drop_duplicates().itertuples(index=False)]
    )


def _loss(term: str, kind: str) -> str:
    return f"{code(term)} by {code(kind)}" if kind else term


def _places(rows: pd.DataFrame) -> list[str]:
    return [_where(row) for _, row in rows.iterrows()]


def _where(row: pd.Series) -> str:
    return f"{code(str(row['term']))} along {code(str(row['direction']))}"


def charts(tables: StudyTables) -> list[Figure]:
    if not applies(tables):
        reason = "The gradient was not checked: see `diagnose.gradients` in params.yaml."
        return [Blank("gradients", "Error against step", reason)]
    table = tables.gradients[np.isfinite(tables.gradients["error"])]
    terms = [(str(term), own) for term, own in table.groupby("term", sort=False)]
    if not terms:
        return [Blank("gradients", "Error against step", "Nothing that was found is finite.")]
    return [_chart(term, own, place, len(terms) > 1) for place, (term, own) in enumerate(terms)]


def _chart(term: str, own: pd.DataFrame, place: int, half: bool) -> Chart:
    lines = own.assign(error=own["error"].clip(lower=LEAST))[["direction", "step", "error", "verdict"]]
    kind = str(own["kind"].fillna("").iloc[0])
    caption = (
        "A line for each direction. It shows how far central differences with this step are from the gradient, as a "
        "share of the slope. As the step shrinks, the error of a right gradient falls with the step's square, until "
        "rounding makes it rise. The error of a wrong gradient stays where it is."
    )
    spoken = "; ".join(
        f"{many(int(count), 'direction')} {verdict}"
        for verdict, count in own.drop_duplicates("direction")["verdict"].value_counts(sort=False).items()
    )
    return Chart(
        f"gradients-{place}",
        f"Error against step: {term} by {kind}" if kind else f"Error against step: {term}",
        caption if not place else "",
        f"Error of central differences against their step for {term}: {spoken}.",
        {"lines": lines},
        partial(_draw, [each for each in VERDICTS if each in set(lines["verdict"])]),
        half,
    )


def _draw(present: list[str]) -> Drawing:
    scale = alt.Scale(type="log", nice=False)
    marks = alt.Scale(domain=present, range=[PAINT[MARKS[each]] for each in present])
    dashes = alt.Scale(domain=present, range=[[4, 3] if each == "kink" else [1, 0] for each in present])
    legend = alt.Legend(symbolType="stroke", symbolOpacity=1, symbolSize=400, symbolStrokeWidth=2)
    lines = (
        alt.Chart(source("lines"))
        .mark_line(strokeWidth=1.3, opacity=0.6, point=alt.OverlayMarkDef(size=14, opacity=0.6))
        .encode(
            x=alt.X("step:Q", scale=scale, axis=alt.Axis(title="step, log scale", format="~e", tickCount=9)),
            y=alt.Y("error:Q", scale=scale, axis=alt.Axis(title=None, format="~e", tickCount=6)),
            detail="direction:N",
            color=alt.Color("verdict:N", legend=legend, scale=marks),
            strokeDash=alt.StrokeDash("verdict:N", legend=legend, scale=dashes),
            tooltip=[
                "direction:N",
                "verdict:N",
                alt.Tooltip("step:Q", format=".1~e"),
                alt.Tooltip("error:Q", format=".2~e"),
            ],
        )
    )
    drawing: alt.Chart = lines.properties(height=280, title=heading("error, share of the slope, log scale"))
    return drawing
