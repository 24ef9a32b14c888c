"""How the search went on, and whether more of it would help."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_trials
from thalweg.reporting.analysis import constant_trials, random_search
from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.analysis.progress import best_so_far, gain
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure
from thalweg.reporting.page.marks import haloed, height, layer, role_marks, tip, trial_points, window_heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number

TITLE = "History"
ORDER = 30
COHORTS = 40
"""Up to so many cohorts are shaded."""


VERDICTS = {
    "gaining": "The search was still gaining when it ended.",
    "flat": "The search has flattened out.",
}


def findings(tables: StudyTables) -> list[Finding]:
    known = gain(tables)
    if known is None:
        return []
    gains = known.kind == "gaining"
    verdict = VERDICTS.get(known.kind, "Whether more trials would help cannot be told.")
    step = more_trials.where(tables, gains)
    return [Finding(verdict, known.evidence, step, (known.found,), "good" if gains else "plain")]


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
    points = trial_points(trials, seen, tables.sign, tables.winner)
    best = best_so_far(tables).dropna()
    cohort = int(tables.setting("study.cohort", 0))
    shaded = cohort > 1 and len(trials) <= COHORTS * cohort
    starts = range(cohort, len(trials), 2 * cohort) if shaded else range(0)
    ends = [min(start + cohort, len(trials)) - 0.5 for start in starts]
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
    data = {
        "points": points,
        "best": pd.DataFrame({"trial": best.index, "value": best, "shown": best.clip(seen.low, seen.high)}),
        "bands": pd.DataFrame({"from": [start - 0.5 for start in starts], "to": ends}),
        "expected": reached,
        "rule": rule,
    }
    name = label(tables.objective)
    draw = partial(_draw, seen, len(trials), sorted(points["role"].unique()), name)
    return [Chart("history", f"{name.capitalize()} by trial", caption, spoken, data, draw, aside=("bands",))]


def _expected(known: random_search.Drawn, seen: Window, sign: int) -> pd.DataFrame:
    """The best by trial over all orders of the drawn trials: mean and bounds, within what is shown."""
    best, trials = known.best, known.first + np.arange(len(known.costs))
    bounds = {name: np.clip(sign * getattr(best, name), seen.low, seen.high) for name in ("mean", "low", "high")}
    return pd.DataFrame({"trial": trials, **bounds})


def _draw(seen: Window, count: int, roles: list[str], axis: str) -> Drawing:
    scale = alt.Scale(domain=[-0.5, max(count - 0.5, 0.5)], nice=False)
    only = {"values": [0]} if count == 1 else {"tickMinStep": 1}

    def across(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=alt.Axis(title="trial", format="d", **only))

    bands = layer("bands").mark_rect(color=PAINT["band"]).encode(x=across("from"), x2="to:Q")
    expected = layer("expected").encode(x=across("trial"))
    span = expected.mark_area(color=PAINT["faint"], opacity=0.3, interpolate="step-after")
    mean = expected.mark_line(color=PAINT["quiet"], strokeWidth=1.2, strokeDash=[2, 3], interpolate="step-after")
    rule = layer("rule").mark_rule(color=PAINT["baseline"], strokeWidth=1.5, strokeDash=[5, 4])
    end = {"y": height(seen, "value"), "x": alt.value("width"), "text": "name:N"}
    word = haloed("rule", end, width=5, align="right", baseline="bottom", dy=-4, fontWeight="bold")
    best = layer("best").mark_line(interpolate="step-after", color=PAINT["winner"], strokeWidth=1.8)
    place = {"x": across("trial"), "y": height(seen, "shown")}
    tips = ["trial:Q", "role:N", tip("value")]
    layers = [
        bands,
        span.encode(y=height(seen, "low"), y2="high:Q"),
        mean.encode(y=height(seen, "mean")),
        rule.encode(y=height(seen, "value")),
        best.encode(**place),
        layer("points").mark_point().encode(tooltip=tips, **place, **role_marks(roles, count)),
    ]
    return alt.layer(*layers, *word).properties(height=300, title=window_heading(seen, axis))
