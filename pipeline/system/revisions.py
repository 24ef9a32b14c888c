"""Files of a git commit or of an experiment of DVC's: what git tracks, and what DVC has in its cache or a remote."""

from collections.abc import Callable
from pathlib import Path

from thalweg.system import git
from thalweg.system.files import UserError

ReadFile = Callable[[Path], bytes | None]
"""Reads a file of a project, by its path there; None where it cannot be had."""


def find_commit(name: str) -> str | None:
    """Return the commit of a git revision, or of an experiment by its name; None if the project has none.

    Raises `UserError` for the name of several experiments.
    """
    from dvc.exceptions import DvcException
    from dvc.scm import SCM, resolve_rev  # half a second

    try:
        return str(resolve_rev(SCM("."), name))
    except DvcException as error:
        if "ambiguous" in str(error):
            raise UserError(f"{name}: several experiments have this name; give the commit of one") from None
        return None


def open_commit(commit: str) -> ReadFile:
    """Return a function that reads the files of a commit."""
    from dvc.api import DVCFileSystem  # a second
    from dvc.config import Config

    # the remote of today: at the commit, the project may have had none
    system = DVCFileSystem(rev=commit, subrepos=True, remote=Config.from_cwd()["core"].get("remote"))
    prefix = git.run_git("rev-parse", "--show-prefix") or ""

    def read(path: Path) -> bytes | None:
        try:
            return bytes(system.cat_file(f"/{prefix}{path.as_posix()}"))
        except Exception:  # a cache that lacks it, and each kind of remote, has errors of its own
            return None

    return read
