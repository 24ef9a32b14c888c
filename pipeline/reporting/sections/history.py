"""How the search went on, and whether more of it would help."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_trials
from thalweg.reporting.analysis import constant_trials, random_search
from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.analysis.progress import compute_best_so_far, compute_gain
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page import marks
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, metric_label

TITLE = "History"
ORDER = 30
VERDICT_SENTENCES = {
    "gaining": "The search was still gaining when it ended.",
    "flat": "The search has flattened out.",
}


def build_findings(tables: StudyTables) -> list[Finding]:
    known = compute_gain(tables)
    if known is None:
        return []
    gains = known.kind == "gaining"
    verdict = VERDICT_SENTENCES.get(known.kind, "Whether more trials would help cannot be told.")
    step = more_trials.advise_growing_measure(tables, gains)
    return [Finding(verdict, known.evidence, step, (known.best_trial,), "good" if gains else "plain")]


def build_figures(tables: StudyTables) -> list[Figure]:
    trials = tables.trials
    if trials.empty:
        return [EmptyFigure("history", "Value by trial", "No trial was run.")]
    if trials["value"].notna().sum() == 0:
        return [EmptyFigure("history", "Value by trial", "Every trial diverged, so there is no value to draw.")]
    trials = trials.sort_values("number")
    base, name = tables.baseline_curves.assign(trial=0), tables.objective
    reference = float(values_by_epoch(base, name, tables.sign).to_numpy()[0, -1]) if name in base else float("nan")
    seen = constant_trials.compute_trial_window(tables, [reference])
    best = compute_best_so_far(tables).dropna()
    way = "Lower" if tables.sign > 0 else "Higher"
    caption = f"One mark a trial, in the order of the search; the line is the best so far. {way} is better."
    caption += f" {constant_trials.describe_outliers(tables, trials, seen)}".rstrip()
    known = random_search.find_random_draws(tables)
    expected = pd.DataFrame()
    if isinstance(known, random_search.RandomDraws):
        ends = {
            end: np.clip(tables.sign * getattr(known.best_by_count, end), seen.low, seen.high)
            for end in ("mean", "low", "high")
        }
        expected = pd.DataFrame({"trial": known.given_count + np.arange(len(known.costs)), **ends})
        known = (
            "Dotted: the best that random search is expected to have by then; grey: where it lies in 95 of 100 orders "
            "of these trials."
        )
    spoken = f"Value by trial for {format_count(len(trials), 'trial')}. "
    if len(best):
        spoken += f"The best so far goes from {format_number(best.iloc[0])} to {format_number(best.iloc[-1])}."
    points = marks.build_trial_points(trials, seen, tables.sign, tables.winner)
    data = {
        "points": points,
        "best": pd.DataFrame({"trial": best.index, "value": best, "shown": best.clip(seen.low, seen.high)}),
        "expected": expected,
        "rule": pd.DataFrame({"value": [reference], "name": ["baseline"]}).dropna(),
    }
    name = metric_label(tables.objective)
    draw = partial(_plot_history, seen, len(trials), sorted(points["role"].unique()), name)
    return [Chart("history", f"{name.capitalize()} by trial", f"{caption} {known}", spoken, data, draw)]


def _plot_history(seen: Window, count: int, roles: list[str], axis: str) -> AltairChart:
    scale = alt.Scale(domain=[-0.5, max(count - 0.5, 0.5)], nice=False)
    only = {"values": [0]} if count == 1 else {"tickMinStep": 1}
    x = alt.X("trial:Q", scale=scale, axis=alt.Axis(title="trial", format="d", **only))
    expected = marks.build_layer("expected").encode(x=x)
    span = expected.mark_area(color=PAINT["faint"], opacity=0.3, interpolate="step-after")
    mean = expected.mark_line(color=PAINT["quiet"], strokeWidth=1.2, strokeDash=[2, 3], interpolate="step-after")
    rule = marks.build_layer("rule").mark_rule(color=PAINT["baseline"], strokeWidth=1.5, strokeDash=[5, 4])
    end = {"y": marks.encode_window_y(seen, "value"), "x": alt.value("width"), "text": "name:N"}
    word = marks.plot_haloed_text("rule", end, width=5, align="right", baseline="bottom", dy=-4, fontWeight="bold")
    best = marks.build_layer("best").mark_line(interpolate="step-after", color=PAINT["winner"], strokeWidth=1.8)
    place = {"x": x, "y": marks.encode_window_y(seen, "shown")}
    layers = [
        span.encode(y=marks.encode_window_y(seen, "low"), y2="high:Q"),
        mean.encode(y=marks.encode_window_y(seen, "mean")),
        rule.encode(y=marks.encode_window_y(seen, "value")),
        best.encode(**place),
        marks.build_layer("points")
        .mark_point()
        .encode(
            tooltip=["trial:Q", "role:N", marks.build_tooltip("value")], **place, **marks.encode_roles(roles, count)
        ),
    ]
    return alt.layer(*layers, *word).properties(height=300, title=marks.build_window_heading(seen, axis))
