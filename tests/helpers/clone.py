"""Clones of the project, small enough to run whole."""

import os
import shutil
import subprocess
import sys
from copy import copy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from tests.helpers.small_study import set_values

SMALL = {
    "data.source.examples": 160,
    "data.source.places": 60,
    "data.source.size": [24, 24],
    "model.width": 4,
    "training.epochs": 2,
    "schedule.warmup": 1.0,
    "training.batch_size": 16,
    "study.trials": 8,
    "study.cohort": 4,
    "confirm.seeds": 2,
}

SMALLER = {"diagnose.seeds": 1, "diagnose.landscape": {"points": 5, "examples": 32, "seeds": 2}}
"""Beside `SMALL`, for a test that runs the pipeline again and again."""
LEFT_OUT = ("XLA_FLAGS", "NPROC", "PYTHONDONTWRITEBYTECODE")
"""Of the environment, what a person's own shell would not have."""


ALL = ["prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report"]
"""The stages in the order in which they run."""


class Clone:
    """A git clone of this working tree with a small experiment in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if name and name != "dvc.lock" and ((ROOT / name).is_symlink() or (ROOT / name).is_file()):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name, follow_symlinks=False)
        self.set(SMALL)
        self.git("init", "-q")
        self.commit("all")

    def copy_to(self, folder: Path) -> "Clone":
        """Return a copy with the same commits, results and state."""
        copied = copy(self)
        copied.folder = Path(shutil.copytree(self.folder, folder, symlinks=True))
        return copied

    def clone_to(self, folder: Path) -> "Clone":
        """Return what `git clone` makes of it: the files that are committed, without results and state."""
        cloned = copy(self)
        cloned.folder = folder
        self.git("clone", "--quiet", str(self.folder), str(folder))
        return cloned

    def set(self, values: dict[str, Any]) -> None:
        """Change values in params.yaml."""
        yaml, file = YAML(), self.folder / "params.yaml"
        tree = yaml.load(file.read_text())
        set_values(tree, values)
        with file.open("w") as out:
            yaml.dump(tree, out)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self, title: str) -> None:
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", title)

    @staticmethod
    def environment() -> dict[str, str]:
        """The environment that the tests run in, as a person's own shell would have it."""
        variables = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
        variables = {name: value for name, value in variables.items() if not name.startswith(("JAX_", "THALWEG_"))}
        return variables | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(self, *command: str, cores: int | None = None) -> str:
        """The output of a command that must succeed."""
        done = self.attempt(*command, cores=cores)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def attempt(self, *command: str, cores: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment that the tests run in, on so many cores."""
        pinned = ["taskset", "-c", ",".join(map(str, range(cores)))] if cores and shutil.which("taskset") else []
        return subprocess.run(
            [*pinned, *command], cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
        )

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def read_results(self) -> dict[str, bytes]:
        """Return each file of `artifacts/` and `reports/` but the times that stages took."""
        files = [file for top in ("artifacts", "reports") for file in sorted((self.folder / top).rglob("*"))]
        names = [file.relative_to(self.folder).as_posix() for file in files if file.is_file()]
        return {name: self.read(name) for name in names if name != "reports/timing.json"}

    def list_made_files(self) -> frozenset[str]:
        """Return all files below the folders that stages write to, but for compiled programs."""
        files = [file for top in ("artifacts", "reports", ".thalweg") for file in (self.folder / top).rglob("*")]
        names = [file.relative_to(self.folder).as_posix() for file in files if file.is_file()]
        return frozenset(name for name in names if not name.startswith(".thalweg/compiled/"))

    def clear(self) -> None:
        """Delete all that stages and DVC made, and undo edits."""
        for name in ("artifacts", "reports", ".thalweg", ".dvc/cache", ".dvc/tmp"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("dvc.lock", "dvc.lock.torn"):
            (self.folder / name).unlink(missing_ok=True)
        self.git("checkout", "--", ".")

    def repro(self, cores: int | None = None) -> list[str]:
        """`dvc repro`; the stages that ran."""
        return list_stages_run(self.run("dvc", "repro", cores=cores))


def list_stages_run(output: str) -> list[str]:
    """The stages that a `dvc repro` ran, as it printed them, but for `inputs`, which always runs."""
    names = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
    return [name for name in names if name != "inputs"]
