"""How the trials trained: what the monitor saw, where in the space, and what goes with being lost."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis import constant_trials, failure_regions, training_length
from thalweg.reporting.analysis.separation import Parted
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, Listing, source
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.sections.health import best_epochs, rates, swings, verdict_map
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, listed, many, number, share

TITLE = "Health"
ORDER = 60


def findings(tables: StudyTables) -> list[Finding]:
    total, lost = len(tables.trials), _diverged(tables)
    if not total:
        return []
    if tables.count("diverged") == total:
        return lost
    seen = [*lost, *_stuck(tables), *rates.findings(tables), *best_epochs.findings(tables), *swings.findings(tables)]
    finite = f"{many(total, 'trial')} kept finite numbers to where each ended.{_stopped(tables)}"
    return [*seen, *([] if lost else [Finding("No trial diverged.", finite, tone="good")]), *_short(tables)]


def _stopped(tables: StudyTables) -> str:
    """That trials which were stopped early may have diverged later, as a sentence; '' where none was."""
    stopped = tables.count("pruned")
    how = "was" if stopped == 1 else "were"
    return f" {stopped:,} {how} stopped early: what would have become of them is not known." if stopped else ""


def _short(tables: StudyTables) -> list[Finding]:
    """That some trials are too short for the monitor, said once for all that it judges."""
    told = constant_trials.verdicts(tables)
    short = told[told["kind"] == failure_regions.SHORT] if len(told) else told
    if short.empty:
        return []
    stopped = int(tables.trials.loc[tables.trials["number"].isin(short["trial"]), "state"].eq("pruned").sum())
    how = f"{many(len(short), 'trial')} {'is' if len(short) == 1 else 'are'} too short to be judged"
    evidence = (
        f"Whether a rate is right, or a network overfits, is told from {training_length.SHORTEST} validations on; "
        "of shorter "
        "trials it is counted only that they diverged, or learned nothing."
    )
    if stopped:
        some = "All" if stopped == len(short) else share(stopped, len(short))
        evidence += f" {some} of them were stopped early."
    every = int(tables.setting("training.validate_every") or 1)
    step = "Validate more often: `training.validate_every: 1`." if every > 1 else ""
    return [Finding(f"{how}.", evidence, step, tuple(sorted(int(trial) for trial in short["trial"])))]


def _diverged(tables: StudyTables) -> list[Finding]:
    total = len(tables.trials)
    diverged = tables.trials[tables.trials["state"] == "diverged"] if total else tables.trials
    if diverged.empty:
        return []
    numbers = tuple(int(number) for number in diverged["number"])
    steps = diverged["diverged_step"].dropna() if "diverged_step" in diverged else pd.Series(dtype=float)
    evidence = f"{share(len(diverged), total)} of the trials became non-finite"
    evidence += (
        f", first at step {number(int(steps.min()))} and last at step {number(int(steps.max()))}. "
        if len(steps)
        else ". "
    )
    if len(diverged) == total:
        return [Finding("Every trial diverged.", evidence.strip(), search_space.all_lost(tables), numbers, "caution")]
    cause, step = _cause(tables, failure_regions.diverging(tables), "diverged")
    cause += _stopped(tables)
    return [Finding(f"{many(len(diverged), 'trial')} diverged.", evidence + cause, step, numbers, "caution")]


def _stuck(tables: StudyTables) -> list[Finding]:
    stuck_ones = constant_trials.constant(tables)
    if stuck_ones.empty:
        return []
    values = stuck_ones["value"]
    evidence = (
        f"{share(len(stuck_ones), len(tables.trials))} of the trials ended, or were stopped, at the same "
        f"{label(tables.objective)}, {number(float(values.median()))}, whatever their parameters: such a network gives "
        "one answer to every example. "
    )
    cause, step = _cause(tables, failure_regions.learning_nothing(tables), "learned nothing")
    numbers = tuple(int(trial) for trial in stuck_ones["number"])
    return [Finding(f"{many(len(stuck_ones), 'trial')} learned nothing.", evidence + cause, step, numbers, "caution")]


def _cause(tables: StudyTables, edge: Parted | None, what: str) -> tuple[str, str]:
    """What sets lost trials apart, and what to do about it."""
    if edge is None:
        return "Nothing searched sets them apart clearly.", f"Look at the curves of the trials that {what}."
    return edge.told(), search_space.without(tables, edge)


def charts(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or tables.verdicts.empty:
        return [Blank("verdicts", "Verdicts", "The monitor left no verdicts.")]
    told = constant_trials.verdicts(tables)
    counts = told.groupby("kind")["trial"].nunique()
    order = verdict_map.ordered(counts.index.tolist())
    table = pd.DataFrame({"kind": order, "trials": [int(counts[kind]) for kind in order]})
    caption = "What the monitor said of the trials, one verdict each."
    spoken = (
        "Verdicts: " + ", ".join(f"{kind} {n}" for kind, n in zip(table["kind"], table["trials"], strict=True)) + "."
    )
    return [
        Chart("verdicts", "Verdicts of the monitor", caption, spoken, {"counts": table}, partial(_draw, order)),
        *verdict_map.chart(tables, told, next(iter(failure_regions.all_of(tables)), None)),
        _evidence(tables, told, order),
        *best_epochs.charts(tables),
        *swings.charts(tables),
    ]


def _draw(order: list[str]) -> Drawing:
    y = alt.Y("kind:N", sort=order, title=None, axis=alt.Axis(labelLimit=140, labelFontSize=12.5))
    paint = [PAINT["diverged"] if kind == "diverged" else PAINT["plain"] for kind in order]
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=order, range=paint))
    base = alt.Chart(source("counts"))
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(x=alt.X("trials:Q", axis=None), y=y, color=color)
    text = base.mark_text(align="left", dx=7).encode(x=alt.X("trials:Q", axis=None), y=y, text="trials:Q")
    return alt.layer(bars, text).properties(height=28 * len(order))


def _evidence(tables: StudyTables, told: pd.DataFrame, order: list[str]) -> Listing:
    """One row a kind, with the evidence of the best-ranked trial that has it."""
    rows = []
    for kind in order:
        these = told[told["kind"] == kind]
        first = rates.example(tables, these)
        trials = sorted({int(trial) for trial in these["trial"]})
        rows.append({"verdict": kind, "trials": listed(trials), "example": f"trial {int(first['trial'])}",
                     "since": first["since"], "evidence": first["evidence"]})  # fmt: skip
    return Listing(
        "evidence",
        "Why",
        "One example for each verdict, from the best trial that has it, since which epoch.",
        pd.DataFrame(rows),
    )
