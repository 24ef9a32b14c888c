"""Whether short runs foretell long ones, and so whether trials may be stopped early."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.rank_agreement import (
    DRAWN,
    ENOUGH,
    ETA,
    FEWEST,
    Ended,
    Order,
    _epochs,
    ended,
    kept,
    looked_at,
)
from thalweg.reporting.analysis.seed_noise import seed_noise
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading, whole_axis
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import evenly
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many, number, share


def findings(tables: StudyTables) -> list[Finding]:
    """Whether the order of trials at rungs is that of the end, and what follows for `study.prune`."""
    runs = ended(tables)
    if runs is None:
        return []
    known = {epoch: at for epoch in looked_at(tables, _epochs(runs)) if (at := runs.at(epoch))}
    if not known:
        return []
    good = [epoch for epoch, at in known.items() if at.low > ENOUGH]
    told = "; ".join(_told(epoch, at) for epoch, at in known.items())
    evidence = f"Of two trials, the one that is ahead early is ahead at epoch {runs.last} too: {told}."
    evidence += f" Over {many(len(runs.so_far), 'trial')} that trained to the end."
    if tables.setting("study.prune"):
        return [_pruned(runs, known, good, evidence)]
    return [_unpruned(tables, runs, known, good, evidence)]


def _told(epoch: int, at: Order) -> str:
    spread = f"{100 * at.low:.0f} to {100 * at.high:.0f} %"
    return f"at epoch {epoch} in {100 * at.share:.0f} % of pairs ({spread})"


def _pruned(runs: Ended, known: Mapping[int, Order], good: list[int], evidence: str) -> Finding:
    first = min(known)
    if first in good:
        return Finding("Short runs foretell long ones: trials are judged late enough.", evidence, tone="good")
    if known[first].high >= ENOUGH:
        step = "Audit more of the stopped trials (`study.prune.audit`) to settle whether they are stopped too early."
        return Finding("Whether trials are judged too early is not settled.", evidence, step)
    later = [epoch for epoch in _epochs(runs)[:-1] if (at := runs.at(epoch)) and at.low > ENOUGH]
    step = f"Judge from epoch {later[0]} on: `study.prune.first: {later[0]}`." if later else "Set `study.prune: null`."
    return Finding("Trials are judged too early: short runs do not foretell long ones.", evidence, step, tone="caution")


def _unpruned(tables: StudyTables, runs: Ended, known: Mapping[int, Order], good: list[int], evidence: str) -> Finding:
    noise = seed_noise(tables)
    allowed = noise.least if noise else 0.0
    safe = [epoch for epoch in good if kept(tables, runs, epoch).lost <= allowed]
    if safe:
        rung = kept(tables, runs, safe[0])
        evidence += (
            f" Had the better half of each cohort gone on at epoch {safe[0]}, the best would have been trial "
            f"{rung.best}" + (f", {number(rung.lost, 2)} behind" if rung.lost > 0 else ", as it was") + ", and "
            f"{share(rung.saved, rung.spent)} of these epochs would have been saved."
        )
        step = f"Stop the worse half early: `study.prune: {{first: {safe[0]}, eta: {ETA}}}`."
        return Finding("Short runs foretell long ones: stopping early would be safe.", evidence, step, (), "good")
    if not good and known[min(known)].high < ENOUGH:
        step = "Keep `study.prune: null`: what stops early here stops by chance."
        return Finding("Short runs do not foretell long ones.", evidence, step)
    step = "Keep `study.prune: null`, or watch what stopping costs with `study.prune.audit`."
    return Finding("Whether short runs foretell long ones is not settled.", evidence, step)


def charts(tables: StudyTables) -> list[Figure]:
    """The share of pairs in the order of the end, by epoch."""
    name, title = "rungs", "Do short runs foretell long ones?"
    runs = ended(tables)
    if runs is None:
        reason = (
            f"Too few trials trained to the end to compare: {FEWEST} are needed, and where trials are stopped early, "
        )
        return [Blank(name, title, f"{reason}some that trained on all the same (`study.prune.audit`).")]
    epochs = _epochs(runs)[:-1]
    rungs = looked_at(tables, _epochs(runs))
    even = {epochs[place] for place in evenly(len(epochs), DRAWN)}
    rows = [
        {"epoch": epoch, "share": at.share, "low": at.low, "high": at.high, "rung": epoch in rungs}
        for epoch in sorted(even | set(rungs))
        if (at := runs.at(epoch))
    ]
    if not rows:
        return [Blank(name, title, "The trials that trained to the end stand for too few to compare.")]
    table = pd.DataFrame(rows)
    judged = "where trials are judged" if tables.setting("study.prune") else "a quarter and half of the training"
    caption = (
        f"Share of pairs of trials whose order at an epoch, by the best so far, is that at epoch {runs.last}, with its "
        f"95 % interval; 0.5 is chance. Dots: {judged}. Below the dashed line short runs say little."
    )
    shown = "; ".join(f"epoch {row['epoch']} {row['share']:.2f}" for row in rows if row["rung"])
    spoken = f"Share of pairs of trials in the order of the end, by epoch: {shown}."
    line = pd.DataFrame({"share": [ENOUGH]})
    return [Chart(name, title, caption, spoken, {"order": table, "rungs": table[table["rung"]], "line": line}, _draw)]


def _draw() -> Drawing:
    x = alt.X("epoch:Q", axis=whole_axis(), scale=alt.Scale(zero=False, nice=False, padding=6))
    scale = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", title=None)
    base = alt.Chart(source("order")).encode(x=x)
    band = base.mark_area(color=PAINT["faint"], opacity=0.35).encode(
        y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"
    )
    curve = base.mark_line(color=PAINT["ink"], strokeWidth=1.8).encode(y=alt.Y("share:Q", scale=scale, axis=axis))
    rule = alt.Chart(source("line")).mark_rule(color=PAINT["quiet"], strokeDash=[5, 4])
    dots = alt.Chart(source("rungs")).mark_point(color=PAINT["ink"], size=90)
    tips = [alt.Tooltip("epoch:Q"), *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("share", "low", "high"))]
    return alt.layer(
        band,
        rule.encode(y=alt.Y("share:Q", scale=scale, axis=axis)),
        curve,
        dots.encode(x=x, y=alt.Y("share:Q", scale=scale, axis=axis), tooltip=tips),
    ).properties(height=200, title=heading("share of pairs in order"))
