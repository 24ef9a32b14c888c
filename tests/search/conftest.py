"""What several files of this folder need: a study's data, the steps that are trained, a PostgreSQL server."""

from collections.abc import Callable, Iterator

import pytest

from tests.helpers import postgres
from tests.helpers.training_calls import count_steps
from thalweg.config.experiment import Config
from thalweg.data.splits import Splits
from thalweg.training.plan import TrainingData


@pytest.fixture(scope="session")
def training_data(
    config: Config, splits: Splits, compose_data: Callable[[Config, Splits], TrainingData]
) -> TrainingData:
    return compose_data(config, splits)


@pytest.fixture
def trained_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that lanes are trained from here on."""
    return count_steps(monkeypatch)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for each file that asks for one."""
    with postgres.run_server() as server:
        yield server
