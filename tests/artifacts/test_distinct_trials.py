"""One trial for each setting in the tables of a study."""

import numpy as np
import pandas as pd

from thalweg.artifacts.distinct_trials import merge_repeated_rows

NAN = np.nan
TRIALS = pd.DataFrame(
    [
        (0, "complete", 3.0, "a", 4, NAN, NAN, NAN),
        (1, "pruned", 9.0, "b", 1, 1.0, NAN, NAN),
        (2, "complete", 5.0, "a", 4, NAN, NAN, 0.0),
        (3, "complete", 4.0, "b", 4, NAN, NAN, 1.0),
        (4, "pruned", 8.0, "a", 2, 2.0, 6.0, 0.0),
        (5, "complete", 7.0, "c", 4, NAN, NAN, NAN),
        (6, "diverged", NAN, "c", 4, NAN, NAN, 5.0),
        (7, "infeasible", 1.0, "d", 4, NAN, NAN, NAN),
        (8, "complete", 2.0, "d", 4, NAN, NAN, 7.0),
        (9, "pruned", 6.0, "e", 1, 1.0, 5.0, NAN),
        (10, "pruned", 8.0, "e", 2, 2.0, NAN, 9.0),
    ],
    columns=["number", "state", "value", "kind", "epochs", "pruned_at", "audit", "same_as"],
)
CURVES = pd.DataFrame({"trial": range(11), "seed": range(100, 111), "fold": 0, "epoch": 1, "mae": 1.0})


def test_setting_is_mean_of_what_counts() -> None:
    trials, curves = merge_repeated_rows(TRIALS, CURVES, [], is_paired=False)
    assert trials["number"].tolist() == [0, 1, 5, 7, 9]
    assert trials["kind"].tolist() == ["a", "b", "c", "d", "e"]
    assert trials["state"].tolist() == ["complete", "complete", "diverged", "infeasible", "pruned"]
    assert trials["value"].fillna(-1).tolist() == [4.0, 4.0, -1, 1.0, 7.0]
    assert trials["audit"].dropna().tolist() == [5.0]
    assert curves[["trial", "seed"]].to_numpy().tolist() == [
        [0, 100], [0, 102], [1, 103], [5, 106], [7, 107], [9, 109], [9, 110]
    ]  # fmt: skip


def test_copies_are_left_out() -> None:
    unrepeated = CURVES[CURVES["trial"].isin([0, 1, 5, 7, 9])]
    trials, curves = merge_repeated_rows(TRIALS, unrepeated, [], is_paired=True)
    pd.testing.assert_frame_equal(trials, TRIALS[TRIALS["same_as"].isna()].reset_index(drop=True))
    assert curves is unrepeated


def test_different_settings_stay_as_they_are() -> None:
    different = TRIALS[TRIALS["same_as"].isna()]
    for table in (different, different.drop(columns="same_as")):
        trials, curves = merge_repeated_rows(table, CURVES, [], is_paired=False)
        assert trials is table
        assert curves is CURVES
