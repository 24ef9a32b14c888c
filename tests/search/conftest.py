"""A PostgreSQL server for each file that asks for one."""

from collections.abc import Iterator

import pytest

from tests.helpers import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.run_server() as server:
        yield server
