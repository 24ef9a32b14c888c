"""The end of training: when trials were at their best, and whether the loss still swung."""

from functools import partial

import altair as alt
import numpy as np

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis import constant_trials, swings, training_length
from thalweg.reporting.finding import Finding, sort_trials
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import build_category_scale, build_heading, build_layer
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import capitalise_first, format_count, format_number, format_percent, format_share

RATE_COLOURS = {"rate stays high": PAINT["plain"], "rate falls": PAINT["paper"]}


def build_findings(tables: StudyTables) -> list[Finding]:
    """Report that training is too long or too short for most trials, or that the best still swing at its end."""
    return [*_report_training_length(tables), *_report_swings(tables)]


def _report_training_length(tables: StudyTables) -> list[Finding]:
    if long := training_length.find_long_training(tables):
        share = capitalise_first(format_share(len(long.early_trials), long.trial_count, "complete trial"))
        evidence = (
            f"{share} reached their best on the validation set by epoch {long.early_epoch} of "
            f"{long.epochs}, and 90 % by epoch {long.best_by_epoch}. If validation only fluctuated around a constant "
            f"level, {format_percent(long.expected_share, whole=True)} would be that early."
        )
        numbers = {"early_trials": len(long.early_trials), "trials": long.trial_count, "epochs": long.epochs}
        step = epochs.advise_trial_epochs(tables, "fewer")
        verdict = "Most trials are at their best in the first tenth of training."
        return [Finding(verdict, evidence, step, long.early_trials, "caution", numbers=numbers)]
    if short := training_length.find_short_training(tables):
        evidence = (
            f"Among the {short.trial_count} best trials whose learning rate stays high, "
            f"{format_share(len(short.late_trials), short.trial_count)} reached their best in the last quarter of "
            f"training. The last eighth still gained {format_number(short.gain, 2)} over the eighth before (median), "
            f"{format_number(short.gain_ratio, 2)} times what fluctuation between validations explains."
        )
        measured = {"late_trials": len(short.late_trials), "trials": short.trial_count, "gain": short.gain}
        step = epochs.advise_trial_epochs(tables, "more")
        verdict = "Training ends while the better trials are still improving."
        return [Finding(verdict, evidence, step, short.late_trials, "caution", numbers=measured)]
    return []


def _report_swings(tables: StudyTables) -> list[Finding]:
    swinging = swings.find_swinging_trials(tables)
    if swinging.empty:
        return []
    first, checked = swinging.iloc[0], len(swings.compute_late_swings(tables))
    share = format_share(len(swinging), checked, "trial")
    spread, rate, swing = (format_percent(first[name], whole=True) for name in ("spread", "rate", "swing"))
    evidence = (
        f"This holds for {share} checked: the {swings.BEST_TRIALS} best and the winner. In the last fifth of trial "
        f"{int(first['trial'])}, batch losses vary by {spread} of their mean within an epoch, at {rate} of the highest "
        f"learning rate. Its validation loss changes by {swing} from one validation to the next. Which trial is best "
        "then depends on where its loss happens to be."
    )
    numbers = {"swinging": len(swinging), "checked": checked}
    step = epochs.advise_falling_rate()
    verdict = "The loss of the best trials still swings when training ends."
    return [Finding(verdict, evidence, step, sort_trials(swinging["trial"]), "caution", numbers=numbers)]


def build_best_steps_figure(tables: StudyTables) -> Figure:
    steps, title = training_length.find_best_epochs(tables), "When trials were at their best"
    if len(steps) < 2:
        reason = "Fewer than two trials trained to the end and learned something."
        return EmptyFigure("best-steps", title, reason, is_half_width=True)
    tenths = np.clip(np.ceil(steps["share"] * 10 - 1e-9), 1, 10).astype(int)
    rate = steps["stays"].map({True: "rate stays high", False: "rate falls"}).rename("rate")
    counts = steps.groupby([tenths.rename("tenth"), rate]).size().rename("trials").reset_index()
    table = counts.assign(**{"from": (counts["tenth"] - 1) * 10, "to": counts["tenth"] * 10}).drop(columns="tenth")
    rates = {rate: paint for rate, paint in RATE_COLOURS.items() if rate in set(table["rate"])}
    caption = "When the best validation came, as a share of training."
    if constant := len(tables.ranked) - len(constant_trials.drop_constant_trials(tables, tables.ranked)):
        caption += f" Without the {format_count(constant, 'trial')} that learned nothing."
    if "rate falls" in rates:
        caption += " A learning rate that falls to zero brings the best to the end."
    late = (steps["share"] > training_length.LATE_SHARE).sum()
    early = (steps["share"] <= training_length.EARLY_SHARE).sum()
    spoken = (
        f"Of {format_count(len(steps), 'trial')} {early} were at their best in the first tenth of training, {late} in "
    )
    spoken += "the last quarter."
    return Chart(
        "best-steps", title, caption, spoken, {"steps": table}, partial(_plot_best_steps, rates), is_half_width=True
    )


def _plot_best_steps(rates: dict[str, str]) -> AltairChart:
    axis = alt.Axis(title="share of training, %", values=[0, 25, 50, 75, 100])
    bars: alt.Chart = build_layer("steps").mark_bar(stroke=PAINT["plain"], strokeWidth=1.2, binSpacing=3)
    chart = bars.encode(
        x=alt.X("from:Q", bin="binned", axis=axis, scale=alt.Scale(domain=[0, 100], nice=False)),
        x2="to:Q",
        y=alt.Y("trials:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d", tickCount=4)),
        fill=alt.Fill("rate:N", scale=build_category_scale(rates), legend=alt.Legend() if len(rates) > 1 else None),
        order=alt.Order("rate:N", sort="descending"),
        tooltip=["rate:N", "trials:Q", alt.Tooltip("from:Q", title="from %"), alt.Tooltip("to:Q", title="to %")],
    )
    return chart.properties(height=180, title=build_heading("trials"))
