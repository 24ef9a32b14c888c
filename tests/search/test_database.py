"""The database of Optuna's storage, and the messages where it cannot be used."""

import contextlib
import os
import socket
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from tests.helpers import postgres
from tests.helpers.stored_studies import FINGERPRINT, build_trials, load_numbers
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
        f"postgresql+psycopg://u:{SECRET}@/d?host=/no/such/folder": "/d?host=/no/such/folder) cannot be used",
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


ODD_NAME = "o@d:d/{x}"
LEGAL = {
    "a host": "thalweg:{password}@127.0.0.1:{port}/postgres",
    "a host by IPv6": "thalweg:{password}@[::1]:{port}/postgres",
    "a socket": "thalweg:{password}@/postgres?host={folder}&port={port}",
    "a second host": "thalweg:{password}@/postgres?host=127.0.0.1:1&host=127.0.0.1:{port}",
    "options alone": "?host=127.0.0.1&port={port}&user=thalweg&password={password}&dbname=postgres",
    "a schema": "thalweg:{password}@127.0.0.1:{port}/postgres?options=-csearch_path%3Dteam",
    "a password file": "thalweg@127.0.0.1:{port}/postgres?passfile=pgpass",
    "odd names": "o%40d%3Ad%2F%7Bx%7D:hu/sh:{{x}}?%40@127.0.0.1:{port}/o%40d%3Ad%2F%7Bx%7D",
}
"""Forms of a URL of PostgreSQL, by what is special."""


@pytest.fixture(scope="module")
def team_server(server: postgres.Server) -> postgres.Server:
    """A server with a schema, and with a role and a database of an odd name."""
    engine = sqlalchemy.create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE SCHEMA team")
        connection.exec_driver_sql(f"CREATE ROLE \"{ODD_NAME}\" LOGIN PASSWORD 'hu/sh:{{x}}?@'")
        connection.exec_driver_sql(f'CREATE DATABASE "{ODD_NAME}" OWNER "{ODD_NAME}"')
    engine.dispose()
    return server


@pytest.mark.parametrize("form", LEGAL)
def test_legal_url_opens_the_database(
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    team_server: postgres.Server,
    form: str,
) -> None:
    if "IPv6" in form and not has_loopback_6():
        pytest.skip("this machine has no IPv6")
    file, folder, port = Path("pgpass"), team_server.folder, team_server.port
    escaped = postgres.PASSWORD.replace(":", r"\:")
    file.write_text(f"*:*:*:*:{escaped}\n")
    file.chmod(0o600)
    url = LEGAL[form].format(password=postgres.QUOTED_PASSWORD, port=port, folder=folder)
    monkeypatch.setenv("THALWEG_STORAGE", f"postgresql+psycopg://{url}")
    with Publisher(config.replace_values({"study.name": form}), FINGERPRINT) as publisher:
        publisher.on_cohort(build_trials(2))
    assert load_numbers(f"{form} abcdef") == [0, 1]
    names = optuna.get_all_study_names(database.open_storage(create=False))  # which the dashboard opens
    assert names == [f"{form} abcdef"] if form in ("a schema", "odd names") else f"{form} abcdef" in names
    place = database.describe_place()
    assert str(folder if form == "a socket" else port) in place
    for secret in ("thalweg", "hu/sh", postgres.PASSWORD, postgres.QUOTED_PASSWORD):
        assert secret not in place.replace(str(folder), "")
    assert capsys.readouterr() == ("", "")


def has_loopback_6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


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
        f"reader:{SECRET}@{place}/postgres": "permission denied for",
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
