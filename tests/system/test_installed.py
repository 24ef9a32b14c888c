"""An environment without what only training needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

HIDE = "import sys; sys.modules.update(dict.fromkeys(['jax', 'jaxlib', 'flax', 'optax', 'dvc', 'PIL', 'sklearn']))\n"
"""Makes Python take packages for missing."""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"{HIDE}sys.argv = ['thalweg', *{list(arguments)!r}]\nfrom thalweg.__main__ import main\nsys.exit(main())"
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def test_package_and_version_need_no_jax(tmp_path: Path) -> None:
    done = run(tmp_path, "--version")
    assert (done.returncode, done.stdout.startswith("thalweg "), done.stderr) == (0, True, "")


def test_names_that_train_say_what_to_install(tmp_path: Path) -> None:
    code = f"{HIDE}import thalweg; print(thalweg.Finding.__name__); thalweg.Study"
    command, paths = [sys.executable, "-c", code], {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=paths, capture_output=True, text=True, check=False)
    assert done.stdout == "Finding\n"
    assert "UserError: thalweg.Study needs jax, flax, optax, dvc: install them with pip" in done.stderr


@pytest.mark.parametrize("command", ["run", "check", "study", "init"])
def test_training_says_what_to_install(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command)
    message = f"thalweg {command} needs jax, flax, optax, dvc: install them with pip install 'thalweg[train]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
    assert list(tmp_path.iterdir()) == []


def test_report_of_a_table_needs_no_jax(tmp_path: Path) -> None:
    rows = "".join(f"{number / 20},{(number / 20 - 0.3) ** 2}\n" for number in range(20))
    (tmp_path / "trials.csv").write_text(f"x,value\n{rows}")
    done = run(tmp_path, "report", "--csv", "trials.csv", "--minimize", "--out", "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out/report.html\n", "")
    assert json.loads((tmp_path / "out" / "findings.json").read_text())
