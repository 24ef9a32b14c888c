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
    """Run `dvc repro STAGE`, and edit something once the stage's work has begun; return what it says."""
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
        told = process.communicate()[0]
    assert process.returncode != 0, told
    return told


def test_edit_during_training_is_never_recorded(clone: Callable[[], Clone]) -> None:
    made = clone()
    made.set({"training.epochs": 40})
    made.run("dvc", "repro", "augment")
    state, curves = made.folder / ".thalweg", Path("artifacts/baseline/curves.csv")
    told = repro_with_edit(
        made,
        "train",
        lambda: any(state.glob("*/lock")),
        lambda: made.set({"optimizer.learning_rate": 0.0002, "report.title": "Other"}),
    )
    assert "params.yaml: optimizer.learning_rate: was 0.001, now 0.0002" in told
    assert "report.title" not in told
    assert "train" not in read_lock(made)
    made.run("dvc", "repro", "train")
    edited = (made.folder / curves).read_bytes()
    assert json.dumps(read_lock(made)["train"]).count("0.0002") == 1
    made.set({"optimizer.learning_rate": 0.001})
    made.run("dvc", "repro", "train")
    first = (made.folder / curves).read_bytes()
    assert first != edited
    # the lane of the run that was not recorded had finished: nothing was trained again
    stages = json.loads((made.folder / "reports/timing.json").read_text())["stages"]
    assert stages["train"]["epochs"] == 0
    made.set({"optimizer.learning_rate": 0.0002})
    assert "skipping run, checking out outputs" in made.run("dvc", "repro", "train")
    assert (made.folder / curves).read_bytes() == edited
    made.run("rm", "-r", "artifacts/baseline")
    made.run("dvc", "checkout", "artifacts/baseline")
    assert (made.folder / curves).read_bytes() == edited
