"""What the epochs were spent on, why the search ended, and what stopping trials early saves and costs."""

import altair as alt
import pandas as pd

from thalweg.reporting.advice import more_trials
from thalweg.reporting.analysis.pareto_growth import is_search_gaining
from thalweg.reporting.analysis.rank_agreement import (
    ETA,
    MIN_AGREEMENT,
    MIN_TRIALS,
    FinishedTrials,
    RankAgreement,
    list_judged_epochs,
    select_finished_trials,
    simulate_rung,
)
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure, Table
from thalweg.reporting.page.marks import build_heading, build_integer_axis, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_share, metric_label

TITLE = "Budget"
ORDER = 35
MAX_DRAWN_EPOCHS = 24
"""At most so many epochs are drawn."""


def build_findings(tables: StudyTables) -> list[Finding]:
    return [*_report_stop(tables), *_report_pruning(tables), *_report_rank_agreement(tables)]


def _report_stop(tables: StudyTables) -> list[Finding]:
    """Why no more cohorts were begun, where the study ended before its last."""
    stop = tables.summary.study.stop
    if not stop:
        return []
    limit, objective = stop["limit"], metric_label(tables.objective)
    told = {
        "epochs": f"{stop.get('reached', 0):,} epochs were trained, the limit is {limit:,.0f}.",
        "seconds": f"It had worked for {limit:,.0f} seconds. Another run may stop elsewhere: time is not reproducible.",
        "gain": f"The last cohorts bettered the {objective} by {format_number(stop.get('reached'), 2)} each, "
        f"less than the {format_number(limit, 2)} that one more had to promise.",
    }[stop["reason"]]
    wanted = tables.setting("study.trials", 0)
    verdict = f"The search ended before its last cohort: {len(tables.trials):,} of {wanted:,} trials."
    return [Finding(verdict, told, more_trials.advise_trials(tables) if is_search_gaining(tables) else "")]


def _report_pruning(tables: StudyTables) -> list[Finding]:
    """What stopping trials early saved, and, from those that trained on to see, what it cost."""
    stopped = tables.trials[tables.trials["state"] == "pruned"] if len(tables.trials) else tables.trials
    if stopped.empty:
        return []
    spent = int(tables.trials["epochs"].sum())
    asked = stopped.get("training.epochs", tables.setting("training.epochs", tables.trials["epochs"].max()))
    saved = int((asked - stopped["epochs"]).sum())
    evidence = f"Trained were {spent:,} epochs, {format_share(saved, spent + saved)} less than without stopping anyone."
    audited = stopped.dropna(subset="audit") if "audit" in stopped else stopped.iloc[:0]
    if audited.empty or tables.ranked.empty:
        step = "Set `study.prune.audit` to let a share of the stopped trials train on and be compared."
        return [Finding("What early stopping cost is not measurable.", evidence, step)]
    gains = ((float(tables.ranked["value"].iloc[0]) - audited["audit"]) * tables.sign).to_numpy()
    who, most = int(audited["number"].to_numpy()[gains.argmax()]), float(gains.max())
    evidence += f" {format_count(len(audited), 'stopped trial')} trained on to see."
    if most <= 0:
        evidence += f" The best of them, trial {who}, ended {format_number(-most, 2)} behind the best trial."
        return [Finding("Early stopping lost nothing that was looked at.", evidence, "", (who,), "good")]
    noise = estimate_seed_noise(tables)
    evidence += f" Trial {who} ended {format_number(most, 2)} better than the best trial that was kept."
    if noise is not None and most <= noise.least_significant_difference:
        evidence += f" That is within the noise of {format_number(noise.least_significant_difference, 2)}."
        return [Finding("Early stopping lost nothing beyond noise.", evidence, "", (who,))]
    step = "Judge later, or keep more: raise `study.prune.first`, lower `study.prune.eta`."
    return [Finding("Early stopping lost a better trial.", evidence, step, (who,), "caution")]


def _report_rank_agreement(tables: StudyTables) -> list[Finding]:
    """Whether the order of trials at rungs is that of the end, and what follows for `study.prune`."""
    runs = select_finished_trials(tables)
    known = (
        {epoch: at for epoch in list_judged_epochs(tables, runs.epochs) if (at := runs.agreement_at(epoch))}
        if runs
        else {}
    )
    if not runs or not known:
        return []
    told = "; ".join(
        f"at epoch {epoch} in {100 * at.share:.0f} % of pairs ({100 * at.low:.0f} to {100 * at.high:.0f} %)"
        for epoch, at in known.items()
    )
    evidence = f"Of two trials, the one that is ahead early is ahead at epoch {runs.last_epoch} too: {told}."
    evidence += f" Over {format_count(len(runs.best_costs), 'trial')} that trained to the end."
    first = known[min(known)]
    if tables.setting("study.prune"):
        return [_report_pruned_study(runs, first, evidence)]
    return [
        _report_unpruned_study(
            tables, runs, [epoch for epoch, at in known.items() if at.low > MIN_AGREEMENT], first, evidence
        )
    ]


def _report_pruned_study(runs: FinishedTrials, first: RankAgreement, evidence: str) -> Finding:
    if first.low > MIN_AGREEMENT:
        return Finding("Short runs foretell long ones: trials are judged late enough.", evidence, tone="good")
    if first.high >= MIN_AGREEMENT:
        step = "Audit more of the stopped trials (`study.prune.audit`) to settle whether they are stopped too early."
        return Finding("Whether trials are judged too early is not settled.", evidence, step)
    later = [epoch for epoch in runs.epochs[:-1] if (at := runs.agreement_at(epoch)) and at.low > MIN_AGREEMENT]
    step = f"Judge from epoch {later[0]} on: `study.prune.first: {later[0]}`." if later else "Set `study.prune: null`."
    return Finding("Trials are judged too early: short runs do not foretell long ones.", evidence, step, tone="caution")


def _report_unpruned_study(
    tables: StudyTables, runs: FinishedTrials, good: list[int], first: RankAgreement, evidence: str
) -> Finding:
    noise = estimate_seed_noise(tables)
    for epoch in good:
        rung = simulate_rung(tables, runs, epoch)
        if rung.shortfall > (noise.least_significant_difference if noise else 0.0):
            continue
        behind = f", {format_number(rung.shortfall, 2)} behind" if rung.shortfall > 0 else ", as it was"
        evidence += (
            f" Had the better half of each cohort gone on at epoch {epoch}, the best would have been trial "
            f"{rung.best_trial}{behind}, and {format_share(rung.epochs_saved, rung.epochs_spent)} of these epochs would have been saved."
        )
        step = f"Stop the worse half early: `study.prune: {{first: {epoch}, eta: {ETA}}}`."
        return Finding("Short runs foretell long ones: stopping early would be safe.", evidence, step, (), "good")
    if not good and first.high < MIN_AGREEMENT:
        step = "Keep `study.prune: null`: what stops early here stops by chance."
        return Finding("Short runs do not foretell long ones.", evidence, step)
    step = "Keep `study.prune: null`, or watch what stopping costs with `study.prune.audit`."
    return Finding("Whether short runs foretell long ones is not settled.", evidence, step)


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty:
        return [EmptyFigure("budget", "Where the epochs went", "No trial was run.")]
    by_state = tables.trials.groupby("state")["epochs"].agg(trials="size", epochs="sum")
    rows = by_state.reindex([s for s in ("complete", "pruned", "infeasible", "diverged") if s in by_state.index])
    rows["share"] = [f"{100 * epochs / max(rows['epochs'].sum(), 1):.0f} %" for epochs in rows["epochs"]]
    table = rows.rename_axis("trials that ended").reset_index()
    caption = "Epochs of training by what became of the trials; with several seeds or folds, those of one lane."
    return [Table("budget", "Where the epochs went", caption, table), _build_agreement_figure(tables)]


def _build_agreement_figure(tables: StudyTables) -> Figure:
    """The share of pairs in the order of the end, by epoch."""
    name, title, runs = "rungs", "Do short runs foretell long ones?", select_finished_trials(tables)
    if runs is None:
        reason = f"Too few trials trained to the end to compare: {MIN_TRIALS} are needed, and where trials are stopped "
        reason += "early, some that trained on all the same (`study.prune.audit`)."
        return EmptyFigure(name, title, reason)
    rungs = list_judged_epochs(tables, runs.epochs)
    even = {runs.epochs[place] for place in subsample_indices(len(runs.epochs) - 1, MAX_DRAWN_EPOCHS)}
    rows = [
        {"epoch": epoch, "share": at.share, "low": at.low, "high": at.high, "rung": epoch in rungs}
        for epoch in sorted(even | set(rungs))
        if (at := runs.agreement_at(epoch))
    ]
    if not rows:
        return EmptyFigure(name, title, "The trials that trained to the end stand for too few to compare.")
    judged = "where trials are judged" if tables.setting("study.prune") else "a quarter and half of the training"
    caption = (
        f"Share of pairs of trials whose order at an epoch, by the best so far, is that at epoch {runs.last_epoch}, with its "
        f"95 % interval; 0.5 is chance. Dots: {judged}. Below the dashed line short runs say little."
    )
    shown = "; ".join(f"epoch {row['epoch']} {row['share']:.2f}" for row in rows if row["rung"])
    spoken = f"Share of pairs of trials in the order of the end, by epoch: {shown}."
    table, line = pd.DataFrame(rows), pd.DataFrame({"share": [MIN_AGREEMENT]})
    return Chart(
        name, title, caption, spoken, {"order": table, "rungs": table[table["rung"]], "line": line}, _plot_agreement
    )


def _plot_agreement() -> AltairChart:
    x = alt.X("epoch:Q", axis=build_integer_axis(), scale=alt.Scale(zero=False, nice=False, padding=6))
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", title=None)
    low, y = (alt.Y(f"{name}:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=axis) for name in ("low", "share"))
    base = build_layer("order").encode(x=x)
    band = base.mark_area(color=PAINT["faint"], opacity=0.35).encode(y=low, y2="high:Q")
    rule = build_layer("line").mark_rule(color=PAINT["quiet"], strokeDash=[5, 4]).encode(y=y)
    curve = base.mark_line(color=PAINT["ink"], strokeWidth=1.8).encode(y=y)
    dots = build_layer("rungs").mark_point(color=PAINT["ink"], size=90)
    dots = dots.encode(x=x, y=y, tooltip=[alt.Tooltip("epoch:Q"), *build_tooltips(".2f", "share", "low", "high")])
    return alt.layer(band, rule, curve, dots).properties(height=200, title=build_heading("share of pairs in order"))
