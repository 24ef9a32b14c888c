"""What the epochs were spent on, why the search ended, and what stopping trials early saves and costs."""

import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_trials
from thalweg.reporting.analysis.pareto_growth import gaining
from thalweg.reporting.analysis.seed_noise import seed_noise
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Figure, Listing
from thalweg.reporting.sections.budget import early_stopping
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number, share

TITLE = "Budget"
ORDER = 35


def findings(tables: StudyTables) -> list[Finding]:
    return [*_ended(tables), *_pruning(tables), *early_stopping.findings(tables)]


def _ended(tables: StudyTables) -> list[Finding]:
    """Why no more cohorts were begun, where the study ended before its last."""
    stop = tables.summary.study.stop
    if not stop:
        return []
    limit, objective = stop["limit"], label(tables.objective)
    told = {
        "epochs": f"{stop.get('reached', 0):,} epochs were trained, the limit is {limit:,.0f}.",
        "seconds": f"It had worked for {limit:,.0f} seconds. Another run may stop elsewhere: time is not reproducible.",
        "gain": f"The last cohorts bettered the {objective} by {number(stop.get('reached'), 2)} each, "
        f"less than the {number(limit, 2)} that one more had to promise.",
    }[stop["reason"]]
    wanted = tables.setting("study.trials", 0)
    verdict = f"The search ended before its last cohort: {len(tables.trials):,} of {wanted:,} trials."
    return [Finding(verdict, told, more_trials.step(tables) if gaining(tables) else "")]


def _pruning(tables: StudyTables) -> list[Finding]:
    """What stopping trials early saved, and, from those that trained on to see, what it cost."""
    stopped = tables.trials[tables.trials["state"] == "pruned"] if len(tables.trials) else tables.trials
    if stopped.empty:
        return []
    spent = int(tables.trials["epochs"].sum())
    asked = stopped.get("training.epochs", tables.setting("training.epochs", tables.trials["epochs"].max()))
    saved = int((asked - stopped["epochs"]).sum())
    evidence = f"Trained were {spent:,} epochs, {share(saved, spent + saved)} less than without stopping anyone."
    audited = stopped.dropna(subset="audit") if "audit" in stopped else stopped.iloc[:0]
    if audited.empty or tables.ranked.empty:
        step = "Set `study.prune.audit` to let a share of the stopped trials train on and be compared."
        return [Finding("What early stopping cost is not measurable.", evidence, step)]
    best = float(tables.ranked["value"].iloc[0])
    gains = ((best - audited["audit"]) * tables.sign).to_numpy()
    who, most = int(audited["number"].to_numpy()[gains.argmax()]), float(gains.max())
    evidence += f" {many(len(audited), 'stopped trial')} trained on to see."
    if most <= 0:
        evidence += f" The best of them, trial {who}, ended {number(-most, 2)} behind the best trial."
        return [Finding("Early stopping lost nothing that was looked at.", evidence, "", (who,), "good")]
    noise = seed_noise(tables)
    evidence += f" Trial {who} ended {number(most, 2)} better than the best trial that was kept."
    if noise is not None and most <= noise.least:
        evidence += f" That is within the noise of {number(noise.least, 2)}."
        return [Finding("Early stopping lost nothing beyond noise.", evidence, "", (who,))]
    step = "Judge later, or keep more: raise `study.prune.first`, lower `study.prune.eta`."
    return [Finding("Early stopping lost a better trial.", evidence, step, (who,), "caution")]


def charts(tables: StudyTables) -> list[Figure]:
    trials = tables.trials
    if trials.empty:
        return [Blank("budget", "Where the epochs went", "No trial was run.")]
    by_state = trials.groupby("state")["epochs"].agg(["size", "sum"])
    rows = by_state.reindex([s for s in ("complete", "pruned", "infeasible", "diverged") if s in by_state.index])
    table = pd.DataFrame(
        {
            "trials that ended": rows.index.to_numpy(),
            "trials": rows["size"].to_numpy(),
            "epochs": rows["sum"].to_numpy(),
            "share": [f"{100 * part:.0f} %" for part in rows["sum"] / np.maximum(rows["sum"].sum(), 1)],
        }
    )
    caption = "Epochs of training by what became of the trials; with several seeds or folds, those of one lane."
    return [Listing("budget", "Where the epochs went", caption, table), *early_stopping.charts(tables)]
