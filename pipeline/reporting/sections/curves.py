"""How the networks learned: all trials, then winner and baseline from close by."""

from functools import partial
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis import constant_trials, winner_end
from thalweg.reporting.analysis.mean_curves import means
from thalweg.reporting.analysis.window import Window, window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading, whole_axis, window_axis, window_heading, window_scale
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import evenly, some_trials
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number, share

TITLE = "Learning curves"
ORDER = 40
LINES = 120
EPOCHS = 60
FRONT = 5


def mean_curves(curves: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Means over seeds and folds: one row a trial and epoch, sorted; epochs thinned to at most EPOCHS, ends kept.

    Without a column `trial` they are taken as those of one.
    """
    columns = [column for column in columns if column in curves]
    if curves.empty or not columns:
        return pd.DataFrame(columns=["trial", "epoch", *columns])
    mean = means(curves if "trial" in curves else curves.assign(trial=0), columns)
    epochs = np.sort(mean["epoch"].unique())
    kept = epochs[evenly(len(epochs), EPOCHS)]
    return mean[mean["epoch"].isin(kept)].reset_index(drop=True)


VERDICTS = {
    "improving": "The winner is still improving when training ends.",
    "late": "The winner is at its best when training ends.",
    "past": "The winner is past its best before training ends.",
    "untold": "Whether the winner would gain from longer training cannot be told.",
    "enough": "No sign that the winner would gain from longer training.",
}


def findings(tables: StudyTables) -> list[Finding]:
    known = winner_end.of(tables)
    if known is None:
        return []
    behind = () if tables.winner is None else (tables.winner,)
    tone: Literal["caution", "plain"] = "caution" if known.kind == "past" else "plain"
    return [Finding(VERDICTS[known.kind], known.evidence, epochs.of_winner(tables), behind, tone)]


def charts(tables: StudyTables) -> list[Figure]:
    return [_all(tables), *_pair(tables)]


def _all(tables: StudyTables) -> Figure:
    metric = tables.objective
    mean = mean_curves(tables.curves, [metric])
    if metric not in mean or mean[metric].notna().sum() == 0:
        return Blank("learning", "All trials", "There is no learning curve to draw.")
    mean = mean.rename(columns={metric: "value"}).dropna()
    trials = [int(trial) for trial in sorted(mean["trial"].unique())]
    best = [int(number) for number in tables.ranked["number"].head(FRONT)]
    kept = some_trials(trials, best, LINES)
    next_best = [trial for trial in best if trial != tables.winner]
    mean = mean[mean["trial"].isin([*kept, tables.winner])].astype({"trial": int})
    mean["role"] = "other trials"
    mean.loc[mean["trial"].isin(next_best), "role"] = "next best"
    mean.loc[mean["trial"] == tables.winner, "role"] = "winner"
    baseline = mean_curves(tables.baseline_curves.drop(columns="trial", errors="ignore"), [metric]).rename(
        columns={metric: "value"}
    )
    if "value" in baseline:
        baseline = baseline.dropna(subset=["value"]).assign(trial=None, role="baseline")[
            ["trial", "epoch", "value", "role"]
        ]
    else:
        baseline = pd.DataFrame(columns=["trial", "epoch", "value", "role"])
    lead = pd.concat([part for part in (mean[mean["role"] == "winner"], baseline) if len(part)] or [mean.head(0)])
    layers = {
        "others": mean[mean["role"] == "other trials"].drop(columns="role"),
        "next": mean[mean["role"] == "next best"],
        "lead": lead,
    }
    caption = "One line a trial, on validation: grey, but for the best. A line ends where its trial was stopped."
    if len(kept) < len(trials):
        caption += f" {share(len(kept), len(trials))} are drawn."
    flat = mean["trial"].isin(constant_trials.constant(tables)["number"])
    values = [*mean.loc[~flat, "value"], *baseline["value"]]
    seen = window(values or mean["value"], tables.sign, bounds=tables.bounds_of(tables.objective))
    out = mean[flat & ~mean["value"].between(seen.low, seen.high)]["trial"].nunique()
    if out:
        caption += f" {many(out, 'trial')} that learned nothing {'lies' if out == 1 else 'lie'} beyond the edge."
    return Chart(
        "learning",
        f"{label(metric).capitalize()} by epoch",
        caption,
        f"Validation {label(metric)} by epoch, one line for each of {many(len(kept), 'trial')}.",
        {name: table for name, table in layers.items() if len(table)},
        partial(
            _draw_all,
            seen,
            [name for name, table in layers.items() if len(table)],
            [role for role in _FRONT if role in {*lead["role"], *layers["next"]["role"]}],
            label(metric),
        ),
    )


_FRONT = {"winner": PAINT["winner"], "next best": PAINT["ink"], "baseline": PAINT["baseline"]}
_WIDTHS = {"others": 1.0, "next": 1.0, "lead": 2.6}


def _draw_all(seen: Window, layers: list[str], roles: list[str], axis: str) -> Drawing:
    y = alt.Y("value:Q", scale=window_scale(seen), axis=window_axis(seen))
    tips = ["trial:Q", "epoch:Q", alt.Tooltip("value:Q", format=".4~g")]
    legend = alt.Legend(symbolSize=260, symbolStrokeWidth=2)
    paints = alt.Scale(domain=roles, range=[_FRONT[role] for role in roles])
    color = alt.Color("role:N", scale=paints, legend=legend)
    dashes = alt.Scale(domain=roles, range=[[5, 4] if role == "baseline" else [1, 0] for role in roles])
    dash = alt.StrokeDash("role:N", scale=dashes, legend=legend)
    drawn = []
    for name in layers:
        lines = alt.Chart(source(name)).mark_line(clip=True, strokeWidth=_WIDTHS[name])
        if name == "others":
            lines = lines.mark_line(clip=True, strokeWidth=1, color=PAINT["faint"], opacity=0.55)
            drawn.append(lines.encode(x=_epochs(), y=y, detail="trial:N", tooltip=tips))
        else:
            told = lines.encode(x=_epochs(), y=y, detail="trial:N", color=color, strokeDash=dash)
            drawn.append(told.encode(tooltip=["role:N", *tips]))
    return alt.layer(*drawn).properties(height=320, title=window_heading(seen, axis))


def _pair(tables: StudyTables) -> list[Figure]:
    """Losses of winner and baseline, each on its own axis: values of different losses cannot be compared."""
    figures: list[Figure] = []
    rates: list[Figure] = []
    study = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    for role, curves in (("winner", study), ("baseline", tables.baseline_curves)):
        mean = mean_curves(curves.assign(trial=0), ["train_loss", "val_loss", "learning_rate"])
        if mean.empty:
            continue
        names = {"train_loss": "train", "val_loss": "validation"}
        columns = [column for column in names if column in mean]
        long = mean.melt(["epoch"], columns, "part", "loss").replace({"part": names}).dropna()
        if len(long):
            ends = ", ".join(
                f"{p} {number(long.loc[long['part'] == p, 'loss'].iloc[-1])}" for p in long["part"].unique()
            )
            seen = window(long["loss"], 1)
            out = int(seen.cut(long["loss"]).sum())
            cut = (
                f" {many(out, 'value')} above {number(seen.high)} {'is' if out == 1 else 'are'} cut off." if out else ""
            )
            who = f"the {role}" + (f" (trial {tables.winner})" if role == "winner" else "")
            figures.append(
                Chart(
                    f"loss-{role}",
                    f"Loss of {who}",
                    "Winner and baseline may minimize different losses: compare their shapes only." + cut,
                    f"Loss of {who} by epoch; at the end {ends}.",
                    {"losses": long},
                    partial(_draw_loss, role, seen),
                    half=True,
                )
            )
        rate = mean[["epoch", "learning_rate"]].dropna() if "learning_rate" in mean else pd.DataFrame()
        if len(rate):
            top = number(rate["learning_rate"].max())
            rates.append(
                Chart(
                    f"rate-{role}",
                    f"Schedule of the {role}",
                    f"The learning rate of the last step before each validation; {top} is the highest of these.",
                    f"Learning rate of the {role} at each validation, {top} at its highest.",
                    {"rate": rate},
                    partial(_draw_rate, role),
                    half=True,
                )
            )
    return [*figures, *rates]


def _epochs() -> alt.X:
    return alt.X("epoch:Q", axis=whole_axis(), scale=alt.Scale(nice=False, zero=False))


def _draw_loss(role: str, seen: Window) -> Drawing:
    parts = alt.Scale(domain=["train", "validation"], range=[[3, 4], [1, 0]])
    lines: alt.Chart = alt.Chart(source("losses")).mark_line(clip=True, color=PAINT[role], strokeWidth=2)
    return lines.encode(
        x=_epochs(),
        y=alt.Y("loss:Q", scale=window_scale(seen), axis=window_axis(seen)),
        strokeDash=alt.StrokeDash("part:N", scale=parts),
        tooltip=["part:N", "epoch:Q", alt.Tooltip("loss:Q", format=".4~g")],
    ).properties(height=220, title=window_heading(seen, "loss"))


def _draw_rate(role: str) -> Drawing:
    edge = {"color": PAINT[role], "strokeWidth": 2}
    area: alt.Chart = alt.Chart(source("rate")).mark_area(color=PAINT[role], opacity=0.18, line=edge)
    y = alt.Y("learning_rate:Q", title=None, axis=alt.Axis(tickCount=3, format=".6~g"), scale=alt.Scale(zero=True))
    return area.encode(x=_epochs(), y=y).properties(height=90, title=heading("learning rate"))
