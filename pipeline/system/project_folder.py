"""The folder of the project that a command works in."""

import os
from pathlib import Path

from thalweg.system import files
from thalweg.system.paths import PARAMS

PIPELINE = Path("dvc.yaml")
CODE_RECORD = Path("own-code.json")
"""Says where own code lies that a project does not hold: `thalweg.run` writes it."""


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


def list_code_folders() -> list[str]:
    """Return the folders outside the project where its own code lies; raises `UserError` if the record is broken.

    They belong at the end of `sys.path`, where no module of theirs hides another.
    """
    if not files.path_exists(CODE_RECORD):
        return []
    record = files.read_json(CODE_RECORD)
    if not isinstance(record, dict) or not isinstance(record.get("folder"), str):
        raise files.UserError(f'{CODE_RECORD}: must be {{"folder": a path}}; delete it, and run the study again')
    return [str(files.resolve_links(Path(record["folder"])))]


def require_text_path() -> None:
    """Raise `UserError` if the current folder's path is not UTF-8: libraries and tables cannot hold it."""
    try:
        str(Path.cwd()).encode()
    except UnicodeEncodeError:
        raise files.UserError(f"{bytes(Path.cwd())!r}: the folder's name is not UTF-8; rename it") from None
