"""Whether training was too long or too short, from the epochs at which trials were at their best."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.mean_curves import compute_lane_means, values_by_epoch
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.curves import difference_std

MIN_TRIALS = 6  # fewer say nothing about the length of training
MIN_VALIDATIONS = 8  # of each trial
EARLY_SHARE = 0.1  # the beginning of training
LATE_SHARE = 0.75  # the last quarter begins here
ALPHA = 0.01  # false positives
MIN_GAIN_RATIO = 2.0  # a clear gain exceeds fluctuation by this factor
MIN_LENGTH_SHARE = 0.2  # the shortest training to advise, as a share of the present one


def is_rate_high(curves: pd.DataFrame) -> pd.Series:
    """Return by trial whether the learning rate stays at half of its peak or more in the last quarter."""
    if curves.empty or "learning_rate" not in curves:
        return pd.Series(dtype=bool)
    curves = curves.dropna(subset="learning_rate")
    trials = curves.groupby("trial")
    last_quarter = curves[curves["epoch"] > LATE_SHARE * trials["epoch"].transform("max")]
    lowest = last_quarter.groupby("trial")["learning_rate"].min()
    return lowest >= 0.5 * trials["learning_rate"].max().reindex(lowest.index)


@cache_per_study
def find_best_epochs(tables: StudyTables) -> pd.DataFrame:
    """Return complete trials that learned something: trial, share (0 to 1) of training at their best, `stays`.

    The best is of the validation objective: the mean over lanes of each lane's own best epoch. The share is of the
    planned epochs, even if patience ended training early. `stays`: whether the learning rate stays high.
    """
    none = pd.DataFrame({"trial": [], "share": [], "stays": []})
    if tables.curves.empty or tables.objective not in tables.curves or tables.ranked.empty:
        return none
    trials = constant_trials.drop_constant_trials(tables, tables.ranked)
    curves = tables.curves[tables.curves["trial"].isin(trials["number"])].dropna(subset=tables.objective)
    if curves.empty:
        return none
    best = values_by_epoch(curves, tables.objective, tables.sign, "epoch").iloc[:, -1]
    planned = list_trial_values(tables, "training.epochs").astype(float).reindex(best.index)
    longest = curves.groupby("trial")["epoch"].max()
    length = planned.fillna(longest).clip(lower=longest)
    table = pd.DataFrame({"share": best / length, "stays": is_rate_high(curves).reindex(best.index, fill_value=False)})
    return table.rename_axis("trial").reset_index().astype({"trial": int})


@dataclass(frozen=True)
class LongTraining:
    """The `early_trials` of `trial_count`, at their best by `early_epoch` of `epochs`, and what they show.

    By `best_by_epoch` 90 % of all trials were at their best. `expected_share` would be early if values only fluctuated
    around a level.
    """

    early_trials: tuple[int, ...]
    trial_count: int
    early_epoch: int
    epochs: int
    best_by_epoch: int
    expected_share: float


@dataclass(frozen=True)
class ShortTraining:
    """The `late_trials` of `trial_count` good ones, at their best in the last quarter.

    `gain` of the last eighth over the one before (median), and how many times fluctuation that is.
    """

    late_trials: tuple[int, ...]
    trial_count: int
    gain: float
    gain_ratio: float


@cache_per_study
def find_long_training(tables: StudyTables) -> LongTraining | None:
    """Find whether most trials are best in the first tenth, more than fluctuation around a level would put there."""
    best_epochs = find_best_epochs(tables)
    if len(best_epochs) < MIN_TRIALS:
        return None
    epochs = np.sort(tables.curves["epoch"].unique())
    early_share = max(EARLY_SHARE, epochs[0] / epochs[-1])
    early = best_epochs[best_epochs["share"] <= early_share + 1e-9]
    expected = float((epochs / epochs[-1] <= early_share + 1e-9).mean())
    if len(epochs) < MIN_VALIDATIONS or len(early) <= len(best_epochs) / 2:
        return None
    if bdtrc(len(early) - 1, len(best_epochs), expected) > ALPHA:
        return None
    best_by_epoch = int(np.ceil(float(np.quantile(best_epochs["share"], 0.9)) * epochs[-1]))
    trials, early_epoch = tuple(sorted(early["trial"])), int(early_share * epochs[-1])
    return LongTraining(trials, len(best_epochs), early_epoch, int(epochs[-1]), best_by_epoch, expected)


@cache_per_study
def find_short_training(tables: StudyTables) -> ShortTraining | None:
    """Find whether the better trials with a high final rate are mostly best in the last quarter, and still gaining.

    A rate that falls to zero puts the best epoch at the end, however long training is: such trials are left out. So
    are trials whose rate is too low, which needs a higher rate. Gains are in units of each trial's own fluctuation
    between validations. Trials may share it (`study.randomness: paired`), so the median is held to MIN_GAIN_RATIO like
    a single trial.
    """
    best_epochs, verdicts = find_best_epochs(tables), constant_trials.correct_verdicts(tables)
    if len(best_epochs) < MIN_TRIALS:
        return None
    low_rate = verdicts.loc[verdicts["kind"] == "rate too low", "trial"]
    better = tables.ranked.loc[~tables.ranked["number"].isin(low_rate), "number"]
    better = better[better.isin(best_epochs.loc[best_epochs["stays"], "trial"])]
    better = better.head(max(MIN_TRIALS, -(-len(better) // 2)))
    selected = best_epochs[best_epochs["trial"].isin(better)]
    late = selected[selected["share"] > LATE_SHARE]
    if len(selected) < MIN_TRIALS or len(late) <= len(selected) / 2:
        return None
    gains = compute_late_gains(tables, selected["trial"].tolist())[["gain", "clear"]].median()
    if not gains["clear"] >= MIN_GAIN_RATIO:
        return None
    return ShortTraining(tuple(sorted(late["trial"])), len(selected), float(gains["gain"]), float(gains["clear"]))


def compute_late_gains(tables: StudyTables, trials: list[int]) -> pd.DataFrame:
    """Compute the gain of the last eighth of each trial's validations over the eighth before: trial, gain, clear.

    `clear` is the gain divided by its fluctuation: that of a difference of two means, from second differences of the
    last half.
    """
    curves = tables.curves[tables.curves["trial"].isin(trials)]
    rows = []
    for trial, trial_curves in compute_lane_means(curves, [tables.objective]).groupby("trial"):
        values = tables.sign * trial_curves[tables.objective].dropna().to_numpy()
        if len(values) < MIN_VALIDATIONS:
            continue
        size = len(values) // 8
        gain = float(values[-2 * size : -size].mean() - values[-size:].mean())
        fluctuation = difference_std(values[len(values) // 2 :]) * np.sqrt(2 / size)
        ratio_without_fluctuation = np.sign(gain) * np.inf if gain else 0.0
        rows.append((trial, gain, gain / fluctuation if fluctuation else ratio_without_fluctuation))
    return pd.DataFrame(rows, columns=["trial", "gain", "clear"])
