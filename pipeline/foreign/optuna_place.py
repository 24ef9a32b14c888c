"""Opening Optuna's storages to read them: SQLite by a copy, PostgreSQL in transactions that only read, journals."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import BaseJournalBackend
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from thalweg.system import database_url, files, sqlite_copy
from thalweg.system.files import UserError

ALLOWED = (
    "sqlite:///FILE.db, journal:///FILE.log or the path of a journal, or "
    "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE with the extra thalweg[postgres]"
)
READ_ONLY = "-c default_transaction_read_only=on"
"""Options of each connection to PostgreSQL."""


@contextmanager
def open_storage(url: str) -> Iterator[tuple[BaseStorage, str]]:
    """Open a storage to read it, and say where it is, without user and password. Raises `UserError` with the reason."""
    if database_url.is_journal(url):
        path = database_url.find_journal(url, "--optuna", ALLOWED)
        yield _open_journal(path), str(path)
        return
    parsed = _parse_url(url)
    place, kinds = database_url.describe_url(parsed), (SQLAlchemyError, OSError, optuna.exceptions.OptunaError)
    with database_url.explain_errors(f"{place} cannot be read", parsed, kinds):
        if parsed.get_backend_name() == "sqlite":
            with sqlite_copy.copy_database(database_url.find_file(parsed)) as copy:
                yield _open_copy(copy), str(parsed.database)
        else:
            yield _open_server(parsed), place


def _parse_url(url: str) -> URL:
    parsed = database_url.parse_url(url, "--optuna", ALLOWED)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise UserError(
            f"--optuna: {parsed.get_backend_name()} cannot be opened without writing into it; copy the study with "
            f"Optuna. Allowed: {ALLOWED}."
        )
    return parsed


def _open_copy(path: Path) -> RDBStorage:
    """Open a copy of an SQLite file; its tables are brought to this version of Optuna's form."""
    text = database_url.render_template(URL.create("sqlite", database=str(path)))
    storage = RDBStorage(text, {"poolclass": NullPool}, skip_compatibility_check=True, skip_table_creation=True)
    versions = storage.get_current_version(), storage.get_head_version()
    if versions[0] not in storage.get_all_versions():
        raise _refuse_version()
    if versions[0] != versions[1]:
        storage.upgrade()
    return storage


def _open_server(url: URL) -> RDBStorage:
    options = " ".join([*database_url.list_values(url, "options"), READ_ONLY])
    arguments = {**database_url.choose_patience(url), "options": options}
    settings = {"poolclass": NullPool, "connect_args": arguments}
    try:
        return RDBStorage(database_url.render_template(url), settings, skip_table_creation=True)
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
