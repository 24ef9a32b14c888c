"""When trials were at their best: whether training is longer than it needs to be, or shorter."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from pipeline.reporting.findings import Finding
from pipeline.reporting.lanes import means
from pipeline.reporting.page.charts import Blank, Chart, Drawing, Figure, heading, source
from pipeline.reporting.page.theme import PAINT
from pipeline.reporting.result.parting import column
from pipeline.reporting.tables import Tables
from pipeline.reporting.training import stuck
from pipeline.reporting.words import many, number, share

FEWEST, SHORTEST = 6, 8
"""Trials, and validations of each, below which nothing is said."""
FIRST, LAST, LEVEL, CLEAR = 0.1, 0.75, 0.01, 2.0
PAINTS = {"rate stays high": PAINT["plain"], "rate falls": PAINT["paper"]}


def stays(curves: pd.DataFrame) -> pd.Series:
    """Whether the learning rate of each trial is above half of its peak in all of the last quarter; by trial."""
    if curves.empty or "learning_rate" not in curves:
        return pd.Series(dtype=bool)
    curves = curves.dropna(subset="learning_rate")
    of_trial = curves.groupby("trial")
    late = curves[curves["epoch"] > LAST * of_trial["epoch"].transform("max")].groupby("trial")["learning_rate"].min()
    return late >= 0.5 * of_trial["learning_rate"].max().reindex(late.index)


def best_steps(tables: Tables) -> pd.DataFrame:
    """The complete trials that learned something: trial, share (0 to 1) of training at their best, whether it `stays`.

    The best is that of the objective on validation, the mean over lanes of each one's own; training is as long as was
    asked for, however early patience ended it.
    """
    none = pd.DataFrame({"trial": [], "share": [], "stays": []})
    if tables.curves.empty or tables.objective not in tables.curves or tables.ranked.empty:
        return none
    trials = stuck.learned(tables, tables.ranked)
    curves = tables.curves[tables.curves["trial"].isin(trials["number"])].dropna(subset=tables.objective)
    if curves.empty:
        return none
    lanes = [key for key in ("trial", "seed", "fold") if key in curves]
    cost = curves[tables.objective] * tables.sign
    best = curves.loc[cost.groupby([curves[key] for key in lanes]).idxmin()].groupby("trial")["epoch"].mean()
    asked = column(tables, "training.epochs").astype(float).reindex(best.index)
    longest = curves.groupby("trial")["epoch"].max()
    whole = asked.fillna(longest).clip(lower=longest)
    table = pd.DataFrame({"share": best / whole, "stays": stays(curves).reindex(best.index, fill_value=False)})
    return table.rename_axis("trial").reset_index().astype({"trial": int})


def findings(tables: Tables) -> list[Finding]:
    """That training is too long, or too short, for most trials; nothing where it is neither, or not known."""
    steps = best_steps(tables)
    return (_long(tables, steps) or _short(tables, steps)) if len(steps) >= FEWEST else []


def _long(tables: Tables, steps: pd.DataFrame) -> list[Finding]:
    """Most trials are at their best in the first tenth, more than noise about a level would bring there."""
    epochs = np.sort(tables.curves["epoch"].unique())
    first = max(FIRST, epochs[0] / epochs[-1])
    early = steps[steps["share"] <= first + 1e-9]
    expected = float((epochs / epochs[-1] <= first + 1e-9).mean())
    if len(epochs) < SHORTEST or len(early) <= len(steps) / 2:
        return []
    if binom.sf(len(early) - 1, len(steps), expected) > LEVEL:
        return []
    latest = float(np.quantile(steps["share"], 0.9))
    until = int(np.ceil(latest * epochs[-1]))
    evidence = (
        f"{share(len(early), len(steps))} of the complete trials were at their best on validation by epoch "
        f"{int(first * epochs[-1])} of {int(epochs[-1])}, nine of ten by epoch {until}; if training only wandered "
        f"about a level, {100 * expected:.0f} % would be."
    )
    step = (
        f"Train shorter: `training.epochs: {max(until, int(np.ceil(0.2 * epochs[-1])))}`, and spend what is saved on "
        "more trials; or give the networks more to learn from: data, augmentation, a lower learning rate."
    )
    verdict = "Most trials are at their best in the first tenth of training."
    return [Finding(verdict, evidence, step, tuple(sorted(early["trial"])), "caution")]


def _short(tables: Tables, steps: pd.DataFrame) -> list[Finding]:
    """The better half of the trials whose rate stays high are mostly best in the last quarter, and still gaining.

    A rate that falls to zero brings the best to the end, however long training is, so such trials tell nothing here.
    Nor does a rate that is too low: it wants to be raised. Gains are measured in each trial's own noise from one
    validation to the next; trials may share that noise (`study.randomness: paired`), so their median must be CLEAR of
    it, as that of a single trial.
    """
    told = stuck.verdicts(tables)
    slow = set(told.loc[told["kind"] == "rate too low", "trial"]) if len(told) else set()
    better = tables.ranked.loc[~tables.ranked["number"].isin(slow), "number"]
    better = better[better.isin(steps.loc[steps["stays"], "trial"])]
    better = better.head(max(FEWEST, -(-len(better) // 2)))
    these = steps[steps["trial"].isin(better)]
    late = these[these["share"] > LAST]
    if len(these) < FEWEST or len(late) <= len(these) / 2:
        return []
    gains = gain(tables, these["trial"].tolist())
    if gains.empty or float(gains["clear"].median()) < CLEAR:
        return []
    evidence = (
        f"Of the {len(these)} best trials whose learning rate stays high, {share(len(late), len(these))} were at their "
        f"best in the last quarter of training, and the last eighth of it still gained "
        f"{number(float(gains['gain'].median()), 2)} on the eighth before (median), "
        f"{number(float(gains['clear'].median()), 2)} times what noise explains."
    )
    step = "Train longer (`training.epochs`), or let the rate fall: `schedule.kind: cosine`."
    verdict = "Training ends while the better trials are still improving."
    return [Finding(verdict, evidence, step, tuple(sorted(late["trial"])), "caution")]


def gain(tables: Tables, trials: list[int]) -> pd.DataFrame:
    """What the last eighth of some trials' validations gained on the eighth before: gain, and clear, in its noise.

    The noise is that of the difference of two means, from the second differences of the last half by their median.
    """
    curves = tables.curves[tables.curves["trial"].isin(trials)]
    rows = []
    for trial, own in means(curves, [tables.objective]).groupby("trial"):
        values = tables.sign * own[tables.objective].dropna().to_numpy()
        if len(values) < SHORTEST:
            continue
        size = max(1, len(values) // 8)
        gained = float(values[-2 * size : -size].mean() - values[-size:].mean())
        noise = _noise(values[len(values) // 2 :]) * np.sqrt(2 / size)
        without = np.sign(gained) * np.inf if gained else 0.0
        rows.append({"trial": trial, "gain": gained, "clear": gained / noise if noise else without})
    return pd.DataFrame(rows, columns=["trial", "gain", "clear"])


def _noise(values: NDArray[np.float64]) -> float:
    """Standard deviation from one value to the next, whatever the trend (Gasser, Sroka and Jennen-Steinmetz 1986)."""
    return float(np.sqrt((np.diff(values, 2) ** 2).mean() / 6)) if len(values) > 2 else 0.0


def charts(tables: Tables) -> list[Figure]:
    """The histogram of the best steps."""
    steps, title = best_steps(tables), "When trials were at their best"
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
    late, early = int((steps["share"] > LAST).sum()), int((steps["share"] <= FIRST).sum())
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
