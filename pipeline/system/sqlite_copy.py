"""A copy of an SQLite file, for readers that must not write into it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from thalweg.system import files
from thalweg.system.files import UserError

LOCKED_SECONDS = 10
"""How long another process may lock the file."""


@contextmanager
def copy_database(path: Path) -> Iterator[Path]:
    """Copy a database into a temporary folder, as of one moment. Raises `UserError` if it cannot be read."""
    if not files.path_exists(path):
        raise UserError(f"{path}: no such file")
    with files.open_temporary_folder() as folder:
        copy = folder / "copy.db"
        address = f"file:{quote(str(path))}?mode=ro"
        try:
            with (
                closing(sqlite3.connect(address, uri=True, timeout=LOCKED_SECONDS)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                # a lock to read, which waits for others; `backup` alone would wait for ever
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchall()
                source.backup(target)
        except sqlite3.Error as error:
            raise UserError(f"{path} cannot be read: {error}") from error
        yield copy
