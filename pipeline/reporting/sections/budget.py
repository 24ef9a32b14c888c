"""Epochs spent, why the search ended, and what early stopping saves and costs."""

from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.advice import rules
from thalweg.reporting.advice.settings import format_settings
from thalweg.reporting.analysis import rank_agreement
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.rank_agreement import FinishedTrials, RankAgreement
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.trial_spread import compare_with_noise
from thalweg.reporting.finding import Finding, Measured, Step, measure
from thalweg.reporting.page import marks
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure, Table
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices
from thalweg.reporting.sentences import STATE_LABELS
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_count,
    format_number,
    format_percent,
    format_percent_estimate,
    format_share,
    join_items,
)
from thalweg.stats.interval import Interval

TITLE = "Budget"
ORDER = 44
MAX_DRAWN_EPOCHS = 24
"""Epochs in the chart, at most."""


def build_findings(tables: StudyTables) -> list[Finding]:
    return [*_report_stop(tables), *_report_pruning(tables), *_report_rank_agreement(tables)]


def _report_stop(tables: StudyTables) -> list[Finding]:
    """Report why a search ended before its last cohort."""
    stop = tables.summary.study.stop
    if not stop:
        return []
    reached, limit, reason = stop.get("reached"), stop["limit"], stop["reason"]
    if reason == "epochs":
        evidence = f"{format_count(reached or 0, 'epoch')} were trained; the limit is {limit:,.0f}."
    elif reason == "seconds":
        evidence = f"It ran for {format_count(round(limit), 'second')}, its limit. Another run may stop elsewhere."
    else:
        evidence = (
            f"The last cohorts (trials proposed together) improved {tables.objective_label} by "
            f"{format_number(reached, 2)} each, less than the {format_number(limit, 2)} of `study.stop.gain`."
        )
    finished, planned = len(tables.trials) + tables.repeat_count, tables.setting("study.trials", 0)
    verdict = f"The search stopped early, after {finished:,} of {planned:,} trials."
    step = rules.advise_trials(tables) if is_search_gaining(tables) else ""
    return [Finding(verdict, evidence, step, numbers={"trials": finished, "planned": planned})]


def _report_pruning(tables: StudyTables) -> list[Finding]:
    """Report what early stopping saved, and what it cost as far as stopped trials were audited."""
    stopped = tables.trials[tables.trials["state"] == "pruned"] if len(tables.trials) else tables.trials
    if stopped.empty:
        return []
    spent = int(tables.trials["epochs"].sum())
    full_lengths = stopped.get("training.epochs", tables.setting("training.epochs", tables.trials["epochs"].max()))
    saved = int((full_lengths - stopped["epochs"]).sum())
    numbers: dict[str, float] = {"epochs": spent, "saved_epochs": saved}
    evidence = (
        f"The trials trained {format_count(spent, 'epoch')}. Early stopping saved "
        f"{format_share(saved, spent + saved, 'epoch')}."
    )
    audited = stopped.dropna(subset="audit") if "audit" in stopped else stopped.iloc[:0]
    if audited.empty or tables.ranked.empty:
        step = "Raise `study.prune.audit`: a larger share of the stopped trials then trains to the end for comparison."
        return [Finding("The cost of early stopping is unknown.", evidence, step, numbers=numbers)]
    gains = ((float(tables.ranked["value"].iloc[0]) - audited["audit"]) * tables.sign).to_numpy()
    best, gain = int(audited["number"].to_numpy()[gains.argmax()]), float(gains.max())
    numbers["gain"] = gain
    evidence += f" {format_count(len(audited), 'stopped trial')} trained to the end for comparison."
    if gain <= 0:
        evidence += f" The best of them, trial {best}, ended {format_number(-gain, 2)} behind the best trial."
        verdict = "Early stopping lost no better trial among those checked."
        return [Finding(verdict, evidence, "", (best,), "good", numbers=numbers)]
    noise = estimate_seed_noise(tables)
    evidence += f" Trial {best} ended {format_number(gain, 2)} better than the best trial that was not stopped."
    if noise is not None and gain <= noise.least_significant_difference:
        evidence += f" That is within the noise of {format_number(noise.least_significant_difference, 2)}."
        return [Finding("Early stopping lost nothing beyond noise.", evidence, "", (best,), numbers=numbers)]
    step = "Judge later or keep more trials: raise `study.prune.first` or lower `study.prune.eta`."
    return [Finding("Early stopping lost a better trial.", evidence, step, (best,), "caution", numbers=numbers)]


def _report_rank_agreement(tables: StudyTables) -> list[Finding]:
    """Report whether trials rank early as they do at the end, and what follows for `study.prune`."""
    runs = rank_agreement.select_finished_trials(tables)
    if not runs:
        return []
    judged = {epoch: runs.agreement_at(epoch) for epoch in rank_agreement.list_judged_epochs(tables, runs.epochs)}
    agreements = {epoch: agreement for epoch, agreement in judged.items() if agreement}
    if not agreements:
        return []
    shares = "; ".join(
        f"at epoch {epoch} in {_describe_agreement(agreement)} of pairs" for epoch, agreement in agreements.items()
    )
    evidence = f"Of two trials, the one ahead early is still ahead at epoch {runs.last_epoch}: {shares}. "
    count, finished = len(runs.best_costs), rank_agreement.count_finished_trials(tables)
    share = format_count(count, "trial") if count == finished else f"{count:,} of {format_count(finished, 'trial')}"
    evidence += f"Measured on {share} that trained to the end"
    evidence += "." if count == finished else "; those that learned nothing or have another length are left out."
    first = agreements[min(agreements)]
    if first.low > rank_agreement.MIN_AGREEMENT and compare_with_noise(tables) == "alike":
        return []  # the order that short runs predict is then an order of seeds
    if tables.setting("study.prune"):
        return [_report_pruned_study(runs, first, evidence)]
    reliable = [epoch for epoch, agreement in agreements.items() if agreement.low > rank_agreement.MIN_AGREEMENT]
    return [_report_unpruned_study(tables, runs, reliable, first, evidence)]


def _measure_agreement(first: RankAgreement) -> Measured:
    """Return the share of pairs whose order stays, at the first epoch at which trials are judged."""
    return measure({"agreement": Interval(first.share, first.low, first.high, int(first.n))})


def _describe_agreement(agreement: RankAgreement) -> str:
    return format_percent_estimate(agreement.share, agreement.low, agreement.high)


def _report_pruned_study(runs: FinishedTrials, first: RankAgreement, evidence: str) -> Finding:
    threshold, measured = rank_agreement.MIN_AGREEMENT, _measure_agreement(first)
    if first.low > threshold:
        verdict = "Short runs predict long ones: trials are judged late enough."
        return Finding(verdict, evidence, tone="good", **measured)
    if first.high >= threshold:
        step = "Raise `study.prune.audit`: more of the stopped trials then train to the end for comparison."
        return Finding("It is unclear whether trials are judged too early.", evidence, step, **measured)
    later = [epoch for epoch in runs.epochs[:-1] if (result := runs.agreement_at(epoch)) and result.low > threshold]
    patch: dict[str, Any] = {"study.prune.first": later[0]} if later else {"study.prune": None}
    step = Step(f"{f'Judge from epoch {later[0]} on:' if later else 'Set'} {format_settings(patch)}.", patch)
    verdict = "Trials are judged too early: short runs do not predict long ones."
    return Finding(verdict, evidence, step, tone="caution", **measured)


def _report_unpruned_study(
    tables: StudyTables, runs: FinishedTrials, reliable: list[int], first: RankAgreement, evidence: str
) -> Finding:
    noise = estimate_seed_noise(tables)
    for epoch in reliable:
        halving = rank_agreement.simulate_stopping(tables, runs, epoch)
        if halving.shortfall > (noise.least_significant_difference if noise else 0.0):
            continue
        outcome, behind = "lose nothing", ", as now"
        if noise and halving.shortfall > 0:
            outcome = "lose nothing beyond noise"
            behind = f", {format_number(halving.shortfall, 2)} behind trial {halving.full_best_trial}; differences "
            behind += f"below {format_number(noise.least_significant_difference, 2)} are noise"
        at = f"epoch{'s' if len(halving.rungs) > 1 else ''} {join_items(halving.rungs)}"
        evidence += (
            f" Suppose only the better half of these trials in each cohort (proposed together) had trained on at {at}. "
            f"The best would be trial {halving.best_trial}{behind}. This would save "
            f"{format_share(halving.epochs_saved, halving.epochs_spent, 'epoch')}. Stopped trials that train on for "
            "comparison (`study.prune.audit`) would save none."
        )
        patch = {"study.prune": {"first": epoch, "eta": rank_agreement.ETA}}
        step = Step(f"Stop the worse half early: {format_settings(patch)}.", patch)
        verdict = f"Short runs predict long ones: stopping early would {outcome}."
        return Finding(verdict, evidence, step, (), "good", **_measure_agreement(first))
    if not reliable and first.high < rank_agreement.MIN_AGREEMENT:
        step = Step("Keep `study.prune: null`: early stopping would stop trials by chance.")
        return Finding("Short runs do not predict long ones.", evidence, step, **_measure_agreement(first))
    step = Step("Keep `study.prune: null`, or measure the cost of early stopping with `study.prune.audit`.")
    return Finding("It is unclear whether short runs predict long ones.", evidence, step, **_measure_agreement(first))


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty:
        return [EmptyFigure("budget", "Where the epochs went", "No trial was run.")]
    by_state = tables.trials.groupby("state")["epochs"].agg(trials="size", epochs="sum")
    rows = by_state.reindex([state for state in STATE_LABELS if state in by_state.index]).rename(STATE_LABELS)
    rows["share"] = [format_percent(epochs / max(rows["epochs"].sum(), 1), whole=True) for epochs in rows["epochs"]]
    table = rows.rename_axis("state at the end").reset_index()
    folds = int(tables.setting("data.split.folds", 5)) if tables.setting("data.split.by") == "folds" else 1
    lanes, caption = folds * tables.seeds_per_trial, "Epochs of training by how the trials ended."
    if lanes > 1:
        counts = {"fold": folds, "seed": tables.seeds_per_trial}
        runs = " and ".join(format_count(count, name) for name, count in counts.items() if count > 1)
        caption += f" Each epoch was trained {lanes} times, on {runs}; it is counted once."
    return [Table("budget", "Where the epochs went", caption, table), _build_agreement_figure(tables)]


def _build_agreement_figure(tables: StudyTables) -> Figure:
    """Draw the share of pairs in their final order, by epoch."""
    name, title, runs = "rungs", "Do short runs predict long ones?", rank_agreement.select_finished_trials(tables)
    if runs is None:
        return EmptyFigure(name, title, _explain_missing_agreement(tables))
    rungs = rank_agreement.list_judged_epochs(tables, runs.epochs)
    even = {runs.epochs[index] for index in subsample_indices(len(runs.epochs) - 1, MAX_DRAWN_EPOCHS)}
    rows = [
        {"epoch": epoch, "share": result.share, "low": result.low, "high": result.high, "rung": epoch in rungs}
        for epoch in sorted(even | set(rungs))
        if (result := runs.agreement_at(epoch))
    ]
    if not rows:
        return EmptyFigure(name, title, "Too few trials trained to the end, after weighting for audited trials.")
    judged = "epochs at which trials are judged" if tables.setting("study.prune") else "a quarter and half of training"
    caption = (
        f"Share of pairs of trials whose leader at an epoch (best so far) also leads at epoch {runs.last_epoch}. "
        f"Band: 95 % interval; 0.5 is chance. Dots: {judged}. Below the dashed line, short runs say little."
    )
    shares = "; ".join(f"epoch {row['epoch']} {row['share']:.2f}" for row in rows if row["rung"])
    description = f"Share of pairs of trials in their final order, by epoch: {shares}."
    table, line = pd.DataFrame(rows), pd.DataFrame({"share": [rank_agreement.MIN_AGREEMENT]})
    data = {"order": table, "rungs": table[table["rung"]], "line": line}
    return Chart(name, title, caption, description, data, _plot_agreement)


def _explain_missing_agreement(tables: StudyTables) -> str:
    """Say why no finished trials can be compared."""
    finished, needed = rank_agreement.count_finished_trials(tables), rank_agreement.MIN_TRIALS
    stopped = tables.count_trials("pruned")
    step = " Raise `study.prune.audit`." if stopped else ""
    if stopped and finished == tables.count_trials("complete"):
        return f"No stopped trial trained to the end for comparison.{step}"
    if finished < needed:
        return f"Too few trials trained to the end: the comparison needs {needed}, this study has {finished}.{step}"
    return f"The comparison needs {needed} trials of one length, with at least 4 validations, that learned something."


def _plot_agreement() -> AltairChart:
    x = alt.X("epoch:Q", axis=marks.build_integer_axis(), scale=alt.Scale(zero=False, nice=False, padding=6))
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", title=None)
    low, y = (alt.Y(f"{name}:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis) for name in ("low", "share"))
    base = marks.build_layer("order").encode(x=x)
    band = base.mark_area(color=PAINT["faint"], opacity=0.35).encode(y=low, y2="high:Q")
    rule = marks.build_layer("line").mark_rule(color=PAINT["quiet"], strokeDash=[5, 4]).encode(y=y)
    curve = base.mark_line(color=PAINT["ink"], strokeWidth=1.8).encode(y=y)
    dots = marks.build_layer("rungs").mark_point(color=PAINT["ink"], size=90)
    dots = dots.encode(x=x, y=y, tooltip=[alt.Tooltip("epoch:Q"), *marks.build_tooltips(".2f", "share", "low", "high")])
    return alt.layer(band, rule, curve, dots).properties(
        height=200, title=marks.build_heading("share of pairs in their final order")
    )
