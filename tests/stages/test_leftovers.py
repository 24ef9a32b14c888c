"""Temporary files that a killed process left."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.paths import ROOT
from thalweg.engine.state_folder import lock_state_folder
from thalweg.stages import prepare, runner
from thalweg.system import files
from thalweg.system.paths import PARAMS, REPORTS, STATE_FOLDER


def leave_files(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".trials.csv.ab3_x9_z"
    file.write_bytes(b"number,sta")
    return file


def test_stage_clears_reports_and_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / PARAMS, PARAMS)
    leftovers = [
        leave_files(REPORTS),
        leave_files(STATE_FOLDER),
        leave_files(STATE_FOLDER / "compiled" / "0123"),
        leave_files(STATE_FOLDER / "4567"),
    ]
    kept = [leave_files(tmp_path), REPORTS / ".gitignore"]
    kept[-1].write_text("/trials.csv\n")
    monkeypatch.setattr(prepare, "main", lambda _config: None)
    runner.run_stage("prepare")
    assert [file.exists() for file in (*leftovers, *kept)] == [False] * 4 + [True] * 2


def test_study_clears_all_below_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    leftovers = [leave_files(STATE_FOLDER / "0123"), leave_files(STATE_FOLDER / "0123" / "candidates" / "3")]
    kept = leave_files(STATE_FOLDER / "4567")
    with lock_state_folder("0123"):
        assert [file.exists() for file in (*leftovers, kept)] == [False, False, True]


def test_file_of_a_living_writer_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process clears the folder at each step of a write."""
    flush, moves, flushed = os.fsync, Path.replace, []

    def clear_and_flush(handle: int) -> None:
        flushed.append(handle)
        files.remove_partial_writes(tmp_path)
        flush(handle)

    def clear_and_move(path: Path, target: Path) -> Path:
        files.remove_partial_writes(tmp_path)
        return moves(path, target)

    monkeypatch.setattr(os, "fsync", clear_and_flush)
    monkeypatch.setattr(Path, "replace", clear_and_move)
    files.write_bytes(tmp_path / "a.csv", b"1")
    assert flushed
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"1"


def test_file_that_is_cleared_too_early_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process clears the folder between the making of the file and its lock."""
    make, names = tempfile.mkstemp, list[str]()

    def make_and_clear(**options: Any) -> tuple[int, str]:
        handle, name = make(**options)
        names.append(name)
        if len(names) == 1:
            files.remove_partial_writes(tmp_path)
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", make_and_clear)
    files.write_bytes(tmp_path / "a.csv", b"1")
    assert len(names) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
