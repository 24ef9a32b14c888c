"""Shortcuts: what does not fit its seal is left out with one line, and everything else comes back as it was."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.system import sealed

pytestmark = pytest.mark.usefixtures("empty_folder")
VALUES = [{"a": 1 / 3, "b": [1, None, "é"]}, "two", [3], 4.5, {"five": {}}]


def write_log(path: Path = Path("log.jsonl")) -> tuple[Path, list[bytes]]:
    """Write all values; return the file and its lines."""
    path.unlink(missing_ok=True)
    sealed.append_sealed_lines(path, VALUES[:2], 1)
    sealed.append_sealed_lines(path, VALUES[2:], 3)
    return path, path.read_bytes().splitlines(keepends=True)


def test_sealed_content_round_trip(capsys: pytest.CaptureFixture[str]) -> None:
    assert sealed.read_sealed(Path("a/b.bin")) is None
    for content in (b"", b"\n\n", bytes(range(256))):
        sealed.write_sealed(Path("a/b.bin"), content)
        assert sealed.read_sealed(Path("a/b.bin")) == content
    assert capsys.readouterr().err == ""


def test_sealed_lines_round_trip(capsys: pytest.CaptureFixture[str]) -> None:
    assert sealed.read_sealed_lines(Path("none.jsonl")) == []
    file, lines = write_log()
    assert len(lines) == 5
    assert sealed.read_sealed_lines(file) == VALUES
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match="Out of range"):
        sealed.append_sealed_lines(file, [float("inf")], 6)
    assert sealed.read_sealed_lines(file) == VALUES


def test_no_changed_byte_is_believed(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path("a.bin")
    sealed.write_sealed(file, b"weights of 3 lanes")
    intact = file.read_bytes()
    for position in range(len(intact)):
        for content in (intact[:position], intact[:position] + bytes([intact[position] ^ 1]) + intact[position + 1 :]):
            file.write_bytes(content)
            assert sealed.read_sealed(file) is None
            assert not file.exists()
            assert capsys.readouterr().err == ("a.bin: changed or cut after it was written; left out, and made anew\n")


def test_content_of_another_path_does_not_fit() -> None:
    sealed.write_sealed(Path("one/a.bin"), b"1")
    Path("one").rename("two")
    assert sealed.read_sealed(Path("two/a.bin")) is None
    file, _ = write_log()
    file.rename("other.jsonl")
    assert sealed.read_sealed_lines(Path("other.jsonl")) == []


def test_unreadable_content_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.bin").mkdir()
    assert sealed.read_sealed(Path("a.bin")) is None
    assert "a.bin: cannot be read" in capsys.readouterr().err


@given(st.data())
def test_damaged_lines_leave_the_others(data: st.DataObject) -> None:
    """Whatever is done to some lines, the values of all other lines come back, in order."""
    file, lines = write_log()
    kinds = ("flip", "garbage", "remove", "repeat", "empty", "cut")
    kept: list[Any] = []
    damaged: list[bytes] = []
    for value, line in zip(VALUES, lines, strict=True):
        kind = data.draw(st.sampled_from(("keep", "keep", *kinds)))
        position = data.draw(st.integers(0, len(line) - 2))
        flipped = line[:position] + bytes([line[position] ^ data.draw(st.integers(1, 255))]) + line[position + 1 :]
        changed = {
            "keep": [line],
            "repeat": [line, line],
            "flip": [flipped],
            "garbage": [data.draw(st.binary(max_size=20)) + b"\n"],
            "empty": [b"\n"],
            "cut": [line[:position] + b"\n"],
            "remove": [],
        }[kind]
        damaged += changed
        kept += [value] if kind in ("keep", "repeat") else []
    file.write_bytes(b"".join(damaged))
    assert sealed.read_sealed_lines(file) == kept
    sealed.append_sealed_lines(file, ["next"], len(kept) + 1)
    assert sealed.read_sealed_lines(file) == [*kept, "next"]


def test_late_line_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    file, lines = write_log()
    file.write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert sealed.read_sealed_lines(file) == [VALUES[0], *VALUES[2:]]
    assert capsys.readouterr().err.startswith("log.jsonl:3: changed, cut or moved")


@pytest.mark.parametrize("garbage", [b"[" * 100_000, b'{"number": 1}', b"null", b"9" * 5000, b'{"number": "1"}'])
def test_any_json_is_left_out(garbage: bytes) -> None:
    file, lines = write_log()
    file.write_bytes(garbage + b"\n" + b"".join(lines) + garbage)
    assert sealed.read_sealed_lines(file) == VALUES
    assert file.read_bytes() == b"".join(lines)


def test_damage_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    file, lines = write_log()
    file.write_bytes(b"\0\n" * 9 + b"".join(lines))
    sealed.read_sealed_lines(file)
    assert capsys.readouterr().err.startswith("log.jsonl:1,2,3,4,5 and 4 more: ")
    sealed.read_sealed_lines(file)
    assert capsys.readouterr().err == ""
