"""Trials that learned nothing, and what else the monitor cannot tell from one curve: it takes the other trials."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.mean_curves import means
from thalweg.reporting.analysis.separation import pace
from thalweg.reporting.analysis.window import Window, window
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number

KIND = "learned nothing"
ALIKE = 1e-4
SEVERAL = 3
FLAT = 0.75
NEAR = 1.5
FAR = 5.0
"""How many times higher the rates are, from and to, that one which looks too low is held against."""


@lru_cache(maxsize=8)
def constant(tables: StudyTables) -> pd.DataFrame:
    """Trials that ended, or were stopped, alike in the worse half: networks that give one answer whatever they see.

    Trials with different parameters seldom end at the same value, to ALIKE of it, but there; where a metric counts
    examples it happens. So their curves must be flat, too: at that value in a share FLAT of their validations, two at
    least. Where no trial is better than those that are alike, nothing says that they are bad.
    """
    if tables.trials.empty:
        return tables.trials
    known = tables.trials[tables.trials["state"].isin(["complete", "pruned"]) & tables.trials["value"].notna()]
    cost = known["value"] * tables.sign
    worse = known[(cost >= cost.median()) & (cost > cost.min() + ALIKE * abs(cost.min()))].sort_values("value")
    worse = worse[worse["number"].isin(_flat(tables, worse))]
    steps = worse["value"].diff().abs() > ALIKE * worse["value"].abs()
    run = steps.cumsum()
    alike: pd.DataFrame = worse[run.groupby(run).transform("size") >= SEVERAL]
    return alike.sort_values("number")


def _flat(tables: StudyTables, trials: pd.DataFrame) -> pd.Index:
    """The numbers of those trials whose objective, as a mean over lanes, mostly stays at their value."""
    curves = tables.curves[tables.curves["trial"].isin(trials["number"])] if len(tables.curves) else tables.curves
    if curves.empty or tables.objective not in curves:
        return pd.Index([])
    mean = means(curves, [tables.objective])
    value = mean["trial"].map(trials.set_index("number")["value"])
    at = (mean[tables.objective] - value).abs() <= ALIKE * value.abs()
    of_trial = at.groupby(mean["trial"])
    return of_trial.size().index[(of_trial.mean() >= FLAT) & (of_trial.size() > 1)]


def learned(tables: StudyTables, trials: pd.DataFrame) -> pd.DataFrame:
    """Those of some trials that are not among the constant."""
    return trials[~trials["number"].isin(constant(tables)["number"])] if len(trials) else trials


def seen(tables: StudyTables, also: Sequence[float] = ()) -> Window:
    """The range of the trials' values that is worth drawing: `window`, but for those that learned nothing."""
    values = learned(tables, tables.trials)["value"]
    values = values if values.notna().any() else tables.trials["value"]
    return window(values, tables.sign, also, bounds=tables.bounds_of(tables.objective))


def beyond(tables: StudyTables, trials: pd.DataFrame, shown: Window) -> str:
    """How many values of some trials lie outside what is shown, as a sentence; nothing where none does."""
    out = trials[shown.cut(trials["value"])]
    stuck, verb = len(out) - len(learned(tables, out)), "is" if len(out) == 1 else "are"
    if out.empty:
        return ""
    if stuck == len(out):
        return f"{many(stuck, 'trial')} that learned nothing {verb} drawn at the edge."
    of_them = f", {stuck} of them of trials that learned nothing," if stuck else ""
    return f"{many(len(out), 'value')} far outside{of_them} {verb} drawn at the edge."


@lru_cache(maxsize=8)
def verdicts(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts, but `learned nothing` for trials that are constant: trial, kind, since, evidence."""
    told, stuck = _checked(tables), constant(tables)
    if told.empty or stuck.empty:
        return told
    evidence = (
        f"{label(tables.objective)} is {number(float(stuck['value'].median()))} at its best, as in "
        f"{many(len(stuck) - 1, 'other trial')}: one answer to every example"
    )
    told.loc[told["trial"].isin(stuck["number"]), ["kind", "since", "evidence"]] = KIND, None, evidence
    return told


def _checked(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts, but `improving` for `rate too low` where the middle one of the trials above is no better.

    One curve alone cannot tell: it may fall steadily to what the task allows.
    """
    told = tables.verdicts.reindex(columns=["trial", "kind", "since", "evidence"])
    if tables.ranked.empty:
        return told
    value = tables.ranked.set_index("number")["value"] * tables.sign
    rate, low = pace(tables).reindex(value.index), told[told["kind"] == "rate too low"]
    for row, trial, evidence in zip(low.index, low["trial"], low["evidence"], strict=True):
        own = rate.get(trial, np.nan)
        above = value[(rate > NEAR * own) & (rate <= FAR * own)]
        if len(above) < SEVERAL or above.median() < value[trial]:
            continue
        more = (
            f"{evidence}; yet {many(len(above), 'trial')} at {number(NEAR)} to {number(FAR)} times the rate came to no "
            f"better {label(tables.objective)}: {number(above.median() * tables.sign)} in the middle, against "
            f"{number(value[trial] * tables.sign)}"
        )
        told.loc[row, ["kind", "evidence"]] = "improving", more
    return told
