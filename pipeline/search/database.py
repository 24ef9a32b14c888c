"""The database of Optuna's storage: which one, how it opens, and what its errors mean. No message has a password."""

import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from thalweg.search.storage_place import DEFAULT_FILE, VARIABLE, is_chosen
from thalweg.system import database_url, files
from thalweg.system.files import UserError
from thalweg.system.paths import STATE_FOLDER

ALLOWED = "sqlite:///FILE.db, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE with the extra thalweg[postgres]"
OPENINGS = 5  # two processes that make the tables at once disturb each other: one of them tries again


def open_storage(*, create: bool) -> RDBStorage:
    """Open Optuna's storage; `create` makes the file and the tables that are missing.

    Raises `UserError` with the reason. No connection stays open between uses, so a server may restart.
    """
    url = _parse_url()
    options = {"poolclass": NullPool, "connect_args": database_url.choose_patience(url)}
    with explain_errors((Exception,)):  # a driver may raise any
        if create and not is_chosen():
            files.create_folder(STATE_FOLDER)
        _check_connection(url, options, create)
        for opening in range(OPENINGS):
            try:
                return RDBStorage(database_url.render_template(url), options, skip_table_creation=not create)
            except Exception as error:
                if opening == OPENINGS - 1 or "locked" in database_url.find_reason(error, url):
                    raise
                time.sleep(random.uniform(0.05, 0.2))
    raise AssertionError("the last opening returns or raises")


def explain_errors(
    kinds: tuple[type[Exception], ...] = (SQLAlchemyError, OSError),
) -> AbstractContextManager[None]:
    """Turn errors of these kinds into a `UserError` that says which database, and why.

    The usual kinds are those of SQLAlchemy, which wraps a driver's, and of the system. Others are mistakes of our own.
    """
    return database_url.explain_errors(f"{describe_place()} cannot be used", _parse_url(), kinds)


def describe_place() -> str:
    """Return where Optuna's storage is, without user, password and most options."""
    return f"{VARIABLE} ({database_url.describe_url(_parse_url())})" if is_chosen() else str(DEFAULT_FILE)


def set_damaged_aside(error: UserError) -> None:
    """Rename the default file if it caused this error and is damaged, so that a new one can take its place."""
    if is_chosen() or not _is_damaged(error):
        return
    with files.lock_file(STATE_FOLDER / "studies.lock", seconds=-1):  # another process may be as far
        try:
            connection = sqlite3.connect(DEFAULT_FILE)
            is_good = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            connection.close()
        except sqlite3.DatabaseError:
            is_good = False
        if is_good:
            return
        aside = next(path for path in _list_names_aside() if not files.path_exists(path))
        files.rename_file(DEFAULT_FILE, aside)
        journal = DEFAULT_FILE.with_name(f"{DEFAULT_FILE.name}-journal")
        if files.path_exists(journal):  # SQLite would apply it to the new file
            files.rename_file(journal, aside.with_name(f"{aside.name}-journal"))
    print(f"{DEFAULT_FILE} is damaged. It is now {aside}; a new file takes its place.", file=sys.stderr, flush=True)


def _list_names_aside() -> Iterator[Path]:
    number = 0
    while True:
        number += 1
        yield DEFAULT_FILE.with_name(f"studies.damaged-{number}.db")


def _parse_url() -> URL:
    """Return the URL of the storage. Raises `UserError` if no database can have it."""
    return database_url.parse_url(os.environ.get(VARIABLE) or f"sqlite:///{DEFAULT_FILE}", VARIABLE, ALLOWED)


def _check_connection(url: URL, options: dict[str, Any], create: bool) -> None:
    """Connect once, for an error at once. Raises `UserError` without a study, unless one is to be created."""
    if url.get_backend_name() == "sqlite":
        file = database_url.find_file(url)
        if not files.path_exists(file.parent):
            raise UserError(f"{describe_place()} cannot be used: the folder {file.parent} does not exist")
        if not create and not files.path_exists(file):  # SQLite would make one
            raise UserError(f"{describe_place()} does not exist")
    with sqlalchemy.create_engine(url, **options).connect() as connection:
        if not create and not sqlalchemy.inspect(connection).has_table("studies"):
            raise UserError(f"{describe_place()} has no study yet")


def _is_damaged(error: BaseException) -> bool:
    """Return whether SQLite found that a file is damaged, or no database at all."""
    cause: BaseException | None = error
    while cause is not None:
        code = getattr(getattr(cause, "orig", cause), "sqlite_errorcode", sqlite3.SQLITE_OK)
        if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):  # the other bits are details
            return True
        cause = cause.__cause__
    return False
