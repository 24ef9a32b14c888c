"""How long training was against when trials were at their best: whether it was too long for them, or too short."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.mean_curves import compute_lane_means, values_by_epoch
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number, format_share
from thalweg.stats.curves import difference_std

MIN_TRIALS = 6
MIN_VALIDATIONS = 8
"""Trials, and validations of each, below which nothing is said."""
EARLY_SHARE = 0.1
LATE_SHARE = 0.75
ALPHA = 0.01
MIN_GAIN_RATIO = 2.0
MIN_LENGTH_SHARE = 0.2
"""Shares of training: its beginning, its last quarter; false findings; how clear a gain must be of noise; the
shortest training that is advised, as a share of what it was."""


def is_rate_high(curves: pd.DataFrame) -> pd.Series:
    """Whether the learning rate of each trial is above half of its peak in all of the last quarter; by trial."""
    if curves.empty or "learning_rate" not in curves:
        return pd.Series(dtype=bool)
    curves = curves.dropna(subset="learning_rate")
    of_trial = curves.groupby("trial")
    late = (
        curves[curves["epoch"] > LATE_SHARE * of_trial["epoch"].transform("max")]
        .groupby("trial")["learning_rate"]
        .min()
    )
    return late >= 0.5 * of_trial["learning_rate"].max().reindex(late.index)


def find_best_epochs(tables: StudyTables) -> pd.DataFrame:
    """The complete trials that learned something: trial, share (0 to 1) of training at their best, whether it `stays`.

    The best is that of the objective on validation, the mean over lanes of each one's own; training is as long as was
    asked for, however early patience ended it.
    """
    none = pd.DataFrame({"trial": [], "share": [], "stays": []})
    if tables.curves.empty or tables.objective not in tables.curves or tables.ranked.empty:
        return none
    trials = constant_trials.drop_constant_trials(tables, tables.ranked)
    curves = tables.curves[tables.curves["trial"].isin(trials["number"])].dropna(subset=tables.objective)
    if curves.empty:
        return none
    best = values_by_epoch(curves, tables.objective, tables.sign, "epoch").iloc[:, -1]
    asked = list_trial_values(tables, "training.epochs").astype(float).reindex(best.index)
    longest = curves.groupby("trial")["epoch"].max()
    whole = asked.fillna(longest).clip(lower=longest)
    table = pd.DataFrame({"share": best / whole, "stays": is_rate_high(curves).reindex(best.index, fill_value=False)})
    return table.rename_axis("trial").reset_index().astype({"trial": int})


@dataclass(frozen=True)
class LengthEvidence:
    """Why training is too long or too short for most trials, which these are, and the epoch by which nine of ten of all
    were at their best."""

    evidence: str
    trials: tuple[int, ...]
    best_by_epoch: int


def find_long_training(tables: StudyTables) -> LengthEvidence | None:
    """Most trials are at their best in the first tenth, more than noise about a level would bring there."""
    steps = find_best_epochs(tables)
    if len(steps) < MIN_TRIALS:
        return None
    epochs = np.sort(tables.curves["epoch"].unique())
    first = max(EARLY_SHARE, epochs[0] / epochs[-1])
    early = steps[steps["share"] <= first + 1e-9]
    expected = float((epochs / epochs[-1] <= first + 1e-9).mean())
    if len(epochs) < MIN_VALIDATIONS or len(early) <= len(steps) / 2:
        return None
    if binom.sf(len(early) - 1, len(steps), expected) > ALPHA:
        return None
    until = int(np.ceil(float(np.quantile(steps["share"], 0.9)) * epochs[-1]))
    evidence = (
        f"{format_share(len(early), len(steps))} of the complete trials were at their best on validation by epoch "
        f"{int(first * epochs[-1])} of {int(epochs[-1])}, nine of ten by epoch {until}; if training only wandered "
        f"about a level, {100 * expected:.0f} % would be."
    )
    return LengthEvidence(evidence, tuple(sorted(early["trial"])), until)


def find_short_training(tables: StudyTables) -> LengthEvidence | None:
    """The better half of the trials whose rate stays high are mostly best in the last quarter, and still gaining.

    A rate that falls to zero brings the best to the end, however long training is, so such trials tell nothing here.
    Nor does a rate that is too low: it wants to be raised. Gains are measured in each trial's own noise from one
    validation to the next; trials may share that noise (`study.randomness: paired`), so their median must be CLEAR of
    it, as that of a single trial.
    """
    steps, told = find_best_epochs(tables), constant_trials.correct_verdicts(tables)
    if len(steps) < MIN_TRIALS:
        return None
    slow = told.loc[told["kind"] == "rate too low", "trial"]
    better = tables.ranked.loc[~tables.ranked["number"].isin(slow), "number"]
    better = better[better.isin(steps.loc[steps["stays"], "trial"])]
    better = better.head(max(MIN_TRIALS, -(-len(better) // 2)))
    these = steps[steps["trial"].isin(better)]
    late = these[these["share"] > LATE_SHARE]
    if len(these) < MIN_TRIALS or len(late) <= len(these) / 2:
        return None
    gains = compute_late_gains(tables, these["trial"].tolist())
    if gains.empty or float(gains["clear"].median()) < MIN_GAIN_RATIO:
        return None
    evidence = (
        f"Of the {len(these)} best trials whose learning rate stays high, {format_share(len(late), len(these))} were at their "
        f"best in the last quarter of training, and the last eighth of it still gained "
        f"{format_number(float(gains['gain'].median()), 2)} on the eighth before (median), "
        f"{format_number(float(gains['clear'].median()), 2)} times what noise explains."
    )
    return LengthEvidence(evidence, tuple(sorted(late["trial"])), int(tables.curves["epoch"].max()))


def compute_late_gains(tables: StudyTables, trials: list[int]) -> pd.DataFrame:
    """What the last eighth of some trials' validations gained on the eighth before: gain, and clear, in its noise.

    The noise is that of the difference of two means, from the second differences of the last half.
    """
    curves = tables.curves[tables.curves["trial"].isin(trials)]
    rows = []
    for trial, own in compute_lane_means(curves, [tables.objective]).groupby("trial"):
        values = tables.sign * own[tables.objective].dropna().to_numpy()
        if len(values) < MIN_VALIDATIONS:
            continue
        size = len(values) // 8
        gained = float(values[-2 * size : -size].mean() - values[-size:].mean())
        noise = difference_std(values[len(values) // 2 :]) * np.sqrt(2 / size)
        without = np.sign(gained) * np.inf if gained else 0.0
        rows.append((trial, gained, gained / noise if noise else without))
    return pd.DataFrame(rows, columns=["trial", "gain", "clear"])
