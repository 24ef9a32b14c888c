"""Trials that were stopped are compared after equal training."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from tests.helpers.five_parameters import compute_rate_position, draw_trials, rank_parameters
from thalweg.reporting.analysis.equal_training import compare_equal_training
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.sections import importance
from thalweg.reporting.tables import StudyTables


def build_pruned_study(build_study: Callable[..., StudyTables], counting_study: StudyTables) -> StudyTables:
    """Trials that the rate decides on: whoever is within the right tenth of it survives the rung, at epoch 4."""
    trials = draw_trials(120, 2)
    level = 1 + 4 * (compute_rate_position(trials) - 0.5).abs()
    is_complete = (compute_rate_position(trials) - 0.5).abs() < 0.05
    trials["state"], trials["epochs"] = np.where(is_complete, "complete", "pruned"), np.where(is_complete, 16, 4)
    curves = pd.concat(
        pd.DataFrame({"trial": n, "seed": s, "fold": 0, "epoch": range(1, e + 1),
                      "mae": v + 0.1 * (s - 0.5) + 1 / np.arange(1, e + 1)})
        for n, e, v in zip(trials["number"], trials["epochs"], level, strict=True) for s in (0, 1)
    )  # fmt: skip
    # in the end they are as good as each other
    params = {**counting_study.params, "study": {**counting_study.params["study"], "prune": {"first": 4, "eta": 2}}}
    return build_study(trials, np.where(is_complete, 0.5, level), curves=curves, params=params)


def test_stopped_count_at_first_rung(build_study: Callable[..., StudyTables], counting_study: StudyTables) -> None:
    tables = build_pruned_study(build_study, counting_study)
    training = compare_equal_training(tables)
    assert training.epoch == 4
    assert len(training.values) == 120
    np.testing.assert_allclose(training.values, 1 + 4 * (compute_rate_position(tables.trials) - 0.5).abs() + 0.25)
    # from the outer thirds of |x - 1/2|, whose mean is 1/3, to the middle one, 1/12
    (rate,) = [parameter for parameter in rank_parameters(tables).parameters if parameter.name == "rate"]
    assert rate.low < 4 * (1 / 3 - 1 / 12) < rate.high
    assert rate.is_important
    assert "by epoch 4" in importance.build_findings(tables)[0].evidence
    # completed trials alone would mislead
    complete = tables.trials[tables.trials["state"] == "complete"]
    few = rank_importances(replace(tables, trials=complete.reset_index(drop=True)))
    assert few is None or not few.parameters[0].is_important


def test_rung_uses_each_lane_best(
    build_study: Callable[..., StudyTables],
) -> None:
    trials = draw_trials(2).assign(state=["pruned", "diverged"], pruned_at=[2, np.nan])
    curves = pd.DataFrame(
        {"trial": [0] * 6, "seed": [0, 0, 0, 1, 1, 1], "fold": 0, "epoch": [1, 2, 3] * 2, "mae": [3, 5, 0, 7, 1, 0.0]}
    )
    training = compare_equal_training(build_study(trials, [2.0, np.nan], curves=curves))
    assert training.epoch == 2
    assert training.values[0] == 2.0  # the mean of 3 and 1
    assert np.isnan(training.values[1])
    assert training.to_costs(1)[1] > training.to_costs(1)[0]
    assert training.to_costs(-1)[1] > training.to_costs(-1)[0]


def test_infeasible_count_as_worst(build_study: Callable[..., StudyTables]) -> None:
    trials = draw_trials(3).assign(state=["complete", "infeasible", "diverged"])
    training = compare_equal_training(build_study(trials, [2.0, 0.1, np.nan]))
    assert training.values.isna().tolist() == [False, True, True]
    assert (training.to_costs(1)[1:] > 2.0).all()
