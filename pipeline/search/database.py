"""The database of Optuna's storage: which one, how it opens, and what its errors mean. No message has a password."""

import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from thalweg.search.storage_place import DEFAULT_FILE, VARIABLE, is_chosen
from thalweg.system import files
from thalweg.system.files import UserError
from thalweg.system.paths import STATE_FOLDER

ALLOWED = "sqlite:///FILE.db, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE with the extra thalweg[postgres]"
CONNECT_SECONDS = 5  # how long a server may take to answer
LOCKED_SECONDS = 10  # how long another process may lock an SQLite file
OPENINGS = 5  # two processes that make the tables at once disturb each other: one of them tries again


def open_storage(*, create: bool) -> RDBStorage:
    """Open Optuna's storage; `create` makes the file and the tables that are missing.

    Raises `UserError` with the reason. No connection stays open between uses, so a server may restart.
    """
    url = _parse_url()
    patience = {"sqlite": {"timeout": LOCKED_SECONDS}, "postgresql": {"connect_timeout": CONNECT_SECONDS}}
    options = {"poolclass": NullPool, "connect_args": patience.get(url.get_backend_name(), {})}
    with explain_errors((Exception,)):  # a driver may raise any
        if create and not is_chosen():
            files.create_folder(STATE_FOLDER)
        _check_connection(url, options, create)
        # Optuna fills in a template; a brace of a password is none
        text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
        for opening in range(OPENINGS):
            try:
                return RDBStorage(text, options, skip_table_creation=not create)
            except Exception as error:
                if opening == OPENINGS - 1 or "locked" in _find_reason(error):
                    raise
                time.sleep(random.uniform(0.05, 0.2))
    raise AssertionError("the last opening returns or raises")


@contextmanager
def explain_errors(kinds: tuple[type[Exception], ...] = (SQLAlchemyError, OSError)) -> Iterator[None]:
    """Turn errors of these kinds into a `UserError` that says which database, and why.

    The usual kinds are those of SQLAlchemy, which wraps a driver's, and of the system. Others are mistakes of our own.
    """
    try:
        yield
    except UserError:
        raise
    except kinds as error:
        raise UserError(f"{describe_place()} cannot be used: {_find_reason(error)}") from error


def describe_place() -> str:
    """Return where Optuna's storage is, without user, password and options."""
    if not is_chosen():
        return str(DEFAULT_FILE)
    url = _parse_url()
    shown_url = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return f"{VARIABLE} ({shown_url.render_as_string()})"


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
    text = os.environ.get(VARIABLE) or f"sqlite:///{DEFAULT_FILE}"
    try:
        url = make_url(text)
        url.get_dialect().import_dbapi()
    except NoSuchModuleError:
        fault = f'names the database system "{text.partition(":")[0]}", which SQLAlchemy does not know'
    except (ArgumentError, ValueError):  # their texts may hold a part of the password
        fault = "is not the URL of a database"
    except ImportError as error:
        fault = f"needs a driver that is not installed ({error})"
    else:
        if "@" in (url.host or ""):
            fault = "has two @; write an @ of the user or password as %40"
        elif url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            fault = "names no file, so nothing would be kept"
        else:
            return url
    raise UserError(f"{VARIABLE} {fault}. Allowed: {ALLOWED}.")


def _check_connection(url: URL, options: dict[str, Any], create: bool) -> None:
    """Connect once, for an error at once. Raises `UserError` without a study, unless one is to be created."""
    if url.get_backend_name() == "sqlite" and url.database is not None:
        file = Path(url.database)
        if not files.path_exists(file.parent):
            raise UserError(f"{describe_place()} cannot be used: the folder {file.parent} does not exist")
        if not create and not files.path_exists(file):  # SQLite would make one
            raise UserError(f"{describe_place()} does not exist")
    with sqlalchemy.create_engine(url, **options).connect() as connection:
        if not create and not sqlalchemy.inspect(connection).has_table("studies"):
            raise UserError(f"{describe_place()} has no study yet")


def _find_reason(error: BaseException) -> str:
    """Return the first line of what a driver says, without the password."""
    if isinstance(error, RuntimeError) and "table schema" in str(error):
        return f"another version of Optuna made its tables (here is {optuna.__version__})"
    if isinstance(error, ArgumentError):
        return f"it is not a valid URL. Allowed: {ALLOWED}"
    cause = error.__cause__ if isinstance(error, optuna.exceptions.OptunaError) and error.__cause__ else error
    driver_error = cause.orig if isinstance(cause, DBAPIError) and cause.orig else cause
    reason = (str(driver_error).strip().splitlines() or [""])[0].rstrip(".") or type(driver_error).__name__
    url = _parse_url()
    for secret in (url.password, url.query.get("password")):
        reason = reason.replace(str(secret), "***") if secret else reason
    return reason if isinstance(cause, SQLAlchemyError) else f"{reason} ({type(driver_error).__name__})"


def _is_damaged(error: BaseException) -> bool:
    """Return whether SQLite found that a file is damaged, or no database at all."""
    cause: BaseException | None = error
    while cause is not None:
        code = getattr(getattr(cause, "orig", cause), "sqlite_errorcode", sqlite3.SQLITE_OK)
        if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):  # the other bits are details
            return True
        cause = cause.__cause__
    return False
