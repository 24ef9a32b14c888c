"""A study in a notebook, where JAX may be loaded already."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import xla_flags
from tests.helpers.paths import ROOT
from tests.helpers.small_study import build_training_data
from tests.helpers.training_calls import count_steps
from thalweg.artifacts import prepared
from thalweg.config.load import load_config
from thalweg.search.run import build_trials_table, run_study
from thalweg.system import runtime
from thalweg.system.paths import (
    PARAMS,
)

NOTEBOOK = """
import sys
import jax, jax.numpy as jnp
jax.block_until_ready(jnp.ones(3) @ jnp.ones(3))
import thalweg
from thalweg.training import build
from thalweg.artifacts import prepared
from thalweg.config.load import load_config
from thalweg.system.paths import PARAMS
from thalweg.engine import fleet
from thalweg.search.run import build_trials_table, run_study

def never(*_):
    raise AssertionError("this process must train nothing")

fleet.population.advance_lanes = never
config, loaded = load_config(PARAMS), prepared.load_prepared_data()
data = build.build_data(config, loaded.examples, loaded.splits, loaded.copy_origins)
trials = run_study(config, loaded, data)[0].trials
print(thalweg.system.runtime.JAX_ALREADY_LOADED)
sys.stdout.write(build_trials_table(config, trials).to_csv(index=False))
"""


@pytest.fixture
def copied_project(finished_project: Path, tmp_path: Path) -> Path:
    """A folder with the same data, where no study has run."""
    shutil.copytree(finished_project / "artifacts", tmp_path / "artifacts")
    shutil.copyfile(finished_project / PARAMS, tmp_path / PARAMS)
    return tmp_path


@pytest.mark.slow
def test_loaded_jax_moves_study_to_subprocess(
    finished_project: Path, copied_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook's own thread pool would give other bits."""
    monkeypatch.chdir(copied_project)
    monkeypatch.setattr(runtime, "JAX_ALREADY_LOADED", True)
    steps = count_steps(monkeypatch)
    config, loaded = load_config(PARAMS), prepared.load_prepared_data()
    data = build_training_data(config, loaded)
    trials = run_study(config, loaded, data)[0].trials
    assert steps == []
    assert (
        build_trials_table(config, trials).to_csv(index=False).encode()
        == (finished_project / "reports/trials.csv").read_bytes()
    )


@pytest.mark.slow
def test_notebook_moves_study_to_subprocess(finished_project: Path, copied_project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NPROC"}
    environment |= {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": xla_flags.build_process_flags()}
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        cwd=copied_project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    progress, table = done.stdout.split("True\n")
    assert "4 of 4 trials" in progress
    assert table.encode() == (finished_project / "reports/trials.csv").read_bytes()
