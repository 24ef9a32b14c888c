"""The sharpness along the training path against its stability limit, and whether training ended on a saddle."""

from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.advice import epochs, search_space
from thalweg.reporting.analysis.stability import measure_stability
from thalweg.reporting.analysis.winner_end import find_winner_ending
from thalweg.reporting.analysis.winner_learning import measure_winner_learning
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number, format_percent, join_items

MAX_ROOMY_SHARE = 0.5
"""The share of the stability limit below which there is room for a higher learning rate."""
MIN_SADDLE_SHARE = 0.02
"""The share of the largest curvature from which a negative one counts as downhill."""
MAX_LIMIT_RATIO = 100
"""Limits up to this many times the lowest are drawn; a learning rate near 0 has none worth drawing."""


def build_findings(tables: StudyTables) -> list[Finding]:
    curvature = tables.landscape["curvature"].dropna(subset=["largest", "smallest"])
    return [] if curvature.empty else [*_report_stability(tables), *_report_saddle(tables, curvature)]


def _report_stability(tables: StudyTables) -> list[Finding]:
    """Report how near the learning rate came to where updates begin to grow, and until when it was beyond."""
    stability, learning = measure_stability(tables), measure_winner_learning(tables)
    if stability is None:
        return []
    rate, epoch = format_number(stability.learning_rate, 2), stability.epoch
    evidence = (
        f"At epoch {epoch} the largest curvature is {format_number(stability.curvature, 2)}. At this learning rate "
        f"({rate}) and momentum, updates grow from a curvature of {format_number(stability.limit, 2)} on. "
        f"Epochs with a measured curvature: {join_items(stability.epochs)}."
    )
    numbers = {"share_of_limit": stability.share, "curvature": stability.curvature, "limit": stability.limit}
    if stability.share <= 1:
        verdict = (
            "At each measured epoch, the learning rate was below its stability limit: at most "
            f"{format_percent(stability.share)} of it."
        )
        step = search_space.advise_higher_rate(tables) if stability.share < MAX_ROOMY_SHARE else ""
        return [Finding(verdict, evidence, step, _list_winner(tables), numbers=numbers)]
    verdict = f"At epoch {epoch} the learning rate was {format_number(stability.share, 2)} times its stability limit"
    if stability.stable_from is None:
        verdict += "; at the last epoch measured it was still above."
        return [Finding(verdict, evidence, "", _list_winner(tables), numbers=numbers)]
    if learning is not None and learning.is_learning:
        evidence += " Training came through: the winner learns (Health)."
    verdict += f"; from epoch {stability.stable_from} on it was below."
    return [Finding(verdict, evidence, "", _list_winner(tables), numbers=numbers)]


def _list_winner(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def _report_saddle(tables: StudyTables, curvature: pd.DataFrame) -> list[Finding]:
    """Report whether the loss curves down in some direction at the end of training."""
    end = curvature.iloc[-1]
    smallest, largest = (
        f"{format_number(end[name], 2)} (numerical error at most {format_number(end[f'{name}_error'], 2)})"
        for name in ("smallest", "largest")
    )
    evidence = f"At the end, the smallest eigenvalue of the Hessian is {smallest}, the largest {largest}."
    numbers = {name: float(end[name]) for name in ("smallest", "largest")}
    if end["smallest"] + end["smallest_error"] < -MIN_SADDLE_SHARE * end["largest"]:
        verdict = "Training ended on a saddle: the loss still curves down in some direction."
        step, ending = epochs.advise_longer_training(tables), find_winner_ending(tables)
        if not step and ending is not None and ending.kind in ("past", "enough"):
            evidence += " Longer training is not advised: validation was best before the end."
        return [Finding(verdict, evidence, step, _list_winner(tables), numbers=numbers)]
    verdict = "Training ended in a valley: the loss curves down by little, or not at all."
    return [Finding(verdict, evidence, trials=_list_winner(tables), tone="good", numbers=numbers)]


def build_figures(tables: StudyTables) -> list[Figure]:
    curvature = tables.landscape["curvature"].dropna(subset=["largest"])
    if curvature.empty:
        return []
    curvature = curvature[curvature["largest"] > 0]
    table = curvature[["epoch", "largest", "smallest"]].assign(name="largest curvature")
    limit = curvature[curvature["limit"] < MAX_LIMIT_RATIO * curvature["limit"].min()][["epoch", "limit"]].assign(
        name="limit"
    )
    caption = "The largest eigenvalue of the loss's Hessian along the training path, on a log scale. "
    caption += (
        "For this optimizer no single number bounds the learning rate."
        if limit.empty
        else "Dashed: the stability limit, the curvature from which updates grow at that epoch's learning rate and "
        "momentum (2 / rate for plain gradient descent)."
    )
    points = zip(curvature["epoch"], curvature["largest"], strict=True)
    values = "; ".join(f"epoch {epoch:.0f} {format_number(largest, 2)}" for epoch, largest in points)
    data = {"sharpness": table, "limit": limit}
    spoken = f"Largest curvature: {values}."
    return [Chart("sharpness", "Sharpness along the path", caption, spoken, data, _plot_sharpness, is_half_width=True)]


def _plot_sharpness() -> AltairChart:
    x = alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1, tickCount=8))
    scale, axis = alt.Scale(type="log", nice=False, padding=8), alt.Axis(title=None, format=",.3~r", tickCount=5)
    paint = alt.Scale(domain=["largest curvature", "limit"], range=[PAINT["winner"], PAINT["diverged"]])
    channels = {"x": x, "color": alt.Color("name:N", scale=paint, legend=alt.Legend())}
    line = build_layer("sharpness").mark_line(point=alt.OverlayMarkDef(size=60)).encode(
        y=alt.Y("largest:Q", scale=scale, axis=axis),
        tooltip=["epoch:Q", build_tooltip("largest", ".3~g"), build_tooltip("smallest", ".3~g")],
        **channels,
    )  # fmt: skip
    dashed: dict[str, Any] = {"strokeDash": [6, 4], "point": alt.OverlayMarkDef(size=40, shape="triangle-down")}
    limit = alt.Y("limit:Q", scale=scale, axis=axis)
    bound = (
        build_layer("limit")
        .mark_line(**dashed)
        .encode(y=limit, tooltip=["epoch:Q", build_tooltip("limit", ".3~g")], **channels)
    )
    return alt.layer(bound, line).properties(height=260, title=build_heading("curvature, log scale"))
