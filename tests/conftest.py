"""Fixtures of every test: a study of a linear model on a few small images."""

import os

from tests.helpers import xla_flags

# programs run for a moment here, so most of a test was their optimisation; `make test-all` sets XLA_FLAGS to nothing
os.environ.setdefault("XLA_FLAGS", xla_flags.build_hasty_flags())
import thalweg  # noqa: F401  before NumPy and JAX: it settles what they read from the environment

# isort: split
import contextlib
import gc
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from tests.helpers import programs, saved_models, small_study
from tests.helpers.browser import ASK, find_browser, open_browser
from tests.helpers.paths import ROOT
from tests.helpers.tiny_pipeline import TREE, run_stages, write_params
from tests.helpers.wheel import Installed, install_wheel
from thalweg.__main__ import COLLECT_EVERY
from thalweg.artifacts import trained_model
from thalweg.artifacts.trained_model import TrainedModel
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.data.examples import Examples
from thalweg.data.splits import Splits
from thalweg.stages import STAGE_NAMES
from thalweg.tasks.count import Count
from thalweg.training import build
from thalweg.training.plan import TrainingData

# as the command does: a quarter of the collection of tests was a search for garbage
gc.set_threshold(COLLECT_EVERY)
# how long an example takes says how busy the machine is
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="module", autouse=True)
def released_programs() -> Iterator[None]:
    yield
    programs.release_programs()


@pytest.fixture(scope="session", autouse=True)
def unchanged_project() -> Iterator[None]:
    """Fail at the end if a test left a file in the project, where a commit would take it along."""
    before = list_new_files()
    yield
    assert list_new_files() <= before


def list_new_files() -> set[str]:
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines())


@pytest.fixture(scope="session")
def config() -> Config:
    return small_study.CONFIG


@pytest.fixture(scope="session")
def examples() -> Examples:
    return small_study.draw_examples()


@pytest.fixture(scope="session")
def splits() -> Splits:
    return small_study.split_examples()


@pytest.fixture(scope="session")
def folded_splits() -> Splits:
    return small_study.split_into_folds()


@pytest.fixture(scope="session")
def data_spec(examples: Examples) -> DataSpec:
    return build.build_data_spec(examples)


@pytest.fixture(scope="session")
def compose_data(examples: Examples) -> Callable[[Config, Splits], TrainingData]:
    """The engine's data for splits of the examples."""
    return lambda config, splits: build.build_data(config, examples, splits, np.zeros(0, np.int64))


@pytest.fixture(scope="session")
def counting_model() -> TrainedModel:
    return saved_models.build_model(Count(), (1,))


@pytest.fixture(scope="session")
def saved_model(counting_model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    trained_model.save_trained_model(folder, counting_model)
    return folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage has run."""
    folder = tmp_path_factory.mktemp("project")
    with contextlib.chdir(folder):
        write_params(TREE, "# what a person wrote\n")
        run_stages(*STAGE_NAMES)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if find_browser() is None:
        pytest.skip(ASK)
    with open_browser() as opened:
        yield opened


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
