"""Storages are opened to be read: no byte of them changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.storages import RDBStorage

from tests.helpers import postgres
from tests.helpers.foreign_studies import draw_trials, store_study
from thalweg.foreign.optuna_place import open_storage
from thalweg.foreign.optuna_study import read_study
from thalweg.system.files import UserError


def list_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_sqlite_keeps_its_bytes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    store_study(url, draw_trials(5))
    before = list_bytes(tmp_path)
    assert len(read_study(url, None).trials) == 5
    assert list_bytes(tmp_path) == before


@pytest.mark.parametrize("url", ["{path}", "journal://{path}", "journal:///{path}"])
def test_journal_keeps_its_bytes(tmp_path: Path, url: str) -> None:
    journal = tmp_path / "a.log"
    store_study(journal, draw_trials(5))
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 4, "wor')  # as a kill leaves it
    before = list_bytes(tmp_path)
    assert len(read_study(url.format(path=journal), None).trials) == 5
    assert list_bytes(tmp_path) == before


def test_relative_journal_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_study(tmp_path / "a.log", draw_trials(2))
    monkeypatch.chdir(tmp_path)
    assert len(read_study("journal:///a.log", None).trials) == 2


def test_sqlite_in_use_is_read(tmp_path: Path) -> None:
    """A study in WAL mode whose last trials are not in the main file yet, with a writer that has it open."""
    url = f"sqlite:///{tmp_path}/a.db"
    store_study(url, draw_trials(3))
    writer = sqlite3.connect(tmp_path / "a.db")
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("UPDATE trial_values SET value = 0.125")
    writer.commit()
    main = (tmp_path / "a.db").read_bytes()
    assert {trial.values for trial in read_study(url, None).trials} == {(0.125,)}
    assert (tmp_path / "a.db").read_bytes() == main
    writer.close()


def test_storage_of_an_older_version_is_read(tmp_path: Path) -> None:
    """Tables as Optuna 3.0 made them, which this version upgrades: the copy is, and the file is not."""
    url = f"sqlite:///{tmp_path}/a.db"
    store_study(url, draw_trials(3))
    storage = RDBStorage(url)
    older = storage.get_all_versions()[1]
    storage.engine.dispose()
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (older,))
        if older == "v3.0.0.d":  # what the upgrade adds
            database.execute("DROP INDEX IF EXISTS trials_study_id_key")
    before = list_bytes(tmp_path)
    with pytest.raises(RuntimeError, match="no longer compatible"):
        RDBStorage(url)
    assert len(read_study(url, None).trials) == 3
    assert list_bytes(tmp_path) == before


def test_unknown_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    store_study(url, draw_trials(1))
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    with pytest.raises(UserError, match="another version of Optuna made this storage"):
        read_study(url, None)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///{folder}/none.db", "none.db: no such file"),
        ("{folder}/none.log", "none.log: no such file. Allowed: "),
        ("sqlite://", "names no file"),
        ("mysql+pymysql://user:secret@host/db", "mysql|driver"),
        ("nosuch://host/db", '--optuna names the database system "nosuch"'),
        ("sqlite:///{folder}/text.db", "text.db cannot be read: file is not a database"),
        ("{folder}/text.db", "is not one of Optuna's journals"),
        ("sqlite:///{folder}/empty.db", "cannot be read|has no study"),
        ("postgresql+psycopg://user:secret@127.0.0.1:1/db", "cannot be read"),
    ],
)
def test_faults_are_one_sentence(tmp_path: Path, url: str, message: str) -> None:
    (tmp_path / "text.db").write_text("no database " * 100 + "\n")
    (tmp_path / "empty.db").write_bytes(b"")
    with pytest.raises(UserError, match=message) as error:
        read_study(url.format(folder=tmp_path), None)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert (tmp_path / "empty.db").read_bytes() == b""


def test_journal_cannot_be_written(tmp_path: Path) -> None:
    store_study(tmp_path / "a.log", draw_trials(1))
    with (
        open_storage(str(tmp_path / "a.log")) as (storage, _),
        pytest.raises(AssertionError, match="nothing is written"),
    ):
        optuna.load_study(study_name="theirs", storage=storage).set_user_attr("mine", 1)


@pytest.mark.slow
def test_postgresql_is_only_read() -> None:
    """Also where the URL has options of its own: here the schema in which the study is."""
    with postgres.run_server() as server:
        engine = sqlalchemy.create_engine(server.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE SCHEMA team")
        engine.dispose()
        url = f"{server.url}?options=-csearch_path%3Dteam"
        store_study(url, draw_trials(3))
        assert len(read_study(url, "theirs").trials) == 3
        with open_storage(url) as (storage, place):
            study = optuna.load_study(study_name="theirs", storage=storage)
            assert "thalweg" not in place  # the user
            with pytest.raises(optuna.exceptions.StorageInternalError) as error:
                study.set_user_attr("mine", 1)
            assert "read-only" in str(error.value.__cause__)
