"""The project works below any path that make and pip can bear; others are refused in one line."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers.clone import SMALLER, Clone
from tests.helpers.paths import ROOT

OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHONPATH", "VIRTUAL_ENV")
OWN = {name: value for name, value in Clone.environment().items() if name not in OF_MAKE}
"""The environment of a person's shell, also where `make test` runs this."""


@pytest.mark.parametrize("name", ["a:b", "a#b", "a$b", 'a"b', "a`b", "a\\b"])
def test_unbearable_path_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for file in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copyfile(ROOT / file, folder / file)
    done = subprocess.run(["make", "setup"], cwd=folder, env=OWN, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == f'{folder}: make and pip cannot bear : # $ " ` \\ in a path; move the folder\n'
    assert not (folder / ".venv").exists()


@pytest.mark.slow
def test_odd_path_works(tmp_path: Path) -> None:
    folder = tmp_path / "Ärger mit Pfaden & 'Straßen'"
    folder.mkdir()
    clone = Clone(folder)
    clone.set(SMALLER)
    for command in (["make", "setup"], ["make"]):
        done = subprocess.run(command, cwd=folder, env=OWN, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / ".venv" / "bin" / "thalweg").exists()
    assert (folder / "reports" / "report.html").exists()
