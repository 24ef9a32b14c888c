"""Mend files that a kill, Ctrl-C or a full disk has cut: DVC writes them in place, and refuses to start with torn ones.

These are dvc.lock, and DVC's list of the files in use.
"""

import json
import sys
from pathlib import Path

from thalweg.system import files

LOCK = Path("dvc.lock")
TORN_LOCK = Path("dvc.lock.torn")
DVC_FOLDER = Path(".dvc", "tmp")
FILES_IN_USE = DVC_FOLDER / "rwlock"


def mend_files_in_use() -> None:
    """Remove DVC's list of the files that running commands use, if it is torn. DVC makes it anew."""
    if not _is_list_torn():
        return
    with files.lock_file(FILES_IN_USE.with_name("rwlock.lock"), seconds=0) as is_locked:  # DVC holds it while it writes
        if is_locked and _is_list_torn():
            files.remove_file(FILES_IN_USE)


def _is_list_torn() -> bool:
    if not files.path_exists(FILES_IN_USE):
        return False
    try:
        json.loads(files.read_bytes(FILES_IN_USE))
    except ValueError:
        return True
    return False


def mend_lock() -> None:
    """Set a torn dvc.lock aside and say so. Raises `UserError` with the cure if that is impossible.

    DVC's run cache has the results of every finished stage, unless `dvc gc` removed them.
    """
    if not _is_torn():
        return
    try:
        with files.lock_file(DVC_FOLDER / "lock", seconds=0) as is_locked:  # DVC holds it while it writes
            if is_locked and _is_torn():
                files.rename_file(LOCK, TORN_LOCK)
                advice = "`thalweg run` makes it anew, and takes results of finished stages from its cache."
                print(f"note: {LOCK} was torn, so it is now {TORN_LOCK}. {advice}", file=sys.stderr)
    except files.UserError as error:
        raise files.UserError(
            f"{LOCK}: torn, and cannot be set aside ({error}). Delete it, then run `thalweg run`."
        ) from None


def _is_torn() -> bool:
    """Return whether there is a dvc.lock that DVC cannot read, or whose last line is not whole."""
    if not files.path_exists(LOCK):
        return False
    content = files.read_bytes(LOCK)
    if b"<<<<<<< " in content:
        return False  # git merges it, and DVC says so
    if not content.endswith(b"\n"):
        return True  # a hash may be cut, and half a hash is a valid one for DVC
    from thalweg.cli.lock_form import has_plain_form  # imports Pydantic, which `--help` must not wait for

    return not (has_plain_form(content) or _is_valid_for_dvc(content))


def _is_valid_for_dvc(content: bytes) -> bool:
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # a fifth of a second
    from dvc.utils.serialize import ParseError, parse_yaml
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(content.decode(), LOCK))
    except (ParseError, Invalid, ValueError, RecursionError):
        return False
    return True
