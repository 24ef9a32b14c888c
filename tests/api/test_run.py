"""Whole studies from Python, in a process that has used JAX before, against the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import thalweg
from tests.helpers.paths import ROOT
from tests.helpers.tiny_pipeline import TREE

pytestmark = pytest.mark.slow
RUN = """
import json, signal, sys
import jax

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored

jax.config.update("jax_enable_x64", True)
(jax.numpy.ones((8, 8)) @ jax.numpy.ones((8, 8))).block_until_ready()
import thalweg

params, options = json.loads(sys.argv[1])
print(thalweg.run(params, **options))
"""
STAGES = ["prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report"]


def start(here: Path, params: Any, **options: Any) -> "subprocess.Popen[str]":
    """Start a script that runs a study in a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps([params, options])],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(here: Path, params: Any, **options: Any) -> str:
    """Run a script that runs a study; return what it prints."""
    process = start(here, params, **options)
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output


def list_stages_run(output: str) -> list[str]:
    """Return the stages whose last line was printed."""
    names = [line.partition(" (")[0] for line in output.splitlines()]
    return [name for name in names if name in STAGES]


def read_results(folder: Path) -> dict[str, bytes]:
    """Return each file of artifacts/ and reports/, but for the times."""
    paths = [path for top in ("artifacts", "reports") for path in sorted((folder / top).rglob("*")) if path.is_file()]
    results = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    del results["reports/timing.json"]
    return results


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, run from Python."""
    folder = tmp_path_factory.mktemp("python")
    output = run(folder, TREE, folder="study")
    assert list_stages_run(output) == STAGES
    assert output.splitlines()[-1].startswith(f"Study of 4 trials in {folder}/study: ")
    return folder / "study"


def test_bytes_are_those_of_the_command_line(place: Path, tmp_path: Path) -> None:
    def run_thalweg(*arguments: str) -> None:
        command = [sys.executable, "-m", "thalweg", *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)

    run_thalweg("init")
    YAML(typ="rt").dump(TREE, tmp_path / "params.yaml")
    run_thalweg("run")
    expected = read_results(tmp_path)
    assert {"reports/trials.csv", "reports/report.html", "artifacts/model/weights.msgpack"} <= expected.keys()
    results = read_results(place)
    assert results.keys() == expected.keys()
    assert [name for name, content in expected.items() if results[name] != content] == []
    # the project itself, unchanged: nothing is left to do
    assert list_stages_run(run(tmp_path, "params.yaml")) == []
    assert not (tmp_path / "studies").exists()


def test_second_call_runs_no_stage(place: Path) -> None:
    assert list_stages_run(run(place.parent, TREE, folder="study")) == []


def test_longer_study_goes_on(tmp_path: Path) -> None:
    """Another folder, with the state of the first: only what depends on the number of trials runs."""
    run(tmp_path, TREE)
    output = run(tmp_path, TREE, changes={"study.trials": 6})
    assert list_stages_run(output) == STAGES[4:]
    assert len({path.name for path in (tmp_path / "studies").glob("[!.]*")}) == 2
    (longer,) = [path for path in (tmp_path / "studies").glob("*/reports/trials.csv") if "\n5," in path.read_text()]
    assert json.loads((longer.parent / "timing.json").read_text())["stages"]["study"]["epochs"] == 2 * 2


@pytest.mark.skipif(sys.platform != "linux", reason="lists processes as Linux has them")
def test_interrupt_keeps_what_is_finished(place: Path, tmp_path: Path) -> None:
    process, lock = start(tmp_path, TREE, folder="study"), tmp_path / "study" / "dvc.lock"
    while process.poll() is None and not (lock.exists() and "\n  evaluate:" in lock.read_text()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    working = [path for path in Path("/proc").glob("[0-9]*/cwd") if is_below(path, tmp_path)]
    assert working == []
    assert list_stages_run(run(tmp_path, TREE, folder="study")) == STAGES[4:]
    assert read_results(tmp_path / "study") == read_results(place)


def is_below(link: Path, folder: Path) -> bool:
    """Say whether a process works below a folder."""
    try:
        return link.readlink().is_relative_to(folder)
    except OSError:  # another user's, or over
        return False


def test_own_code_lies_with_the_script(tmp_path: Path) -> None:
    (tmp_path / "own_model.py").write_text(
        "from thalweg.models.linear import Model as Linear\n\nclass Model(Linear): ...\n"
    )
    output = run(tmp_path, TREE, changes={"model.kind": "own_model.Model"})
    assert "own code: own_model" in output
    (place,) = (tmp_path / "studies").glob("[!.]*")
    predicted = thalweg.load(place).predict(np.zeros((2, 24, 24, 3), np.uint8))
    assert isinstance(predicted, pd.DataFrame)
    assert len(predicted) == 2


def test_error_of_a_stage_is_raised(tmp_path: Path) -> None:
    process = start(tmp_path, TREE, changes={"data.source.places": 1}, folder="study")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "thalweg.system.files.UserError: " in errors
    assert "failed to reproduce" not in errors
