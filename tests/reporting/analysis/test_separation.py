"""What sets lost trials apart."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.planted_studies import MOMENTUM, RATE, World, draw_study
from thalweg.reporting.analysis import separation


def test_effective_learning_rate() -> None:
    tables = draw_study(World(), 0)
    rate, momentum = tables.trials[RATE], tables.trials[MOMENTUM]
    assert separation.effective_learning_rate(tables).to_numpy() == pytest.approx((rate / (1 - momentum)).to_numpy())
    adam = replace(tables, params=tables.params | {"optimizer": {"kind": "adam"}})
    assert separation.effective_learning_rate(adam).to_numpy() == pytest.approx(rate.to_numpy())
    fixed = replace(tables, trials=tables.trials.drop(columns=MOMENTUM))
    fixed_momentum = fixed.params["optimizer"]["momentum"]
    assert separation.effective_learning_rate(fixed).to_numpy() == pytest.approx(
        (rate / (1 - fixed_momentum)).to_numpy()
    )
    both = tables.trials.assign(**{"optimizer.kind": np.where(tables.trials["number"] % 2, "lion", "nesterov")})
    expected = np.where(tables.trials["number"] % 2, rate, rate / (1 - momentum))
    assert separation.effective_learning_rate(replace(tables, trials=both)).to_numpy() == pytest.approx(expected)


def test_threshold_is_midway() -> None:
    inside, outside = np.array([4.0, 8.0, 9.0]), np.array([0.1, 0.2, 1.0])
    assert separation.find_threshold(inside, outside, is_high=True) == pytest.approx(
        2.0
    )  # the geometric mean of 1 and 4
    assert separation.find_threshold(outside, inside, is_high=False) == pytest.approx(2.0)
    assert separation.find_threshold(inside - 5, outside - 5, is_high=True) == pytest.approx(-2.5)


def test_separation_false_positive_rate() -> None:
    tables, rng = draw_study(World(), 0), np.random.default_rng(0)
    blamed = 0
    for _ in range(300):
        some = rng.permutation(48)
        size = int(rng.integers(3, 12))
        blamed += separation.find_separation(tables, some[:size].tolist(), some[size:].tolist()) is not None
    assert blamed <= 0.05 * 300 + 3 * np.sqrt(0.05 * 0.95 * 300)
