"""Edits while a stage runs, under the real DVC."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.clone import Clone

pytestmark = pytest.mark.slow


def read_lock(clone: Clone) -> dict[str, object]:
    file = clone.folder / "dvc.lock"
    stages: dict[str, object] = YAML(typ="safe").load(file.read_text())["stages"] if file.exists() else {}
    return stages


def repro_with_edit(clone: Clone, stage: str, started: Callable[[], bool], edit: Callable[[], object]) -> str:
    """Run `thalweg run STAGE`, and edit something once the stage's work has begun; return its output."""
    with subprocess.Popen(
        ["dvc", "repro", stage],
        cwd=clone.folder,
        env=clone.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        while not started() and process.poll() is None:
            time.sleep(0.02)
        edit()
        output = process.communicate()[0]
    assert process.returncode != 0, output
    return output


def test_edit_during_training_is_never_recorded(clone: Callable[[], Clone]) -> None:
    project = clone()
    project.set({"training.epochs": 40, "optimizer.learning_rate": 0.001})
    project.run("dvc", "repro", "augment")
    state, curves = project.folder / ".thalweg", Path("artifacts/baseline/curves.csv")
    output = repro_with_edit(
        project,
        "train",
        lambda: any(state.glob("*/lock")),
        lambda: project.set({"optimizer.learning_rate": 0.0002, "report.title": "Other"}),
    )
    assert "params.yaml: optimizer.learning_rate: was 0.001, now 0.0002" in output
    assert "report.title" not in output
    assert "train" not in read_lock(project)
    project.run("dvc", "repro", "train")
    edited = (project.folder / curves).read_bytes()
    assert json.dumps(read_lock(project)["train"]).count("0.0002") == 1
    project.set({"optimizer.learning_rate": 0.001})
    project.run("dvc", "repro", "train")
    first = (project.folder / curves).read_bytes()
    assert first != edited
    # the lane of the run that was not recorded had finished: nothing was trained again
    stages = json.loads((project.folder / "reports/timing.json").read_text())["stages"]
    assert stages["train"]["epochs"] == 0
    project.set({"optimizer.learning_rate": 0.0002})
    assert "skipping run, checking out outputs" in project.run("dvc", "repro", "train")
    assert (project.folder / curves).read_bytes() == edited
    project.run("rm", "-r", "artifacts/baseline")
    project.run("dvc", "checkout", "artifacts/baseline")
    assert (project.folder / curves).read_bytes() == edited
