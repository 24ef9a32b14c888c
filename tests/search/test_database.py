"""The database of Optuna's storage, and the messages where it cannot be used."""

import contextlib
import os
import socket
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from tests.helpers import postgres
from tests.helpers.stored_studies import FINGERPRINT, build_trials
from thalweg.config.experiment import Config
from thalweg.search import database, optuna_storage
from thalweg.search.publisher import Publisher
from thalweg.system.files import UserError

pytestmark = pytest.mark.usefixtures("empty_folder")
SECRET = "hush-hush"


def find_message(monkeypatch: pytest.MonkeyPatch, config: Config, url: str) -> str:
    """Return the one line that a study prints at its start."""
    monkeypatch.setenv("THALWEG_STORAGE", url)
    with pytest.raises(UserError) as raised, Publisher(config, FINGERPRINT):
        pass
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    assert "THALWEG_STORAGE" in message
    for secret in (SECRET, "ush-hush", postgres.PASSWORD, postgres.QUOTED_PASSWORD):
        assert secret not in message
    return message


NOT_URLS = {
    "studies.db": "is not the URL of a database",
    "/tmp/studies.db": "is not the URL of a database",
    f"postgresql+psycopg:/u:{SECRET}@h/d": "is not the URL of a database",
    f"postgresql+psycopg://u:{SECRET}@h:port/d": "is not the URL of a database",
    f"postgresql+psycopg://u:h@{SECRET}@127.0.0.1/d": "write an @ of the user or password as %40",
    f"postgres://u:{SECRET}@h/d": 'the database system "postgres", which SQLAlchemy does not know',
    f"redis://:{SECRET}@h": 'the database system "redis"',
    f"postgresql+pg8000://u:{SECRET}@h/d": "needs a driver that is not installed (No module named 'pg8000')",
    f"mysql://u:{SECRET}@h/d": "needs a driver that is not installed (No module named 'MySQLdb')",
    "sqlite://": "names no file",
    "sqlite:///:memory:": "names no file",
}


@pytest.mark.parametrize(("url", "reason"), NOT_URLS.items())
def test_wrong_url_is_said_at_the_start(config: Config, monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    message = find_message(monkeypatch, config, url)
    assert reason in message
    assert "sqlite:///FILE.db, or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE" in message


@pytest.mark.parametrize(
    ("url", "reason"),
    {
        "sqlite:///no/such/folder.db": "the folder no/such does not exist",
        "sqlite:///folder": "unable to open database file",
        "sqlite:///garbage.db": "file is not a database",
        "sqlite://host/studies.db": "it is not a valid URL",
        "sqlite:///studies.db?timeout=soon": "cannot be used",
        f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/d": "Connection refused",
        f"postgresql+psycopg://u:{SECRET}@no.such.host.invalid/d": "failed to resolve host 'no.such.host.invalid'",
        f"postgresql+psycopg://u:{SECRET}@127.0.0.1:99999/d": "invalid port number",
        f"postgresql+psycopg://u@127.0.0.1:1/d?password={SECRET}&sslmode={SECRET}": "invalid sslmode",
    }.items(),
)
def test_unusable_database_is_said_at_the_start(
    config: Config, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    Path("folder").mkdir()
    Path("garbage.db").write_bytes(b"garbage" * 1000)
    message = find_message(monkeypatch, config, url)
    assert reason in message
    assert message.endswith("Correct it, or start its database. Without it, studies go to .thalweg/studies.db.")
    assert Path("garbage.db").read_bytes() == b"garbage" * 1000


def test_server_errors_are_said_at_the_start(
    config: Config, monkeypatch: pytest.MonkeyPatch, server: postgres.Server
) -> None:
    engine = sqlalchemy.create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("CREATE ROLE reader LOGIN PASSWORD 'hush-hush'"))
        connection.execute(sqlalchemy.text("CREATE ROLE outsider LOGIN PASSWORD 'hush-hush'"))
        connection.execute(sqlalchemy.text("CREATE DATABASE closed"))
        connection.execute(sqlalchemy.text("REVOKE CONNECT ON DATABASE closed FROM public"))
    engine.dispose()
    place = f"127.0.0.1:{server.port}"
    reasons = {
        f"thalweg:{SECRET}@{place}/postgres": 'password authentication failed for user "thalweg"',
        f"thalweg@{place}/postgres": "no password supplied",
        f"nobody:{SECRET}@{place}/postgres": 'password authentication failed for user "nobody"',
        f"thalweg:{postgres.QUOTED_PASSWORD}@{place}/none": 'database "none" does not exist',
        f"outsider:{SECRET}@{place}/closed": 'permission denied for database "closed"',
        f"reader:{SECRET}@{place}/postgres": "permission denied for schema public",
    }
    for url, reason in reasons.items():
        message = find_message(monkeypatch, config, f"postgresql+psycopg://{url}")
        assert reason in message
        assert f"THALWEG_STORAGE (postgresql+psycopg://{place}/" in message


@pytest.mark.slow
def test_silent_server_is_said_at_the_start(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts connections, and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        message = find_message(monkeypatch, config, f"postgresql+psycopg://u:{SECRET}@127.0.0.1:{port}/d")
    assert "timeout" in message


def test_tables_of_another_optuna_are_said(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = optuna.storages.RDBStorage("sqlite:///old.db")
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = 'v0.9.0.a'"))
    storage.remove_session()
    storage.engine.dispose()
    assert "another version of Optuna made its tables" in find_message(monkeypatch, config, "sqlite:///old.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_read_only_folder_is_said(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "unable to open" in find_message(monkeypatch, config, "sqlite:///closed/studies.db")


def test_braces_are_no_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", "sqlite:///{a}{SCHEMA_VERSION}.db")
    database.open_storage(create=True)
    assert [file.name for file in Path().iterdir()] == ["{a}{SCHEMA_VERSION}.db"]


def test_looking_creates_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THALWEG_STORAGE", "sqlite:///none.db")
    with contextlib.suppress(UserError):
        database.open_storage(create=False)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("function", ["_build_trial_models", "list_study_directions"])
def test_our_own_error_is_not_the_databases(config: Config, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    outcomes = [trial.outcome for trial in build_trials(1)]

    def fail(*_: object) -> None:
        raise KeyError("a mistake in our code")

    monkeypatch.setattr(optuna_storage, function, fail)
    with pytest.raises(KeyError, match="a mistake in our code"):
        optuna_storage.add_trials(optuna_storage.open_study(config, "0" * 16), config, outcomes)
