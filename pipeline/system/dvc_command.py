"""DVC as a program of this environment: it need not be on the path, and need not be activated."""

import os
import subprocess
import sys
from pathlib import Path

from thalweg.system.files import UserError


def build_dvc_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return a command of DVC and its environment, in which the stages find `thalweg`."""
    programs = [str(Path(sys.executable).parent), *filter(None, [os.environ.get("PATH")])]
    # -P: a file of the project that has the name of a module of Python's must not stand in for it
    return [sys.executable, "-P", "-m", "dvc", *arguments], {**os.environ, "PATH": os.pathsep.join(programs)}


def run_dvc(*arguments: str) -> None:
    """Run a command of DVC that prints nothing and calls no one. Raises `UserError` with what it says."""
    command, environment = build_dvc_command(*arguments, "--quiet")
    environment = {**environment, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise UserError(f"dvc {arguments[0]}: {(done.stderr or done.stdout).strip()}")
