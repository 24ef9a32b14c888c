"""How the search went on, and whether more of it would help."""

from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_trials
from thalweg.reporting.analysis import constant_trials, random_search
from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.analysis.progress import best_so_far, gain
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import role_marks, role_of, window_axis, window_heading, window_scale
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number

TITLE = "History"
ORDER = 30
COHORTS = 40
"""Up to so many cohorts are shaded."""


def findings(tables: StudyTables) -> list[Finding]:
    known = gain(tables)
    if known is None:
        return []
    behind = (known.found,)
    step = more_trials.where(tables, known.kind == "gaining")
    match known.kind:
        case "gaining":
            return [Finding("The search was still gaining when it ended.", known.evidence, step, behind, "good")]
        case "flat":
            return [Finding("The search has flattened out.", known.evidence, step, behind)]
        case _:
            return [Finding("Whether more trials would help cannot be told.", known.evidence, step, behind)]


def charts(tables: StudyTables) -> list[Figure]:
    trials = tables.trials
    if trials.empty:
        return [Blank("history", "Value by trial", "No trial was run.")]
    if trials["value"].notna().sum() == 0:
        return [Blank("history", "Value by trial", "Every trial diverged, so there is no value to draw.")]
    trials = trials.sort_values("number")
    base, name = tables.baseline_curves.assign(trial=0), tables.objective
    reference = float(values_by_epoch(base, name, tables.sign).to_numpy()[0, -1]) if name in base else float("nan")
    seen = constant_trials.seen(tables, [reference])
    points = pd.DataFrame(
        {
            "trial": trials["number"],
            "role": role_of(trials, tables.winner),
            "value": trials["value"],
            "shown": seen.place(trials["value"], tables.sign),
        }
    )
    best = best_so_far(tables).dropna()
    cohort = int(tables.setting("study.cohort", 0))
    shaded = cohort > 1 and len(trials) <= COHORTS * cohort
    starts = range(cohort, len(trials), 2 * cohort) if shaded else range(0)
    bands = pd.DataFrame(
        {"from": [s - 0.5 for s in starts], "to": [min(s + cohort, len(trials)) - 0.5 for s in starts]}
    )
    rule = pd.DataFrame({"value": [reference], "name": ["baseline"]}).dropna()
    way = "Lower" if tables.sign > 0 else "Higher"
    caption = f"One mark a trial, in the order of the search; the line is the best so far. {way} is better."
    if shaded:
        caption += f" Shaded by turns: cohorts of {cohort}, asked for together."
    caption += f" {constant_trials.beyond(tables, trials, seen)}".rstrip()
    known = random_search.drawn(tables)
    reached = _expected(known, seen, tables.sign) if isinstance(known, random_search.Drawn) else pd.DataFrame()
    if isinstance(known, random_search.Drawn):
        caption += " Dotted: the best that random search is expected to have by then; grey: where it lies in 95 of 100 "
        caption += "orders of these trials."
    else:
        caption += f" {known}"
    spoken = f"Value by trial for {many(len(trials), 'trial')}. " + (
        f"The best so far goes from {number(best.iloc[0])} to {number(best.iloc[-1])}." if len(best) else ""
    )
    return [
        Chart(
            "history",
            f"{label(tables.objective).capitalize()} by trial",
            caption,
            spoken,
            {
                "points": points.sort_values("role", key=lambda r: r == "winner", kind="stable"),
                "best": pd.DataFrame({"trial": best.index, "value": best, "shown": best.clip(seen.low, seen.high)}),
                "bands": bands,
                "expected": reached,
                "rule": rule,
            },
            partial(_draw, seen, len(trials), sorted(points["role"].unique()), label(tables.objective)),
            aside=("bands",),
        )
    ]


def _expected(known: random_search.Drawn, seen: Window, sign: int) -> pd.DataFrame:
    """The best by trial over all orders of the drawn trials: mean and bounds, within what is shown."""
    best, trials = known.best, known.first + np.arange(len(known.costs))
    bounds = {name: np.clip(sign * getattr(best, name), seen.low, seen.high) for name in ("mean", "low", "high")}
    return pd.DataFrame({"trial": trials, **bounds})


def _draw(seen: Window, count: int, roles: list[str], axis: str) -> Drawing:
    y = window_scale(seen)
    x = alt.Scale(domain=[-0.5, max(count - 0.5, 0.5)], nice=False)
    only = {"values": [0]} if count == 1 else {"tickMinStep": 1}
    ticks = alt.Axis(title="trial", format="d", **only)
    bands = (
        alt.Chart(source("bands"))
        .mark_rect(color=PAINT["band"])
        .encode(x=alt.X("from:Q", scale=x, axis=ticks), x2="to:Q")
    )
    height = alt.Y("value:Q", scale=y, axis=window_axis(seen))
    expected = alt.Chart(source("expected")).encode(x=alt.X("trial:Q", scale=x, axis=ticks))
    span = expected.mark_area(color=PAINT["faint"], opacity=0.3, interpolate="step-after").encode(
        y=alt.Y("low:Q", scale=y, axis=window_axis(seen)), y2="high:Q"
    )
    mean = expected.mark_line(
        color=PAINT["quiet"], strokeWidth=1.2, strokeDash=[2, 3], interpolate="step-after"
    ).encode(y=alt.Y("mean:Q", scale=y, axis=window_axis(seen)))
    rule = alt.Chart(source("rule"))
    line = rule.mark_rule(color=PAINT["baseline"], strokeWidth=1.5, strokeDash=[5, 4]).encode(y=height)
    word: dict[str, Any] = {"align": "right", "baseline": "bottom", "dy": -4, "fontWeight": "bold"}
    # the word stands on a halo of paper, so that marks behind it do not cross it
    halo, name = (
        rule.mark_text(**word, **paint).encode(y=height, x=alt.value("width"), text="name:N")
        for paint in ({"stroke": PAINT["paper"], "strokeWidth": 5}, {"color": PAINT["ink"]})
    )
    best = (
        alt.Chart(source("best"))
        .mark_line(interpolate="step-after", color=PAINT["winner"], strokeWidth=1.8)
        .encode(x=alt.X("trial:Q", scale=x, axis=ticks), y=alt.Y("shown:Q", scale=y, axis=window_axis(seen)))
    )
    marks = (
        alt.Chart(source("points"))
        .mark_point()
        .encode(
            x=alt.X("trial:Q", scale=x, axis=ticks),
            y=alt.Y("shown:Q", scale=y, axis=window_axis(seen)),
            tooltip=["trial:Q", "role:N", alt.Tooltip("value:Q", format=".4~g")],
            **role_marks(roles, count),
        )
    )
    return alt.layer(bands, span, mean, line, best, marks, halo, name).properties(
        height=300, title=window_heading(seen, axis)
    )
