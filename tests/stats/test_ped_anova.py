"""Importances of many draws at once, against Optuna's own of each."""

from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator

from tests.helpers.five_parameters import KINDS, SPACE, compute_rate_position, draw_trials
from thalweg.reporting.analysis.importance import build_column, count_best_trials
from thalweg.stats.ped_anova import compute_importances, mark_best


def compute_own_scale_importances(trials: pd.DataFrame, values: np.ndarray, count: int) -> np.ndarray:
    """Optuna's importances of the parameters as they are, not brought to steps before."""
    ways = {
        "rate": FloatDistribution(1e-4, 1.0, log=True),
        "momentum": FloatDistribution(0.0, 0.99),
        "layers": IntDistribution(1, 9),
        "kind": CategoricalDistribution(KINDS),
        "delta": FloatDistribution(0.1, 10.0, log=True),
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    for row, value in zip(trials.to_dict("records"), values, strict=True):
        chosen = {name: row[name] for name in ways if pd.notna(row[name])}
        distributions = {name: ways[name] for name in chosen}
        study.add_trial(optuna.trial.create_trial(params=chosen, distributions=distributions, value=float(value)))
    importances = PedAnovaImportanceEvaluator(target_quantile=(count - 0.5) / len(values)).evaluate(study)
    return np.array([importances[name] for name in ways])


def list_columns(trials: pd.DataFrame) -> list[Any]:
    return [build_column(parameter, trials[parameter.name]) for parameter in SPACE]


@pytest.mark.parametrize("seed", range(4))
def test_batched_importance_matches_optuna(seed: int) -> None:
    trials, rng = draw_trials(40 + 30 * seed, seed), np.random.default_rng(seed)
    columns = [build_column(parameter, trials[parameter.name]) for parameter in SPACE]
    values = np.stack([compute_rate_position(trials) + rng.normal(0, 0.3, len(trials)) for _ in range(3)])
    count = count_best_trials(len(trials))
    importances = compute_importances(columns, mark_best(values, count), np.ones((1, len(trials))))
    for row, each in zip(importances, values, strict=True):
        np.testing.assert_allclose(row, compute_own_scale_importances(trials, each, count), rtol=1e-7)


def test_weights_count_as_trials() -> None:
    trials = draw_trials(30)
    columns = [build_column(parameter, trials[parameter.name]) for parameter in SPACE]
    weights = np.random.default_rng(0).integers(0, 3, (1, 30)).astype(float)
    values = compute_rate_position(trials).to_numpy()
    again = np.repeat(np.arange(30), weights[0].astype(int))
    repeated = [build_column(parameter, trials.iloc[again][parameter.name]) for parameter in SPACE]
    weighted = compute_importances(columns, mark_best(values[None], 8, weights), weights)
    top = mark_best(values[again][None], 8)
    np.testing.assert_allclose(weighted, compute_importances(repeated, top, np.ones((1, len(again)))))
