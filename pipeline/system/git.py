"""Ask git about the project."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from thalweg.system import files


def run_git(*arguments: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Return what a git command prints, without spaces around it; None without git or a repository.

    `environment` adds variables.
    """
    variables = {**os.environ, **(environment or {})}
    try:
        result = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, errors="replace", check=False, env=variables
        )
    except OSError:
        return None
    return None if result.returncode else result.stdout.strip()


def hash_work_tree(left_out: Path) -> str | None:
    """Return git's hash of all files that it does not ignore, as they are now, but for one file; None without git.

    Raises `UserError` for a file that git cannot read: the hash would be of other files.
    A temporary index and a temporary store of objects leave the repository as it is.
    """
    folder = run_git("rev-parse", "--absolute-git-dir")
    top = run_git("rev-parse", "--show-toplevel")
    if folder is None or top is None:
        return None
    with files.open_temporary_folder() as temporary:
        environment = {
            "GIT_INDEX_FILE": str(temporary / "index"),
            "GIT_OBJECT_DIRECTORY": str(temporary),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(Path(folder) / "objects"),
        }
        run_git("read-tree", "HEAD", environment=environment)  # without a commit there is nothing to read
        if run_git("add", "--all", "--", top, environment=environment) is None:
            raise files.UserError(f"{top}: git cannot read all files; `git add --all --dry-run` says why")
        run_git("rm", "--cached", "--quiet", "--ignore-unmatch", "--", str(left_out), environment=environment)
        return run_git("write-tree", environment=environment)
