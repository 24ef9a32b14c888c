"""The folder of the project that a command works in."""

import os
from pathlib import Path

from thalweg.system import files
from thalweg.system.paths import PARAMS

PIPELINE = Path("dvc.yaml")


def enter_project() -> Path:
    """Go to the project around the current folder, as git does: the nearest folder upwards that has dvc.yaml.

    A folder that has params.yaml is left alone. Returns the way from the project to where the user is.
    """
    here = Path.cwd()
    if not files.path_exists(PARAMS):
        around = (folder for folder in (here, *here.parents) if files.path_exists(folder / PIPELINE))
        project = next(around, here)
        if project != here:
            os.chdir(project)
            return here.relative_to(project)
    return Path()


def require_text_path() -> None:
    """Raise `UserError` if the current folder's path is not UTF-8: libraries and tables cannot hold it."""
    try:
        str(Path.cwd()).encode()
    except UnicodeEncodeError:
        raise files.UserError(f"{bytes(Path.cwd())!r}: the folder's name is not UTF-8; rename it") from None
