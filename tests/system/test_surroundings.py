"""Odd surroundings of a command: no git, no home, closed or full output, names of any kind. None gives a traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

THALWEG = f"{sys.executable} -m thalweg"
NO_DISK = not Path("/dev/full").exists()


def run_in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "THALWEG_"))}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (f"unset HOME; {THALWEG} check", 0, ""),
        (f"HOME=/nowhere/x TMPDIR=/nowhere/x {THALWEG} check", 0, ""),
        (f"LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {THALWEG} check größe.yaml", 2, "cannot be read"),
        (f"{THALWEG} check <&-", 0, ""),
        (f"{THALWEG} check >&-", 0, ""),
        (f"{THALWEG} check none.yaml 2>&-", 2, ""),
        (f"PATH=/nowhere {THALWEG} use bus-stop", 0, ""),
        (f"{THALWEG} use {'a' * 300}", 2, "no such preset"),
        (f"{THALWEG} predict {'a' * 300} --out o.csv", 2, "no model yet"),
        (f"{THALWEG} predict a.png --model {'a' * 300} --out o.csv", 2, "no model yet"),
        (f"{THALWEG} predict a.png --out $'o\\xdf.csv'", 2, "the file's name is not UTF-8"),
        (f"{THALWEG} check $'p\\xdf.yaml'", 2, "cannot be read"),
        (f"{THALWEG} check .", 2, "is a folder, not a file"),
        pytest.param(
            f"{THALWEG} check >/dev/full",
            2,
            "output: No space left on device",
            marks=pytest.mark.skipif(NO_DISK, reason="the system has no /dev/full"),
        ),
    ],
)
def test_odd_surroundings(project: Path, command: str, code: int, message: str) -> None:
    done = run_in_shell(command, project)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a b", 'it\'s "so"', "100 %20", "a#b", "{a}${b}", "größe 日本", "a\nb"])
def test_any_name_of_the_project_folder(project: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(project, tmp_path / name)
    done = run_in_shell(f"{THALWEG} stage prepare && {THALWEG} stage augment", tmp_path / name)
    # a slow machine prints how far a stage is
    errors = [line for line in done.stderr.splitlines() if not line.startswith(("prepare", "augment"))]
    assert (done.returncode, errors) == (0, [])


def test_folder_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "x\udcdf").mkdir()
    done = run_in_shell(f"{THALWEG} stage prepare", tmp_path / "x\udcdf")
    assert done.returncode == 2
    assert done.stderr.endswith(r"x\xdf': the folder's name is not UTF-8; rename it" + "\n")
