"""Trials that learned nothing, and other verdicts that one curve alone cannot give."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from thalweg.reporting.analysis.mean_curves import compute_lane_means
from thalweg.reporting.analysis.separation import effective_learning_rate
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import sort_trials
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.run_curves import Evidence

CONSTANT_KIND = "learned nothing"
VALUE_TOLERANCE = 1e-4  # relative: values this close count as equal
MIN_TRIALS = 3
MIN_FLAT_SHARE = 0.75  # of a constant trial's validations
MIN_RATE_RATIO = 1.5  # a rate that looks too low is compared with rates from this many times higher
MAX_RATE_RATIO = 5.0  # up to this many times higher


@cache_per_study
def find_constant_trials(tables: StudyTables) -> pd.DataFrame:
    """Return trials of the worse half that ended or were stopped at the same value: they give one constant answer.

    Their last value counts, column `end`: the first epochs may have been better. Trials with different parameters
    seldom agree to VALUE_TOLERANCE, unless the metric counts examples. So their curves must also be flat: at that value
    in MIN_FLAT_SHARE of their validations, and in two at least. Trials that are as good as the best are never constant.
    """
    if tables.trials.empty:
        return tables.trials
    ended = tables.trials[tables.trials["state"].isin(["complete", "pruned"]) & tables.trials["value"].notna()]
    cost = ended["value"] * tables.sign
    is_worse = (cost >= cost.median()) & (cost > cost.min() + VALUE_TOLERANCE * abs(cost.min()))
    worse_trials = ended[is_worse]
    worse_trials = worse_trials.assign(end=worse_trials["number"].map(_find_flat_ends(tables)))
    worse_trials = worse_trials.dropna(subset="end").sort_values("end")
    differs = worse_trials["end"].diff().abs() > VALUE_TOLERANCE * worse_trials["end"].abs()
    run_index = differs.cumsum()
    alike: pd.DataFrame = worse_trials[run_index.groupby(run_index).transform("size") >= MIN_TRIALS]
    return alike.sort_values("number")


def _find_flat_ends(tables: StudyTables) -> pd.Series:
    """Return the last objective, the mean over lanes, of each trial that is mostly at it, by trial."""
    if tables.curves.empty or tables.objective not in tables.curves:
        return pd.Series(dtype=float)
    means = compute_lane_means(tables.curves, [tables.objective])
    values, trial = means[tables.objective], means["trial"]
    ends = values.groupby(trial).agg(lambda of_trial: of_trial.iloc[-1])
    is_at_end = (values - trial.map(ends)).abs() <= VALUE_TOLERANCE * trial.map(ends).abs()
    by_trial = is_at_end.groupby(trial)
    return ends[(by_trial.mean() >= MIN_FLAT_SHARE) & (by_trial.size() > 1)]


def drop_constant_trials(tables: StudyTables, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the given trials without the constant ones."""
    return trials[~trials["number"].isin(find_constant_trials(tables)["number"])] if len(trials) else trials


def compute_trial_window(tables: StudyTables, included: Sequence[float] = ()) -> Window:
    """Return the window of the trials' values, without trials that learned nothing."""
    values = drop_constant_trials(tables, tables.trials)["value"]
    values = values if values.notna().any() else tables.trials["value"]
    return compute_window(values, tables.sign, included, bounds=tables.bounds_of(tables.objective))


def find_outliers(tables: StudyTables, trials: pd.DataFrame, window: Window) -> tuple[tuple[int, ...], int]:
    """Return the trials whose values lie outside the window, and how many of them learned nothing."""
    outliers = trials[window.is_outside(trials["value"])]
    return sort_trials(outliers["number"]), len(outliers) - len(drop_constant_trials(tables, outliers))


@cache_per_study
def correct_verdicts(tables: StudyTables) -> pd.DataFrame:
    """Return the monitor's verdicts, with `learned nothing` for constant trials: trial, kind, since, evidence."""
    verdicts, constant = _recheck_low_rates(tables), find_constant_trials(tables)
    if verdicts.empty or constant.empty:
        return verdicts
    numbers = {"value": float(constant["end"].median()), "others": len(constant) - 1}
    corrected: Any = CONSTANT_KIND, None, Evidence("same answer", numbers)
    verdicts.loc[verdicts["trial"].isin(constant["number"]), ["kind", "since", "evidence"]] = corrected
    return verdicts


def _recheck_low_rates(tables: StudyTables) -> pd.DataFrame:
    """Return the monitor's verdicts; `rate too low` becomes `improving` if higher rates have no better median value.

    One curve alone cannot tell: it may fall steadily to the limit of the task.
    """
    verdicts = tables.verdicts.reindex(columns=["trial", "kind", "since", "evidence"])
    if tables.ranked.empty:
        return verdicts
    value = tables.ranked.set_index("number")["value"] * tables.sign
    rate, low = effective_learning_rate(tables).reindex(value.index), verdicts[verdicts["kind"] == "rate too low"]
    for index, trial, evidence in zip(low.index, low["trial"], low["evidence"], strict=True):
        trial_rate = rate.get(trial, np.nan)
        above = value[(rate > MIN_RATE_RATIO * trial_rate) & (rate <= MAX_RATE_RATIO * trial_rate)]
        if len(above) < MIN_TRIALS or above.median() < value[trial]:
            continue
        others = {
            "others": len(above),
            "low_ratio": MIN_RATE_RATIO,
            "high_ratio": MAX_RATE_RATIO,
            "median": above.median() * tables.sign,
            "value": value[trial] * tables.sign,
        }
        corrected_evidence = replace(evidence, numbers={**evidence.numbers, **others})
        verdicts.loc[index, ["kind", "evidence"]] = "improving", corrected_evidence
    return verdicts
