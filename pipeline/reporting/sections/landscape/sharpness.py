"""How sharp the ground is along the way, against what the learning rate can bear; and whether it ends on a saddle."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import epochs, search_space
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number, format_percent

MAX_ROOMY_SHARE = 0.5
"""The share of the limit up to which there is room for a higher learning rate."""
MIN_SADDLE_SHARE = 0.02
"""The share of the largest curvature from which one below 0 is a way down."""
MAX_LIMIT_RATIO = 100
"""How many times the lowest limit is still drawn: where the rate has fallen to nothing there is none."""


def build_findings(tables: StudyTables) -> list[Finding]:
    known = tables.landscape["curvature"].dropna(subset=["largest", "smallest"])
    return [] if known.empty else [*_report_stability(tables, known), *_report_saddle(tables, known)]


def _report_stability(tables: StudyTables, known: pd.DataFrame) -> list[Finding]:
    """How near the learning rate came to where steps begin to grow."""
    bounded = known[np.isfinite(known["limit"]) & (known["largest"] > 0)]
    if bounded.empty:
        return []
    share = bounded["largest"] / bounded["limit"]
    at, most = bounded.loc[share.idxmax()], float(share.max())
    evidence = (
        f"At epoch {int(at['epoch'])} the largest curvature is {format_number(at['largest'], 2)}; at a learning rate of "
        f"{format_number(at['learning_rate'], 2)} steps begin to grow from {format_number(at['limit'], 2)} on, momentum counted."
    )
    verdict = f"The learning rate used {format_percent(most)} of what the sharpest direction bears."
    return [
        Finding(
            verdict,
            evidence,
            search_space.advise_higher_rate(tables) if most < MAX_ROOMY_SHARE else "",
            _list_winner(tables),
        )
    ]


def _list_winner(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def _report_saddle(tables: StudyTables, known: pd.DataFrame) -> list[Finding]:
    """Whether the end of training has a direction that bends down."""
    end = known.iloc[-1]
    error = max(end["smallest_error"], end["largest_error"])
    evidence = (
        f"The Hessian's eigenvalues at the end reach from {format_number(end['smallest'], 2)} to {format_number(end['largest'], 2)} "
        f"(errors up to {format_number(error, 1)})."
    )
    if end["smallest"] + end["smallest_error"] < -MIN_SADDLE_SHARE * end["largest"]:
        verdict = "Training ended on a saddle: some direction still bends down."
        step, more = advise_descent(tables)
        return [Finding(verdict, evidence + more, step, _list_winner(tables))]
    verdict = "Training ended in a valley: no direction bends down by much."
    return [Finding(verdict, evidence, trials=_list_winner(tables), tone="good")]


def advise_descent(tables: StudyTables) -> tuple[str, str]:
    """What to do where there is a way further down, or, as further evidence, why nothing."""
    step = epochs.advise_longer_training(tables)
    return step, "" if step else " Validation gives no reason to follow it: that was at its best in time."


def build_figures(tables: StudyTables) -> list[Figure]:
    known = tables.landscape["curvature"].dropna(subset=["largest"])
    if known.empty:
        return []
    known = known[known["largest"] > 0]
    table = known[["epoch", "largest", "smallest"]].assign(name="largest curvature")
    limit = known[known["limit"] < MAX_LIMIT_RATIO * known["limit"].min()][["epoch", "limit"]].assign(name="limit")
    caption = "The largest eigenvalue of the loss's Hessian along the training path, on a log scale. "
    caption += (
        "For this optimizer no one number bounds the learning rate."
        if limit.empty
        else "Dashed: the curvature from which steps grow at that epoch's learning rate and momentum (2 / rate for "
        "plain gradient descent)."
    )
    told = zip(known["epoch"], known["largest"], strict=True)
    values = "; ".join(f"epoch {epoch:.0f} {format_number(largest, 2)}" for epoch, largest in told)
    data = {"sharpness": table, "limit": limit}
    spoken = f"Largest curvature: {values}."
    return [Chart("sharpness", "Sharpness along the way", caption, spoken, data, _plot_sharpness, is_half_width=True)]


def _plot_sharpness() -> AltairChart:
    x = alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1, tickCount=8))
    scale, axis = alt.Scale(type="log", nice=False, padding=8), alt.Axis(title=None, format=",.3~r", tickCount=5)
    paint = alt.Scale(domain=["largest curvature", "limit"], range=[PAINT["winner"], PAINT["diverged"]])
    shown = {"x": x, "color": alt.Color("name:N", scale=paint, legend=alt.Legend())}
    line = build_layer("sharpness").mark_line(point=alt.OverlayMarkDef(size=60)).encode(
        y=alt.Y("largest:Q", scale=scale, axis=axis),
        tooltip=["epoch:Q", build_tooltip("largest", ".3~g"), build_tooltip("smallest", ".3~g")],
        **shown,
    )  # fmt: skip
    dashed: dict[str, Any] = {"strokeDash": [6, 4], "point": alt.OverlayMarkDef(size=40, shape="triangle-down")}
    limit = alt.Y("limit:Q", scale=scale, axis=axis)
    bound = (
        build_layer("limit")
        .mark_line(**dashed)
        .encode(y=limit, tooltip=["epoch:Q", build_tooltip("limit", ".3~g")], **shown)
    )
    return alt.layer(bound, line).properties(height=260, title=build_heading("curvature, log scale"))
