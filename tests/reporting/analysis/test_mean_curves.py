"""Means over lanes that end at different epochs, and all that is made of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.analysis import rank_agreement, swings, training_length
from thalweg.reporting.analysis.mean_curves import carry_last_forward, compute_lane_means, values_by_fold
from thalweg.reporting.sections import curves
from thalweg.reporting.tables import StudyTables

EPOCHS = 16


def build_lane(values: list[float], trial: int = 0, fold: int = 0) -> pd.DataFrame:
    """A lane with a value an epoch."""
    return pd.DataFrame({"trial": trial, "seed": 0, "fold": fold, "epoch": range(1, len(values) + 1), "mae": values})


def build_folded_study(counting_study: StudyTables, trials: int = 12) -> StudyTables:
    """Trials on two folds: on the first the error falls to the end, on the second, far lower, patience ends at 4."""
    parts = [
        build_lane(list(level + 10.0 + np.linspace(1.6, 0.1, EPOCHS)), trial, 0)
        for trial, level in enumerate(np.linspace(0, 1, trials))
    ]
    parts += [build_lane([level + 1.0] * 4, trial, 1) for trial, level in enumerate(np.linspace(0, 1, trials))]
    table = pd.concat(parts, ignore_index=True)
    table = table.assign(train_loss=table["mae"], val_loss=table["mae"], train_spread=0.1, learning_rate=0.1)
    rows = pd.DataFrame({"number": range(trials), "state": "complete", "value": np.linspace(0, 1, trials) + 5.55,
                         "epochs": EPOCHS, "diverged_step": np.nan})  # fmt: skip
    return replace(counting_study, trials=rows, curves=table, runs=pd.DataFrame(), space=[])


def test_ended_lane_keeps_last_value() -> None:
    table = pd.concat(
        [build_lane([8.0, 4.0, 2.0, 1.0]), build_lane([4.0, 6.0], fold=1), build_lane([1.0, 3.0], trial=1)]
    )
    assert compute_lane_means(table, ["mae"])["mae"].tolist() == [6.0, 5.0, 4.0, 3.5, 1.0, 3.0]
    assert len(carry_last_forward(table)) == 10
    assert carry_last_forward(table[table["fold"] == 0]).equals(table[table["fold"] == 0])
    assert carry_last_forward(pd.DataFrame()).empty


def test_diverged_lane_ends_the_mean() -> None:
    table = pd.concat([build_lane([8.0, 4.0, 2.0]), build_lane([4.0, np.inf], fold=1)])
    np.testing.assert_array_equal(compute_lane_means(table, ["mae"])["mae"], [6.0, np.nan, np.nan])


def test_curve_is_smooth_at_lane_end(counting_study: StudyTables) -> None:
    subsampled = curves.subsample_mean_curves(build_folded_study(counting_study).curves, ["mae"])
    curve = subsampled.loc[subsampled["trial"] == 0, "mae"]
    assert curve.tolist() == pytest.approx([5.5 + step / 2 for step in np.linspace(1.6, 0.1, EPOCHS)])
    alone = curves.subsample_mean_curves(
        build_folded_study(counting_study).curves.query("trial == 0").drop(columns="trial"), ["mae"]
    )
    assert alone["mae"].tolist() == curve.tolist()


def test_best_so_far_of_both_lanes(counting_study: StudyTables) -> None:
    runs = rank_agreement.select_finished_trials(build_folded_study(counting_study))
    assert runs is not None
    assert runs.best_costs.loc[0, EPOCHS] == pytest.approx((10.1 + 1.0) / 2)
    assert (runs.best_costs.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)


def test_values_by_fold_at_best_epoch(counting_study: StudyTables) -> None:
    wide = values_by_fold(build_folded_study(counting_study), [0, 1])
    assert wide.loc[[0]].to_numpy()[0].tolist() == pytest.approx([10.1, 1.0])


def test_late_gain_of_all_lanes(counting_study: StudyTables) -> None:
    gained = training_length.compute_late_gains(build_folded_study(counting_study), [0]).set_index("trial")["gain"]
    # one fold of two gains 0.1 an epoch, over two epochs
    assert gained[0] == pytest.approx(0.1)


def test_training_end_of_all_lanes(counting_study: StudyTables) -> None:
    ends = swings.compute_late_swings(build_folded_study(counting_study)).set_index("trial")
    assert ends["spread"][0] == pytest.approx(0.1 / ((10.2 + 1.0) / 2))
