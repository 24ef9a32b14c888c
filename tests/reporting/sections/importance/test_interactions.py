"""Whether the best of one parameter moves with another, in studies where that is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from thalweg.reporting.analysis.equal_training import levels
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections.importance.interactions import together
from thalweg.reporting.tables import StudyTables
from thalweg.stats.surface import moved, product, smoothed

X = SearchedParameter("x", 0.0, 1.0)
Y = SearchedParameter("y", 0.0, 1.0)

Values = Callable[[np.ndarray, np.ndarray], np.ndarray]


def valley(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The best x is 1 - y."""
    return 1 + (x + y - 1) ** 2


def fan(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The best x is 0.1, whatever y is, which says how much it matters."""
    return 1 + (0.1 + y) * (x - 0.1) ** 2


def apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each is a factor of its own."""
    return np.exp(2.5 * x) * np.exp(2.5 * y)


def study(usual: StudyTables, values: Values, seed: int, count: int = 120, noise: float = 0.03) -> StudyTables:
    rng = np.random.default_rng(seed)
    x, y = rng.random((2, count))
    trials = pd.DataFrame({"number": range(count), "state": "complete", "x": x, "y": y, "epochs": 16})
    trials["value"] = values(x, y) * np.exp(rng.normal(0, noise, count))
    return replace(usual, trials=trials, curves=pd.DataFrame(), runs=pd.DataFrame(), space=[X, Y])


def told(tables: StudyTables) -> list[str]:
    return [one.verdict for one in together(tables, levels(tables), [(X, Y)])]


@pytest.mark.parametrize("seed", range(4))
def test_a_best_that_moves_is_told_from_one_that_does_not(usual: StudyTables, seed: int) -> None:
    assert told(study(usual, valley, seed)) == ["The best `x` depends on `y`."]
    assert told(study(usual, fan, seed)) == ["How much `x` matters depends on `y`."]


@pytest.mark.parametrize("seed", range(4))
def test_factors_act_alone_on_the_scale_of_the_map(usual: StudyTables, seed: int) -> None:
    assert told(study(usual, apart, seed)) == []


def test_how_far_it_moved_is_told_with_its_interval(usual: StudyTables) -> None:
    (one,) = together(study(usual, valley, 0), levels(study(usual, valley, 0)), [(X, Y)])
    assert "in 95 % of redraws" in one.evidence
    x, y = np.random.default_rng(0).random((2, 200))
    low, high = moved(smoothed(np.stack([x, y], 1), valley(x, y)), 0.2, 0.8, 1)
    assert low <= -0.6 <= high < 0
    assert moved(smoothed(np.stack([x, y], 1), -valley(x, y)), 0.2, 0.8, -1) == (low, high)


def test_a_best_that_stays_is_rarely_said_to_move(usual: StudyTables) -> None:
    moves = sum("The best" in "".join(told(study(usual, fan, seed, 60, 0.1))) for seed in range(40))
    assert moves <= 6  # binomial of 40 at 0.05: above with a chance of 1 %


def test_what_acts_alone_is_not_called_an_interaction() -> None:
    """Of studies in which each acts by itself no more than 5 % say so, within this test's error."""
    studies, false = 400, 0
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        at = rng.random((48, 2)) ** 1.5
        values = 1 + 2 * np.abs(at[:, 0] - 0.6) + (at[:, 1] > 0.7) + rng.normal(0, 0.2 + 0.2 * at[:, 0])
        chance = product(at, values)
        assert chance is not None
        false += chance <= 0.05
    assert false <= binom.ppf(0.995, studies, 0.05)
    valley = 1 + 2 * (at.sum(1) - 1) ** 2 + rng.normal(0, 0.05, 48)
    assert (product(at, valley) or 1.0) < 1e-6
    assert product(at[:, [0, 0]], valley) is None
