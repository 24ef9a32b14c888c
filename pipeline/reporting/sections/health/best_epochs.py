"""When trials were at their best: whether training is longer than it needs to be, or shorter."""

from functools import partial

import altair as alt
import numpy as np

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis import training_length
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many

PAINTS = {"rate stays high": PAINT["plain"], "rate falls": PAINT["paper"]}


def findings(tables: StudyTables) -> list[Finding]:
    """That training is too long, or too short, for most trials; nothing where it is neither, or not known."""
    if known := training_length.too_long(tables):
        verdict = "Most trials are at their best in the first tenth of training."
        return [Finding(verdict, known.evidence, epochs.of_trials(tables, "fewer"), known.trials, "caution")]
    if known := training_length.too_short(tables):
        verdict = "Training ends while the better trials are still improving."
        return [Finding(verdict, known.evidence, epochs.of_trials(tables, "more"), known.trials, "caution")]
    return []


def charts(tables: StudyTables) -> list[Figure]:
    """The histogram of the best steps."""
    steps, title = training_length.best_steps(tables), "When trials were at their best"
    if len(steps) < 2:
        reason = "Fewer than two trials were completed and learned something."
        return [Blank("best-steps", title, reason, half=True)]
    tenths = np.clip(np.ceil(steps["share"] * 10 - 1e-9), 1, 10).astype(int)
    rate = steps["stays"].map({True: "rate stays high", False: "rate falls"}).rename("rate")
    counts = steps.groupby([tenths.rename("tenth"), rate]).size().rename("trials").reset_index()
    table = counts.assign(**{"from": (counts["tenth"] - 1) * 10, "to": counts["tenth"] * 10}).drop(columns="tenth")
    rates = [rate for rate in PAINTS if rate in set(table["rate"])]
    caption = "Share of training at which the best validation came."
    if "rate falls" in rates:
        caption += " A learning rate that falls to zero brings the best to the end."
    late, early = (
        int((steps["share"] > training_length.LAST).sum()),
        int((steps["share"] <= training_length.FIRST).sum()),
    )
    spoken = f"Of {many(len(steps), 'trial')} {early} were at their best in the first tenth of training, {late} in the "
    spoken += "last quarter."
    return [Chart("best-steps", title, caption, spoken, {"steps": table}, partial(_draw, rates), half=True)]


def _draw(rates: list[str]) -> Drawing:
    x = alt.X("from:Q", bin="binned", axis=alt.Axis(title="share of training, %", values=[0, 25, 50, 75, 100]),
              scale=alt.Scale(domain=[0, 100], nice=False))  # fmt: skip
    fill = alt.Scale(domain=rates, range=[PAINTS[rate] for rate in rates])
    bars: alt.Chart = alt.Chart(source("steps")).mark_bar(stroke=PAINT["plain"], strokeWidth=1.2, binSpacing=3)
    drawn = bars.encode(
        x=x,
        x2="to:Q",
        y=alt.Y("trials:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d", tickCount=4)),
        fill=alt.Fill("rate:N", scale=fill, legend=alt.Legend() if len(rates) > 1 else None),
        order=alt.Order("rate:N", sort="descending"),
        tooltip=["rate:N", "trials:Q", alt.Tooltip("from:Q", title="from %"), alt.Tooltip("to:Q", title="to %")],
    )
    return drawn.properties(height=180, title=heading("trials"))
