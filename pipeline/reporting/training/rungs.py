"""Whether short runs foretell long ones, and so whether trials may be stopped early."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting import lanes
from thalweg.reporting.findings import Finding, seed_noise
from thalweg.reporting.page.charts import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading, whole_axis
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thinned import evenly
from thalweg.reporting.tables import Tables
from thalweg.reporting.training import stuck
from thalweg.reporting.training.order import FEWEST, Order, order
from thalweg.reporting.words import many, number, share

ENOUGH = 0.75
"""The share of pairs in order above which short runs foretell long ones."""
DRAWN = 24
"""At most so many epochs are drawn."""
ETA = 2
"""The share 1 / ETA that a rung would keep."""


@dataclass(frozen=True)
class Ended:
    """Trials that trained to the end: their best cost so far [trial, epoch], and how many each of them stands for."""

    so_far: pd.DataFrame
    weights: pd.Series

    @property
    def last(self) -> int:
        return int(self.so_far.columns[-1])

    def at(self, epoch: int) -> Order | None:
        """How far the order at an epoch is that of the end."""
        return order(self.so_far[epoch], self.so_far[self.last], self.weights)


def ended(tables: Tables) -> Ended | None:
    """Those of one length of training that learned something; None where there are not enough.

    What was stopped and audited stands for 1 / `study.prune.audit` trials, all that were stopped; where trials were
    stopped and none audited, those that were kept tell nothing of the others.
    """
    if tables.curves.empty or tables.objective not in tables.curves or tables.trials.empty:
        return None
    trials = stuck.learned(tables, tables.trials)
    audited = trials["audit"].notna() if "audit" in trials else pd.Series(False, index=trials.index)
    stopped = trials["state"] == "pruned"
    if stopped.any() and not audited.any():
        return None
    kept = trials[(trials["state"] == "complete") | (stopped & audited)]
    if "training.epochs" in kept and len(kept):
        kept = kept[kept["training.epochs"] == kept["training.epochs"].mode().max()]
    chance = float(tables.setting("study.prune.audit") or 1.0)
    weights = pd.Series(np.where(kept["state"] == "pruned", 1 / chance, 1.0), index=kept["number"].astype(int))
    curves = tables.curves[tables.curves["trial"].isin(weights.index)]
    of_lane = [curves[key] for key in ("trial", "seed", "fold") if key in curves]
    cost = (curves[tables.objective] * tables.sign).groupby(of_lane).cummin().groupby(of_lane).ffill()
    mean = lanes.means(curves.assign(cost=cost), ["cost"]).astype({"trial": int})
    so_far = mean.set_index(["trial", "epoch"])["cost"].unstack("epoch")
    so_far = so_far.ffill(axis=1).dropna()
    if so_far.shape[1] < 4 or len(so_far) < FEWEST:
        return None
    return Ended(so_far, weights.reindex(so_far.index))


def looked_at(tables: Tables, epochs: list[int]) -> list[int]:
    """The epochs at which trials are judged; a quarter and half of the training where none are.

    Those at which some lost, where it is known: restarts of the schedule move them, and brackets leave some out.
    """
    prune: Mapping[str, Any] | None = tables.setting("study.prune")
    lost = tables.trials["pruned_at"].dropna() if "pruned_at" in tables.trials else ()
    if len(lost):
        wanted = sorted({int(epoch) for epoch in lost if epoch < epochs[-1]})
    elif prune:
        first, eta = int(prune["first"]), int(prune.get("eta", 3))
        wanted = [first * eta**step for step in range(32) if first * eta**step < epochs[-1]]
    else:
        wanted = [-(-epochs[-1] // 4), -(-epochs[-1] // 2)]
    found = (next(epoch for epoch in epochs if epoch >= each) for each in wanted)
    return sorted({epoch for epoch in found if epoch < epochs[-1]})


def findings(tables: Tables) -> list[Finding]:
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


def _unpruned(tables: Tables, runs: Ended, known: Mapping[int, Order], good: list[int], evidence: str) -> Finding:
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


@dataclass(frozen=True)
class Kept:
    """What one rung would have come to: its best trial, by how much that is worse than the best, and epochs."""

    best: int
    lost: float
    saved: int
    spent: int


def kept(tables: Tables, runs: Ended, epoch: int) -> Kept:
    """The trials that trained to the end, had only the better 1 / ETA of each cohort gone on from an epoch."""
    cohort = max(2, int(tables.setting("study.cohort", 2)))
    now, end = runs.so_far[epoch], runs.so_far[runs.last]
    of_cohort = now.groupby(now.index // cohort)
    going = now[of_cohort.rank(method="first") <= np.ceil(of_cohort.transform("size") / ETA)].index
    best = end[going].idxmin()
    saved = (len(now) - len(going)) * (runs.last - epoch)
    return Kept(int(best), float(end[best] - end.min()), saved, len(now) * runs.last)


def _epochs(runs: Ended) -> list[int]:
    return [int(epoch) for epoch in runs.so_far.columns]


def charts(tables: Tables) -> list[Figure]:
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
