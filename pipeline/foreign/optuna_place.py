"""Opening Optuna's storages to read them: SQLite by a copy, PostgreSQL in transactions that only read, journals."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import BaseJournalBackend
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from thalweg.system import files, sqlite_copy
from thalweg.system.files import UserError

ALLOWED = (
    "sqlite:///FILE.db, journal:///FILE.log or the path of a journal, or "
    "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE with the extra thalweg[postgres]"
)
JOURNAL = "journal://"
CONNECT_SECONDS = 5
"""How long a server may take to answer."""
READ_ONLY = "-c default_transaction_read_only=on"
"""Options of each connection to PostgreSQL."""


@contextmanager
def open_storage(url: str) -> Iterator[tuple[BaseStorage, str]]:
    """Open a storage to read it, and say where it is, without user and password. Raises `UserError` with the reason."""
    if url.startswith(JOURNAL) or "://" not in url:
        path = _find_journal(url)
        yield _open_journal(path), str(path)
        return
    parsed = _parse_url(url)
    place = URL.create(
        parsed.drivername, host=parsed.host, port=parsed.port, database=parsed.database
    ).render_as_string()
    with _explain_errors(place, parsed):
        if parsed.get_backend_name() == "sqlite":
            with sqlite_copy.copy_database(Path(str(parsed.database))) as copy:
                yield _open_copy(copy), str(parsed.database)
        else:
            yield _open_server(parsed), place


def _find_journal(url: str) -> Path:
    """Return the path of a journal: the path itself, or what follows `journal:///`, relative or absolute."""
    text = url.removeprefix(JOURNAL)
    relative = Path(text.removeprefix("/") if url.startswith(JOURNAL) else text)
    found = next((path for path in (relative, Path(text)) if files.path_exists(path)), None)
    if found is None:
        raise UserError(f"{relative}: no such file. A storage is one of {ALLOWED}")
    return found


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except NoSuchModuleError:
        fault = f'it names the database system "{url.partition(":")[0]}", which SQLAlchemy does not know'
    except (ArgumentError, ValueError):  # their texts may hold a part of the password
        fault = "it is not the URL of a database"
    except ImportError as error:
        fault = f"it needs a driver that is not installed ({error})"
    else:
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            fault = f"{parsed.get_backend_name()} cannot be opened without writing into it; copy the study with Optuna"
        elif parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            fault = "it names no file"
        else:
            return parsed
    raise UserError(f"--optuna: {fault}. Allowed: {ALLOWED}")


@contextmanager
def _explain_errors(place: str, url: URL) -> Iterator[None]:
    """Turn errors of the database into a `UserError` that says which, and why, without the password."""
    try:
        yield
    except (SQLAlchemyError, OSError, optuna.exceptions.OptunaError) as error:
        cause = error.__cause__ if isinstance(error, optuna.exceptions.OptunaError) and error.__cause__ else error
        driver_error = cause.orig if isinstance(cause, DBAPIError) and cause.orig else cause
        reason = (str(driver_error).strip().splitlines() or [type(driver_error).__name__])[0].rstrip(".")
        for secret in (url.password, url.query.get("password")):
            reason = reason.replace(str(secret), "***") if secret else reason
        raise UserError(f"{place} cannot be read: {reason}") from error


def _open_copy(path: Path) -> RDBStorage:
    """Open a copy of an SQLite file; its tables are brought to this version of Optuna's form."""
    text = f"sqlite:///{path}".replace("{", "{{").replace("}", "}}")
    storage = RDBStorage(text, {"poolclass": NullPool}, skip_compatibility_check=True, skip_table_creation=True)
    versions = storage.get_current_version(), storage.get_head_version()
    if versions[0] not in storage.get_all_versions():
        raise _refuse_version()
    if versions[0] != versions[1]:
        storage.upgrade()
    return storage


def _open_server(url: URL) -> RDBStorage:
    text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    options = {"connect_timeout": CONNECT_SECONDS, "options": READ_ONLY}
    try:
        return RDBStorage(text, {"poolclass": NullPool, "connect_args": options}, skip_table_creation=True)
    except RuntimeError as error:
        raise _refuse_version() from error


def _refuse_version() -> UserError:
    return UserError(
        f"another version of Optuna made this storage (here is {optuna.__version__}): copy its study with "
        "`optuna.copy_study` into a new SQLite file"
    )


class _ReadOnlyJournal(BaseJournalBackend):
    """A journal that Optuna reads and cannot write. A last line that is cut, as a kill leaves it, does not count."""

    def __init__(self, path: Path) -> None:
        self._lines = files.read_bytes(path).split(b"\n")[:-1]

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        return [json.loads(line) for line in self._lines[log_number_from:]]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        raise AssertionError(f"nothing is written into a user's journal: {logs}")


def _open_journal(path: Path) -> JournalStorage:
    try:
        return JournalStorage(_ReadOnlyJournal(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not one of Optuna's journals. A storage is one of {ALLOWED}") from error
