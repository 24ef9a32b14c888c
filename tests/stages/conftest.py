"""A folder in which every stage has run."""

import contextlib
from pathlib import Path

import pytest

from tests.helpers.tiny_pipeline import TREE, run_stages, write_params
from thalweg.stages import STAGE_NAMES


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run."""
    folder = tmp_path_factory.mktemp("project")
    with contextlib.chdir(folder):
        write_params(TREE, "# what a person wrote\n")
        run_stages(*STAGE_NAMES)
    return folder
