"""Temporary files that a killed process left."""

import shutil
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg.engine.state_folder import lock_state_folder
from thalweg.stages import prepare, runner
from thalweg.system.paths import PARAMS, REPORTS, STATE_FOLDER


def leave_files(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".trials.csv.ab3_x9_z"
    file.write_bytes(b"number,sta")
    return file


def test_stage_clears_reports_and_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / PARAMS, PARAMS)
    left = [leave_files(REPORTS), leave_files(STATE_FOLDER)]
    kept = [leave_files(STATE_FOLDER / "of another process"), leave_files(tmp_path), REPORTS / ".gitignore"]
    kept[-1].write_text("/trials.csv\n")
    monkeypatch.setattr(prepare, "main", lambda _config: None)
    runner.run_stage("prepare")
    assert [file.exists() for file in (*left, *kept)] == [False] * 2 + [True] * 3


def test_study_clears_all_below_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    left = [leave_files(STATE_FOLDER / "0123"), leave_files(STATE_FOLDER / "0123" / "candidates" / "3")]
    kept = leave_files(STATE_FOLDER / "4567")
    with lock_state_folder("0123"):
        assert [file.exists() for file in (*left, kept)] == [False, False, True]
