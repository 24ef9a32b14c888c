"""Trials that learned nothing, and what else the monitor cannot tell from one curve: it takes the other trials."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.mean_curves import compute_lane_means
from thalweg.reporting.analysis.separation import effective_learning_rate
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, metric_label

CONSTANT_KIND = "learned nothing"
VALUE_TOLERANCE = 1e-4
MIN_TRIALS = 3
MIN_FLAT_SHARE = 0.75
MIN_RATE_RATIO = 1.5
MAX_RATE_RATIO = 5.0
"""How many times higher the rates are, from and to, that one which looks too low is held against."""


@lru_cache(maxsize=8)
def find_constant_trials(tables: StudyTables) -> pd.DataFrame:
    """Trials that ended, or were stopped, alike in the worse half: networks that give one answer whatever they see.

    Trials with different parameters seldom end at the same value, to ALIKE of it, but there; where a metric counts
    examples it happens. So their curves must be flat, too: at that value in a share FLAT of their validations, two at
    least. Where no trial is better than those that are alike, nothing says that they are bad.
    """
    if tables.trials.empty:
        return tables.trials
    known = tables.trials[tables.trials["state"].isin(["complete", "pruned"]) & tables.trials["value"].notna()]
    cost = known["value"] * tables.sign
    worse = known[(cost >= cost.median()) & (cost > cost.min() + VALUE_TOLERANCE * abs(cost.min()))].sort_values(
        "value"
    )
    worse = worse[worse["number"].isin(_find_flat_trials(tables, worse))]
    steps = worse["value"].diff().abs() > VALUE_TOLERANCE * worse["value"].abs()
    run = steps.cumsum()
    alike: pd.DataFrame = worse[run.groupby(run).transform("size") >= MIN_TRIALS]
    return alike.sort_values("number")


def _find_flat_trials(tables: StudyTables, trials: pd.DataFrame) -> pd.Index:
    """The numbers of those trials whose objective, as a mean over lanes, mostly stays at their value."""
    curves = tables.curves[tables.curves["trial"].isin(trials["number"])] if len(tables.curves) else tables.curves
    if curves.empty or tables.objective not in curves:
        return pd.Index([])
    mean = compute_lane_means(curves, [tables.objective])
    value = mean["trial"].map(trials.set_index("number")["value"])
    at = (mean[tables.objective] - value).abs() <= VALUE_TOLERANCE * value.abs()
    of_trial = at.groupby(mean["trial"])
    return of_trial.size().index[(of_trial.mean() >= MIN_FLAT_SHARE) & (of_trial.size() > 1)]


def drop_constant_trials(tables: StudyTables, trials: pd.DataFrame) -> pd.DataFrame:
    """Those of some trials that are not among the constant."""
    return trials[~trials["number"].isin(find_constant_trials(tables)["number"])] if len(trials) else trials


def compute_trial_window(tables: StudyTables, included: Sequence[float] = ()) -> Window:
    """The range of the trials' values that is worth drawing: `window`, but for those that learned nothing."""
    values = drop_constant_trials(tables, tables.trials)["value"]
    values = values if values.notna().any() else tables.trials["value"]
    return compute_window(values, tables.sign, included, bounds=tables.bounds_of(tables.objective))


def describe_outliers(tables: StudyTables, trials: pd.DataFrame, window: Window) -> str:
    """How many values of some trials lie outside what is shown, as a sentence; nothing where none does."""
    out = trials[window.is_outside(trials["value"])]
    stuck, verb = len(out) - len(drop_constant_trials(tables, out)), "is" if len(out) == 1 else "are"
    if out.empty:
        return ""
    if stuck == len(out):
        return f"{format_count(stuck, 'trial')} that learned nothing {verb} drawn at the edge."
    of_them = f", {stuck} of them of trials that learned nothing," if stuck else ""
    return f"{format_count(len(out), 'value')} far outside{of_them} {verb} drawn at the edge."


@lru_cache(maxsize=8)
def correct_verdicts(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts, but `learned nothing` for trials that are constant: trial, kind, since, evidence."""
    told, stuck = _recheck_low_rates(tables), find_constant_trials(tables)
    if told.empty or stuck.empty:
        return told
    evidence = (
        f"{metric_label(tables.objective)} is {format_number(float(stuck['value'].median()))} at its best, as in "
        f"{format_count(len(stuck) - 1, 'other trial')}: one answer to every example"
    )
    told.loc[told["trial"].isin(stuck["number"]), ["kind", "since", "evidence"]] = CONSTANT_KIND, None, evidence
    return told


def _recheck_low_rates(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts, but `improving` for `rate too low` where the middle one of the trials above is no better.

    One curve alone cannot tell: it may fall steadily to what the task allows.
    """
    told = tables.verdicts.reindex(columns=["trial", "kind", "since", "evidence"])
    if tables.ranked.empty:
        return told
    value = tables.ranked.set_index("number")["value"] * tables.sign
    rate, low = effective_learning_rate(tables).reindex(value.index), told[told["kind"] == "rate too low"]
    for row, trial, evidence in zip(low.index, low["trial"], low["evidence"], strict=True):
        own = rate.get(trial, np.nan)
        above = value[(rate > MIN_RATE_RATIO * own) & (rate <= MAX_RATE_RATIO * own)]
        if len(above) < MIN_TRIALS or above.median() < value[trial]:
            continue
        more = (
            f"{evidence}; yet {format_count(len(above), 'trial')} at {format_number(MIN_RATE_RATIO)} to {format_number(MAX_RATE_RATIO)} times the rate came to no "
            f"better {metric_label(tables.objective)}: {format_number(above.median() * tables.sign)} in the middle, against "
            f"{format_number(value[trial] * tables.sign)}"
        )
        told.loc[row, ["kind", "evidence"]] = "improving", more
    return told
