"""Files of a git commit or of an experiment of DVC's: what git tracks, and what DVC has in its cache or a remote."""

from collections.abc import Callable
from pathlib import Path

from thalweg.system import git
from thalweg.system.files import UserError

ReadFile = Callable[[Path], bytes | None]
"""Reads a file of a project, by its path there; None where there is none."""
NOT_FOUND = 404
"""The status by which HTTP says that a file is not there."""


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
    """Return a function that reads the files of a commit.

    It raises `UserError` for a file that may be there, but cannot be had: for want of a network, of a right, and so on.
    """
    from dvc.api import DVCFileSystem  # a second
    from dvc.config import Config

    # the remote of today: at the commit, the project may have had none
    system = DVCFileSystem(rev=commit, subrepos=True, remote=Config.from_cwd()["core"].get("remote"))
    prefix = git.run_git("rev-parse", "--show-prefix") or ""

    def read(path: Path) -> bytes | None:
        try:
            return bytes(system.cat_file(f"/{prefix}{path.as_posix()}"))
        except Exception as error:  # each kind of remote has errors of its own
            cause = _find_failure(error)
            if cause is None:
                return None
            reason = f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}"
            advice = "`dvc fetch --all-commits` gets the files of all commits"
            raise UserError(f"{path} of the commit {commit[:7]} cannot be read: {reason}; {advice}") from error

    return read


def _find_failure(error: BaseException) -> BaseException | None:
    """Return what went wrong as a file was read; None if it just is not there."""
    from dvc_data.index import DataIndexDirError

    if isinstance(error, DataIndexDirError) and error.__cause__ is not None:
        error = error.__cause__  # why the list of a folder's files is not there
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return error
    cause = error.__cause__  # over HTTP each error ends as a file that is not found
    is_network = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    return cause if is_network or getattr(cause, "status", NOT_FOUND) != NOT_FOUND else None
