"""Disk: whole files, the same bytes, errors that name the file."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.system import data_files, files, table_files


def test_failed_write_keeps_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    files.write_json(file, {"a": 1})
    with pytest.raises(ValueError, match="Out of range"):
        files.write_json(file, {"a": float("nan")})
    with pytest.raises(TypeError):
        files.write_bytes(file, "not bytes")  # type: ignore[arg-type]
    assert files.read_json(file) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_writes_are_deterministic(tmp_path: Path) -> None:
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array(["x", "é"])}
    data_files.write_arrays(tmp_path / "1.npz", arrays)
    data_files.write_arrays(tmp_path / "2.npz", dict(reversed(arrays.items())))
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    files.write_json(tmp_path / "1.json", {"a": 1, "b": [0.1]})
    files.write_json(tmp_path / "2.json", {"b": [0.1], "a": 1})
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_table_float_round_trip(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    file = tmp_path_factory.mktemp("t") / "t.csv"
    table_files.write_table(file, pd.DataFrame({"x": values}))
    assert table_files.read_table(file)["x"].tolist() == values


def test_gzip_by_content(tmp_path: Path) -> None:
    (tmp_path / "plain.gz").write_bytes(b"plain")
    (tmp_path / "packed").write_bytes(gzip.compress(b"packed"))
    (tmp_path / "torn.gz").write_bytes(gzip.compress(b"torn" * 100)[:-10])
    assert files.read_unzipped(tmp_path / "plain.gz") == b"plain"
    assert files.read_unzipped(tmp_path / "packed") == b"packed"
    with pytest.raises(files.UserError, match=r"torn\.gz"):
        files.read_unzipped(tmp_path / "torn.gz")


@pytest.mark.parametrize("read", [files.read_bytes, files.read_json, table_files.read_table, data_files.read_arrays])
def test_missing_file_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(files.UserError, match=r"nothing\.here: cannot be read"):
        read(tmp_path / "nothing.here")


def test_sync_folder_removes_the_rest(tmp_path: Path) -> None:
    files.sync_folder(tmp_path / "f", {"a": b"1", "b": b"2"})
    files.sync_folder(tmp_path / "f", {"b": b"3"})
    assert {file.name: file.read_bytes() for file in (tmp_path / "f").iterdir()} == {"b": b"3"}


@pytest.mark.parametrize(
    ("read", "content", "reason"),
    [
        (files.read_json, b"{\n", "not a JSON file"),
        (files.read_json, b"\xff", "not a JSON file"),
        (data_files.read_arrays, b"PK\x03\x04 torn", "not a file of arrays"),
        (data_files.read_arrays, b"", "not a file of arrays"),
        (data_files.read_arrays, b"\x93NUMPY", "not a file of arrays"),
        (table_files.read_table, b"", "not a CSV table"),
        (table_files.read_table, b"a,b\n1,2\n1,2,3\n", "not a CSV table"),
        (table_files.read_table, b"a\n\xff\n", "not a CSV table"),
        (data_files.read_rows, b"a\n\xff\n", "not a CSV table in UTF-8 .* at byte 2"),
    ],
)
def test_broken_file_is_named(tmp_path: Path, read: Callable[[Path], object], content: bytes, reason: str) -> None:
    (tmp_path / "broken.file").write_bytes(content)
    with pytest.raises(files.UserError, match=rf"broken\.file: {reason}"):
        read(tmp_path / "broken.file")


def test_open_quote_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('image,count\na.png,1\n"b.png,2\n')
    with pytest.raises(files.UserError, match=r"a\.csv:3: not a CSV table"):
        data_files.read_rows(tmp_path / "a.csv")


def test_tables_are_deterministic(tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv"):
        table_files.write_table(tmp_path / name, pd.DataFrame({"x": [0.1, 1 / 3], "y": ["a,b", "é"]}))
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    assert (tmp_path / "1.csv").read_text() == f'x,y\n0.1,"a,b"\n{1 / 3!r},é\n'


def test_hidden_files_are_not_listed(tmp_path: Path) -> None:
    for name in ("b/z.png", "a.png", ".hidden/c.png", "b/.d.png"):
        files.write_bytes(tmp_path / name, b"")
    assert files.list_files(tmp_path) == ["a.png", "b/z.png"]


def test_torn_line_is_removed_by_next_append(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "a.jsonl"
    files.append_lines(file, ["a é".encode(), b"b"])
    files.append_lines(file, [b"c"])
    content = file.read_bytes()
    assert content == "a é\nb\nc\n".encode()
    # longer than the piece in which the last whole line is looked for
    file.write_bytes(content + b'"' + b"x" * 200_000)
    files.append_lines(file, [b"2"])
    assert file.read_bytes() == content + b"2\n"
    file.write_bytes(b"cut off")
    files.append_lines(file, [b"3"])
    assert file.read_bytes() == b"3\n"


def test_only_empty_cells_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "classes.csv"
    file.write_text("truth,error\nNone,1.5\nNA,\nnull,2\n")
    table = table_files.read_table(file)
    assert table["truth"].tolist() == ["None", "NA", "null"]
    assert table["error"].isna().tolist() == [False, True, False]


def test_files_are_found_as_by_glob(tmp_path: Path) -> None:
    for name in ("a.py", "b.csv", "c/a.py", "c/d/e.py", ".f/g.py", "h.py/i.csv"):
        files.write_bytes(tmp_path / name, b"")
    for pattern in ("*", "*.py", "*/*.py", "**/*.py", "c/**/*.py", "c/a.py", "a.py", "b.csv/*", "none/*"):
        assert files.find_files(tmp_path, pattern) == sorted(tmp_path.glob(pattern)), pattern
    assert files.find_files(tmp_path / "none", "*") == []
