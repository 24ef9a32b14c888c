"""`thalweg ps` and `thalweg stop`, while a stage runs in this process."""

import json
import os
from pathlib import Path

import pytest

from thalweg import cli
from thalweg.system import running


@pytest.fixture
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    (tmp_path / "dvc.yaml").touch()


@pytest.mark.usefixtures("_project")
def test_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ps"]) == 0
    assert capsys.readouterr().out == "no stage runs in this project\n"
    assert cli.main(["stop"]) == 2
    assert capsys.readouterr().err == "stop: no stage runs in this project\n"


@pytest.mark.usefixtures("_project")
def test_running_stage_is_listed_and_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    with running.announce_stage("study"):
        running.update_stage("training", "3 of 8 trials", 100.0)
        assert cli.main(["ps", "--json"]) == 0
        (stage,) = json.loads(capsys.readouterr().out)["stages"]
        assert (stage["process"], stage["trains"], stage["seconds_left"]) == (os.getpid(), False, 100.0)
        assert cli.main(["ps"]) == 0
        line = capsys.readouterr().out
        assert line.startswith(f"study (process {os.getpid()}): for ")
        assert line.endswith("s, training, 3 of 8 trials, about 2 min left\n")
        assert cli.main(["stop"]) == 2
        assert "does not train now" in capsys.readouterr().err
        with running.announce_training():
            assert cli.main(["stop", "1"]) == 2
            assert "there is no process 1: study" in capsys.readouterr().err
            assert cli.main(["stop", str(os.getpid())]) == 0
            assert running.is_stop_asked()
