"""Learning curves: all trials, then winner and baseline in detail."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis import constant_trials, winner_end
from thalweg.reporting.analysis.mean_curves import compute_lane_means
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import Finding, Tone
from thalweg.reporting.page import marks
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices, subsample_trials
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_share, is_missing

TITLE = "Learning curves"
ORDER = 24
MAX_DRAWN_TRIALS = 120
MAX_DRAWN_EPOCHS = 60
BEST_DRAWN_TRIALS = 5

VERDICT_SENTENCES = {
    "improving": "The winner is still improving when training ends.",
    "late": "The winner is at its best when training ends.",
    "past": "The winner is past its best before training ends.",
    "unclear": "It is unclear whether the winner would gain from longer training.",
    "enough": "No sign that the winner would gain from longer training.",
}
REASON_SENTENCES = {
    "improving": " Its learning rate does not fall, so more epochs may help.",
    "late": " If the learning rate falls to zero, the best epoch is near the end at any length.",
}
ROLE_COLOURS = {"winner": PAINT["winner"], "next best": PAINT["ink"], "baseline": PAINT["baseline"]}


def build_findings(tables: StudyTables) -> list[Finding]:
    ending = winner_end.find_winner_ending(tables)
    if ending is None:
        return []
    first, last = ending.earliest_best, ending.latest_best
    when = f"at epoch {last}" if first == last else f"between epochs {first} and {last}"
    evidence = (
        f"On {format_count(ending.seed_count, 'fresh seed')} the winner reached its best on the validation set {when} "
        f"of {ending.epochs}, on {ending.late_count or 'none'} of them within the last tenth."
        f"{REASON_SENTENCES.get(ending.kind, '')}"
    )
    trials = () if tables.winner is None else (tables.winner,)
    tone: Tone = "caution" if ending.kind == "past" else "plain"
    step, numbers = (
        epochs.advise_winner_epochs(tables),
        {"earliest_best": first, "latest_best": last, "epochs": ending.epochs},
    )
    return [Finding(VERDICT_SENTENCES[ending.kind], evidence, step, trials, tone, numbers=numbers)]


def subsample_mean_curves(curves: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return means over seeds and folds, one row per trial and epoch, sorted, with the first and last epoch.

    Epochs are thinned to at most MAX_DRAWN_EPOCHS. Curves without a column `trial` are those of one trial.
    """
    columns = [column for column in columns if column in curves]
    if curves.empty or not columns:
        return pd.DataFrame(columns=["trial", "epoch", *columns])
    mean = compute_lane_means(curves if "trial" in curves else curves.assign(trial=0), columns)
    epochs = np.sort(mean["epoch"].unique())
    return mean[mean["epoch"].isin(epochs[subsample_indices(len(epochs), MAX_DRAWN_EPOCHS)])].reset_index(drop=True)


def build_figures(tables: StudyTables) -> list[Figure]:
    study = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    pair = {
        role: subsample_mean_curves(curves.assign(trial=0), ["train_loss", "val_loss", "learning_rate"])
        for role, curves in (("winner", study), ("baseline", tables.baseline_curves))
    }
    note = "Winner and baseline minimise different losses: compare only the shapes of the curves."
    note = note if _has_other_loss(tables) else ""
    losses = [chart for role, mean in pair.items() for chart in _build_loss_charts(role, mean, tables.winner, note)]
    return [
        _build_learning_figure(tables),
        *losses,
        *(chart for role, mean in pair.items() for chart in _build_schedule_charts(role, mean)),
    ]


def _build_learning_figure(tables: StudyTables) -> Figure:
    metric, short = tables.objective, tables.objective_label
    mean = subsample_mean_curves(tables.curves, [metric])
    if metric not in mean or mean[metric].notna().sum() == 0:
        return EmptyFigure("learning", "All trials", "There is no learning curve to draw.")
    mean = mean.rename(columns={metric: "value"}).dropna()
    trials = [int(trial) for trial in sorted(mean["trial"].unique())]
    best = [int(number) for number in tables.ranked["number"].head(BEST_DRAWN_TRIALS)]
    drawn_trials = subsample_trials(trials, best, MAX_DRAWN_TRIALS)
    mean = mean[mean["trial"].isin([*drawn_trials, tables.winner])].astype({"trial": int})
    won, next_best = mean["trial"] == tables.winner, mean["trial"].isin(best)
    mean["role"] = np.select([won, next_best], ["winner", "next best"], "other trials")
    baseline = subsample_mean_curves(tables.baseline_curves.drop(columns="trial", errors="ignore"), [metric])
    baseline = baseline.rename(columns={metric: "value"}).reindex(columns=["trial", "epoch", "value"])
    baseline = baseline.dropna(subset="value").assign(trial=None, role="baseline")
    layers = {
        "others": mean[mean["role"] == "other trials"].drop(columns="role"),
        "next": mean[mean["role"] == "next best"],
        "lead": pd.concat([part for part in (mean[won], baseline) if len(part)] or [mean.head(0)]),
    }
    next_count = int(mean.loc[next_best & ~won, "trial"].nunique())
    beside = f" and the {next_count} next best" if next_count else ""
    grey = f"Grey: all trials but the winner{beside}. " if len(layers["others"]) else ""
    caption = "One line for each trial and for the baseline, on the validation set. "
    caption += f"{grey}Lines end where trials were stopped."
    if len(drawn_trials) < len(trials):
        caption += f" {format_share(len(drawn_trials), len(trials))} are drawn."
    flat = mean["trial"].isin(constant_trials.find_constant_trials(tables)["number"])
    values = [*mean.loc[~flat, "value"], *baseline["value"]]
    window = compute_window(values or mean["value"], tables.sign, bounds=tables.bounds_of(metric))
    if count := mean[flat & ~mean["value"].between(window.low, window.high)]["trial"].nunique():
        caption += (
            f" {format_count(count, 'trial')} that learned nothing {'lies' if count == 1 else 'lie'} beyond the edge."
        )
    description = f"Validation {short} by epoch, one line for each of {format_count(len(drawn_trials), 'trial')}."
    roles = {role: paint for role, paint in ROLE_COLOURS.items() if role in {*layers["lead"]["role"], *mean["role"]}}
    draw = partial(_plot_learning_curves, window, roles, short)
    return Chart("learning", f"{short.capitalize()} by epoch", caption, description, layers, draw)


def _plot_learning_curves(window: Window, roles: dict[str, str], axis: str) -> AltairChart:
    position = {"x": _encode_epochs(), "y": marks.encode_window_y(window, "value"), "detail": "trial:N"}
    tooltip = ["trial:Q", "epoch:Q", *marks.build_tooltips(".4~g", "value")]
    legend = alt.Legend(symbolSize=260, symbolStrokeWidth=2)
    dashes = {role: [5, 4] if role == "baseline" else [1, 0] for role in roles}
    role_channels = {
        "color": alt.Color("role:N", scale=marks.build_category_scale(roles), legend=legend),
        "strokeDash": alt.StrokeDash("role:N", scale=marks.build_category_scale(dashes), legend=legend),
        "tooltip": ["role:N", *tooltip],
    }
    others = marks.build_layer("others").mark_line(clip=True, strokeWidth=1, color=PAINT["faint"], opacity=0.55)
    best = [
        marks.build_layer(name).mark_line(clip=True, strokeWidth=width).encode(**position, **role_channels)
        for name, width in (("next", 1.0), ("lead", 2.6))
    ]
    layers = alt.layer(others.encode(**position, tooltip=tooltip), *best)
    return layers.properties(height=320, title=marks.build_window_heading(window, axis))


def _has_other_loss(tables: StudyTables) -> bool:
    """Return whether the winner was trained with other settings of the loss than the file's."""
    if tables.winner is None:
        return False
    row = tables.trials[tables.trials["number"] == tables.winner].iloc[0]
    searched = [parameter.name for parameter in tables.parameters if parameter.name.startswith("loss.")]
    return any(not is_missing(row[name]) and row[name] != tables.setting(name) for name in searched)


def _build_loss_charts(role: str, mean: pd.DataFrame, winner: int | None, note: str) -> list[Chart]:
    """Draw the losses of winner or baseline on an axis of their own: different losses are not comparable."""
    names = {"train_loss": "train", "val_loss": "validation"}
    columns = [column for column in names if column in mean]
    losses = mean.melt(["epoch"], columns, "part", "loss").replace({"part": names}).dropna()
    if losses.empty:
        return []
    ends = ", ".join(
        f"{part} {format_number(loss)}" for part, loss in losses.groupby("part", sort=False)["loss"].last().items()
    )
    window = compute_window(losses["loss"], 1)
    cut, caption = int(window.is_outside(losses["loss"]).sum()), note
    if cut:
        verb = "is" if cut == 1 else "are"
        caption = f"{note} {format_count(cut, 'value')} above {format_number(window.high)} {verb} cut off.".strip()
    title = f"Loss of the {role}" + (f" (trial {winner})" if role == "winner" else "")
    description = f"{title} by epoch; at the end {ends}."
    draw = partial(_plot_losses, role, window)
    return [Chart(f"loss-{role}", title, caption, description, {"losses": losses}, draw, is_half_width=True)]


def _plot_losses(role: str, window: Window) -> AltairChart:
    lines: alt.Chart = marks.build_layer("losses").mark_line(clip=True, color=PAINT[role], strokeWidth=2)
    return lines.encode(
        x=_encode_epochs(),
        y=marks.encode_window_y(window, "loss"),
        strokeDash=alt.StrokeDash("part:N", scale=marks.build_category_scale({"train": [3, 4], "validation": [1, 0]})),
        tooltip=["part:N", "epoch:Q", *marks.build_tooltips(".4~g", "loss")],
    ).properties(height=220, title=marks.build_window_heading(window, "loss"))


def _build_schedule_charts(role: str, mean: pd.DataFrame) -> list[Chart]:
    """Draw the schedule of winner or baseline."""
    rate = mean.reindex(columns=["epoch", "learning_rate"]).dropna()
    if rate.empty:
        return []
    top, title = format_number(rate["learning_rate"].max()), f"Schedule of the {role}"
    caption = f"The learning rate of the last step before each validation. The highest is {top}."
    description = f"Learning rate of the {role} at each validation, {top} at its highest."
    return [
        Chart(
            f"rate-{role}",
            title,
            caption,
            description,
            {"rate": rate},
            partial(_plot_schedule, role),
            is_half_width=True,
        )
    ]


def _plot_schedule(role: str) -> AltairChart:
    edge = {"color": PAINT[role], "strokeWidth": 2}
    area: alt.Chart = marks.build_layer("rate").mark_area(color=PAINT[role], opacity=0.18, line=edge)
    y = alt.Y("learning_rate:Q", title=None, axis=alt.Axis(tickCount=3, format=".6~g"), scale=alt.Scale(zero=True))
    return area.encode(x=_encode_epochs(), y=y).properties(height=90, title=marks.build_heading("learning rate"))


def _encode_epochs() -> alt.X:
    return alt.X("epoch:Q", axis=marks.build_integer_axis(), scale=alt.Scale(nice=False, zero=False))
