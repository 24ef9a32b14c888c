"""One side of `thalweg compare`: a params file trained with a seed, as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.tiny_pipeline import TREE, write_params


@pytest.mark.slow
def test_metrics_of_a_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    write_params(TREE)
    Path("params.yaml").rename("small.yaml")
    printed = []
    for seed in ("3", "4"):
        command = [sys.executable, "-m", "thalweg.api.baseline", "small.yaml", seed]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        printed.append(json.loads(done.stdout))
    assert printed[0].keys() == printed[1].keys() >= {"mae", "rmse"}
    assert printed[0] != printed[1]


def test_mistake_in_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("sed: 1\n")
    command = [sys.executable, "-m", "thalweg.api.baseline", str(tmp_path / "bad.yaml"), "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert "sed: unknown key" in done.stderr
