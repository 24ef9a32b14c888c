"""Synthetic studies, drawn once."""

from collections.abc import Callable

import pytest

from tests.helpers.drawn_studies import count_study, edge_cases
from thalweg.reporting.tables import Tables


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    return edge_cases(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def usual(cases: dict[str, Tables]) -> Tables:
    return cases["usual"]


@pytest.fixture(scope="session")
def study_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Tables]:
    folder = tmp_path_factory.mktemp("more")
    return lambda trials: count_study(folder, trials)
