"""Random trials of five parameters, whose values a test gives them."""

import numpy as np
import pandas as pd
import pytest

from thalweg.reporting.advice import next_space
from thalweg.reporting.analysis import good_region
from thalweg.reporting.analysis.equal_training import compare_equal_training
from thalweg.reporting.analysis.importance import Importance, ImportanceRanking, rank_importances
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

KINDS = ["l1", "l2", "huber"]
RATE = SearchedParameter("rate", 1e-4, 1.0, log=True)
MOMENTUM = SearchedParameter("momentum", 0.0, 0.99)
LAYERS = SearchedParameter("layers", 1, 9, whole=True)
KIND = SearchedParameter("kind", choices=tuple(KINDS), role="scientific")
DELTA = SearchedParameter("delta", 0.1, 10.0, log=True, when={"kind": ("huber",)})
SPACE = [RATE, MOMENTUM, LAYERS, KIND, DELTA]


def draw_trials(count: int, seed: int = 0) -> pd.DataFrame:
    """Trials whose parameters are independent draws from the whole space."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(KINDS, count)
    return pd.DataFrame(
        {
            "number": range(count),
            "state": "complete",
            "rate": 10 ** rng.uniform(-4, 0, count),
            "momentum": rng.uniform(0, 0.99, count),
            "layers": rng.integers(1, 10, count),
            "kind": kind,
            "delta": np.where(kind == "huber", 10 ** rng.uniform(-1, 1, count), np.nan),
            "epochs": 16,
            "diverged_step": np.nan,
        }
    )


def compute_rate_position(trials: pd.DataFrame) -> pd.Series:
    """Where the rate lies in its range, 0 to 1."""
    result: pd.Series = (np.log10(trials["rate"]) + 4) / 4
    return result


def rank_parameters(tables: StudyTables) -> ImportanceRanking:
    ranking = rank_importances(tables)
    assert ranking is not None
    return ranking


def build_importance(name: str, difference: float, chance: float = 0.0, bound: float = 9.0) -> Importance:
    """An effect whose interval is half of it to one and a half; the smallest that counts is 0.1."""
    return Importance(difference, difference / 2, 1.5 * difference, False, chance, bound, name, "b", "a", 0.1, 40)


def let_all_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the advice on ranges take all parameters as ones that matter."""

    def rank_all(tables: StudyTables) -> ImportanceRanking:
        parameters = tuple(build_importance(parameter.name, 1.0) for parameter in tables.parameters)
        return ImportanceRanking(parameters, len(tables.trials), {}, compare_equal_training(tables), 0.0)

    for module in (good_region, next_space):
        monkeypatch.setattr(module, "rank_importances", rank_all)
