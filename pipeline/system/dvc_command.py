"""DVC as a program of this environment: it need not be on the path, and need not be activated."""

import os
import subprocess
import sys
from pathlib import Path

from thalweg.system import files
from thalweg.system.files import UserError

DVC_FOLDER = Path(".dvc")
CACHE = DVC_FOLDER / "cache"
"""Where DVC keeps results, unless its setting `cache.dir` names another folder."""
EXPERIMENTS = DVC_FOLDER / "tmp" / "exps"
"""Where DVC runs experiments of `dvc exp run --temp` and `--queue`, each in a folder that it removes at the end."""
REMOVING = "Removing "
"""How a line of `dvc gc --dry` begins, before the path of a file."""


def build_dvc_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return a command of DVC and its environment, in which the stages find `thalweg`."""
    programs = [str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])]
    # -P: a file of the project that has the name of a module of Python's must not stand in for it
    return [sys.executable, "-P", "-m", "dvc", *arguments], {**os.environ, "PATH": os.pathsep.join(programs)}


def run_dvc(*arguments: str) -> str:
    """Run a command of DVC that calls no one; return what it prints. Raises `UserError` with what it says."""
    command, environment = build_dvc_command(*arguments)
    environment = {**environment, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        errors = "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR"))
        raise UserError(f"dvc {arguments[0]}: {errors or (done.stderr or done.stdout).strip()}")
    return done.stdout


def find_dvc_root() -> Path | None:
    """Return the nearest folder upwards that DVC was set up in; None if there is none."""
    here = files.resolve_links(Path())
    return next((folder for folder in (here, *here.parents) if files.is_folder(folder / DVC_FOLDER)), None)


def list_experiments(root: Path) -> list[Path]:
    """Return the folders in which DVC runs experiments of the project at `root`, or in which it was killed."""
    return [path for pattern in ("tmp*", "standalone/tmp*") for path in files.find_files(root / EXPERIMENTS, pattern)]


def read_dvc_settings(*level: str) -> dict[str, str]:
    """Return the settings of DVC by their names, such as `core.remote`: of a level (`--project`), or of all."""
    lines = (line.partition("=") for line in run_dvc("config", "--list", *level).splitlines())
    return {name: value for name, _, value in lines}


def list_unneeded_files(scope: tuple[str, ...]) -> list[Path]:
    """Return the files of DVC's cache that `dvc gc` with the options `scope` would remove."""
    printed = run_dvc("gc", *scope, "--dry").splitlines()
    return [Path(line.removeprefix(REMOVING)) for line in printed if line.startswith(REMOVING)]
