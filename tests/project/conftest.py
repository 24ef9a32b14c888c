"""Clones of the project."""

from collections.abc import Callable

import pytest

from tests.helpers.clone import Clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Clone]:
    return lambda: Clone(tmp_path_factory.mktemp("clone"))
