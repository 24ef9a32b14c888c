"""Levels and their measures, against sums over all settings of a small space."""

from itertools import product

import numpy as np
import pytest

from thalweg.stats import level_measures
from thalweg.stats.level_measures import GRID, Dimension, build_level_measures, list_branches

KIND = Dimension(3)
DELTA = Dimension(conditions={0: frozenset({1, 2})})
RATE = Dimension()


def test_levels_of_a_range_are_thirds() -> None:
    measures, owners = build_level_measures([RATE])
    assert owners.tolist() == [0, 0, 0]
    (weights,) = measures.weights
    third = GRID // 3
    assert weights[1].tolist() == [0.0] * third + [1 / third] * third + [0.0] * third + [0.0]
    assert measures.mixture.tolist() == np.eye(3).tolist()


def test_branches_share_the_space() -> None:
    inner = Dimension(2, {0: frozenset({1})})
    below = Dimension(conditions={1: frozenset({0})})
    branches = list_branches([KIND, inner, below])
    assert [chosen for _, chosen in branches] == [{0: 0, 1: -1}, {0: 1, 1: 0}, {0: 1, 1: 1}, {0: 2, 1: -1}]
    assert [share for share, _ in branches] == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 3])


def test_means_are_those_over_all_settings() -> None:
    """The function is a product, so that its mean over each product measure is known; the sum lists every setting."""
    measures, owners = build_level_measures([KIND, DELTA, RATE])
    functions = [np.array([9.0, 1.0, 2.0, 5.0]), np.append(np.arange(GRID) / GRID, 3.0), np.arange(GRID + 1.0)]
    sums = np.prod([w @ f for w, f in zip(measures.weights, functions, strict=True)], axis=0)
    means = measures.mixture @ sums

    def compute_mean(dimension: int, level: int) -> float:
        values, shares = [], []
        for kind, delta, rate in product(range(3), range(GRID), range(GRID)):
            place = (kind, delta * 3 // GRID, rate * 3 // GRID)[dimension]
            if place != level or (dimension == 1 and kind == 0):
                continue
            values.append(functions[0][kind + 1] * (functions[1][delta] if kind else 3.0) * functions[2][rate])
            shares.append(1.0)
        return float(np.average(values, weights=shares))

    expected = [compute_mean(dimension, level) for dimension in range(3) for level in range(3)]
    assert owners.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert means == pytest.approx(expected)


def test_many_branches_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_measures, "MAX_BRANCHES", 2)
    assert list_branches([KIND, DELTA]) == [(1.0, {})]
