"""A folder in which every stage has run."""

import contextlib
from pathlib import Path

import pytest

from tests.helpers.tiny_pipeline import TREE, run, write
from thalweg.stages import STAGE_NAMES


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run."""
    folder = tmp_path_factory.mktemp("project")
    with contextlib.chdir(folder):
        write(TREE, "# what a person wrote\n")
        run(*STAGE_NAMES)
    return folder
