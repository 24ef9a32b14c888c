"""Shortcuts on disk: caches and journals whose content carries a checksum.

A seal is the SHA-256 of a file's path and content, so a file of another study does not fit. What does not fit is left
out with one line on standard error, and its work is done again: a shortcut never stops a run or changes its result.
Only a journal must be written: without it, finished work would be lost.
"""

import hashlib
import io
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from thalweg.system import files

SHOWN_LINES = 5  # numbers of damaged lines in one message


def write_sealed(path: Path, content: bytes) -> None:
    """Write content below its seal. Where that fails a line says so, once for each file; the run goes on without."""
    try:
        files.write_bytes(path, compute_seal(path, content).encode() + b"\n", content)
    except files.UserError as error:
        report_not_kept(str(error))


def read_sealed(path: Path, name: Path | None = None) -> bytes | None:
    """Read content that `write_sealed` wrote; None if there is none. What does not fit is removed with a message.

    A file that may be moved is sealed under a `name` instead of its path.
    """
    if not files.path_exists(path):
        return None
    try:
        seal, _, content = files.read_bytes(path).partition(b"\n")
    except files.UserError as error:
        if files.path_exists(path):  # else another process removed it
            report_damage(f"{error}")
        return None
    if seal.decode(errors="replace") == compute_seal(name or path, content):
        return content
    report_damage(f"{path}: changed or cut after it was written")
    with suppress(files.UserError):  # a folder that cannot be written: it never fits
        files.remove_file(path)
    return None


def append_sealed_lines(path: Path, values: Iterable[Any], first: int) -> None:
    """Append a sealed line of JSON for each value, numbered from `first`. Raises `ValueError` for NaN."""
    files.append_lines(path, [_seal_line(path, number, value) for number, value in enumerate(values, first)])


def read_sealed_lines(path: Path) -> list[Any]:
    """Read the values of sealed lines; [] if there is no file.

    Lines that do not fit, or come twice or late, are left out with a message and removed from the file. The others are
    then numbered from 1 without a gap.
    """
    if not files.path_exists(path):
        return []
    lines = io.BytesIO(files.read_bytes(path)).readlines()
    values, damaged, last = [], [], 0
    for position, line in enumerate(lines, 1):
        number = _find_number(path, line)
        if number > last:
            values.append(json.loads(line)["value"])
            last = number
        else:
            damaged.append(position)
    if damaged:
        report_damage(f"{path}:{_list_positions(damaged)}: changed, cut or moved after it was written")
    if damaged or last > len(values):
        files.write_bytes(path, *(_seal_line(path, number, value) + b"\n" for number, value in enumerate(values, 1)))
    return values


def compute_seal(path: Path, content: bytes) -> str:
    """Return the SHA-256 of a path as it is given and of its content."""
    digest = hashlib.sha256(path.as_posix().encode() + b"\0")
    digest.update(content)
    return digest.hexdigest()


def report_damage(damage: str) -> None:
    """Tell of a shortcut that is left out."""
    print(f"{damage}; left out, and made anew", file=sys.stderr, flush=True)


@cache
def report_not_kept(failure: str) -> None:
    """Tell once of a shortcut that cannot be written."""
    print(f"{failure}. It is only a shortcut: the run goes on without it.", file=sys.stderr, flush=True)


def _seal_line(path: Path, number: int, value: Any) -> bytes:
    seal = compute_seal(path, _dump_json([number, value]).encode())
    return _dump_json({"number": number, "seal": seal, "value": value}).encode()


def _find_number(path: Path, line: bytes) -> int:
    """Return a line's number; 0 if its seal does not fit."""
    try:
        record = json.loads(line)
        number: int = record["number"]
        return number if line == _seal_line(path, number, record["value"]) + b"\n" else 0
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0


def _dump_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _list_positions(positions: Sequence[int]) -> str:
    shown = ",".join(map(str, positions[:SHOWN_LINES]))
    return shown if len(positions) <= SHOWN_LINES else f"{shown} and {len(positions) - SHOWN_LINES} more"
