"""Copies of SQLite files."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from thalweg.system import sqlite_copy
from thalweg.system.files import UserError


def build(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE a (b)")
        database.execute("INSERT INTO a VALUES (7)")


def test_copy_is_gone_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "odd name #1 %20?.db"
    build(file)
    before = file.read_bytes()
    with sqlite_copy.copy_database(file) as copy:
        with closing(sqlite3.connect(copy)) as database, database:
            assert database.execute("SELECT b FROM a").fetchall() == [(7,)]
            database.execute("DELETE FROM a")
        assert copy.exists()
    assert not copy.exists()
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_locked_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_copy, "LOCKED_SECONDS", 0.1)
    file = tmp_path / "a.db"
    build(file)
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with (
            pytest.raises(UserError, match=r"a.db cannot be read: database is locked"),
            sqlite_copy.copy_database(file),
        ):
            raise AssertionError
