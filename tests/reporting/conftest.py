"""Synthetic studies, drawn once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.drawn_studies import build_counting_study, build_studies_by_case
from tests.helpers.five_parameters import SPACE
from thalweg.reporting.tables import StudyTables


@pytest.fixture(scope="session")
def studies_by_case(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StudyTables]:
    return build_studies_by_case(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def counting_study(studies_by_case: dict[str, StudyTables]) -> StudyTables:
    return studies_by_case["usual"]


@pytest.fixture(scope="session")
def draw_counting_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], StudyTables]:
    folder = tmp_path_factory.mktemp("more")
    return lambda trials: build_counting_study(folder, trials)


@pytest.fixture
def build_study(counting_study: StudyTables) -> Callable[..., StudyTables]:
    """A study of these trials with these values, and with the noise of a seed where that is given."""

    def make(trials: pd.DataFrame, values: Any, noise: float | None = None, **changed: Any) -> StudyTables:
        runs = pd.DataFrame()
        if noise is not None:
            spread = noise * np.linspace(-1, 1, 8) / np.linspace(-1, 1, 8).std(ddof=1)
            runs = pd.DataFrame({"candidate": "winner", "trial": 0, "seed": range(8), "validation_mae": 1 + spread})
        parts = {"trials": trials.assign(value=values), "curves": pd.DataFrame(), "runs": runs, "space": SPACE}
        return replace(counting_study, **{**parts, **changed})

    return make
