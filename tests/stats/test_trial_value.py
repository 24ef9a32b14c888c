"""A trial's value is the mean over its lanes of each lane's own best."""

import numpy as np

from thalweg.stats.trial_value import best_validations, mean_at_best

COST = np.array([[3.0, 1.0, 2.0, 1.0], [np.nan, 4.0, np.nan, 2.0]])


def test_best_validations() -> None:
    assert best_validations(COST).tolist() == [[0, 1, 1, 1], [0, 1, 1, 3]]
    assert best_validations(np.array([[np.inf, np.nan, 5.0]])).tolist() == [[0, 0, 2]]


def test_mean_at_best() -> None:
    np.testing.assert_array_equal(mean_at_best(COST, COST), [np.nan, 2.5, 2.5, 1.5])
    other = np.array([[10.0, 20.0, 30.0, 40.0], [50.0, 60.0, 70.0, 80.0]])
    np.testing.assert_array_equal(mean_at_best(COST, other, np.array([3.0, 1.0])), [20.0, 30.0, 30.0, 35.0])


def test_mean_at_best_sums_like_single_validation() -> None:
    cost = np.random.default_rng(0).normal(size=(23, 9))
    weights = np.random.default_rng(1).uniform(1, 9, 23)
    for until, mean in enumerate(mean_at_best(cost, cost, weights), 1):
        assert mean == np.average(cost[:, :until].min(axis=1), weights=weights)
