"""Read and write files: whole, atomically, without pickle. No other module touches disk.

The same values give the same bytes.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class UserError(Exception):
    """An error for the user, shown without a traceback: where, what is wrong, what to do."""


@contextmanager
def _convert_errors(path: Path, message: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of these kinds into a `UserError` with the file, the message and the reason."""
    try:
        yield
    except kinds as error:
        raise UserError(f"{path}: {message} ({getattr(error, 'strerror', None) or error})") from None


def write_bytes(path: Path, *parts: bytes) -> None:
    """Write a file of these parts atomically: to a temporary file beside `path`, flushed to disk, then renamed."""
    with _convert_errors(path, "cannot be written", OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def create_folder(path: Path) -> None:
    with _convert_errors(path, "cannot be created", OSError):
        path.mkdir(parents=True, exist_ok=True)


def rename_file(path: Path, target: Path) -> None:
    with _convert_errors(path, f"cannot be renamed to {target}", OSError):
        path.replace(target)


def remove_partial_writes(folder: Path) -> None:
    """Remove temporary files that a killed process left in a folder. No other process may be writing there."""
    for file in folder.glob(".*.*.????????"):
        file.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys and exact floats. Raises `ValueError` for NaN."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    with _convert_errors(path, "not a JSON file", ValueError, RecursionError):
        return json.loads(read_bytes(path))


def append_lines(path: Path, lines: Sequence[bytes], *, flush: bool = True) -> None:
    """Append lines to a file, flushed to disk unless told otherwise. An incomplete last line is removed first."""
    with _convert_errors(path, "cannot be written", OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.truncate(_find_complete_length(file))
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            if flush:
                os.fsync(file.fileno())


def _find_complete_length(file: BinaryIO) -> int:
    """Return the length of a file up to the end of its last complete line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - 65536, 0)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def read_bytes(path: Path) -> bytes:
    with _convert_errors(path, "cannot be read", OSError):
        return path.read_bytes()


def path_exists(path: Path) -> bool:
    return path.exists()


def remove_file(path: Path) -> None:
    """Remove a file, unless another process was faster."""
    with _convert_errors(path, "cannot be removed", OSError):
        path.unlink(missing_ok=True)


def list_files(folder: Path) -> list[str]:
    """Return the sorted paths of all files below `folder`, relative to it, with /, without hidden ones.

    Links to folders are followed, except back to a folder that leads to the link. `find_name_faults` finds names that
    are not UTF-8.
    """
    paths = []
    root = folder.resolve()
    above = {str(folder): {root, *root.parents}}  # the real folders that lead to each folder
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = {name: Path(parent, name).resolve() for name in folders if not name.startswith(".")}
        folders[:] = [name for name, target in real.items() if target not in above[parent]]
        above |= {os.path.join(parent, name): above[parent] | {real[name]} for name in folders}  # noqa: PTH118
        relative = Path(parent).relative_to(folder)
        paths += [(relative / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(paths)


def list_tables(folder: Path) -> list[str]:
    """Return the sorted names of the CSV files directly in `folder`."""
    return sorted(file.name for file in folder.glob("*.csv"))


def find_name_faults(names: Iterable[str]) -> dict[str, str]:
    """Return a message for each name that is not UTF-8, which no table can hold."""
    odd = [name for name in names if any("\ud800" <= character <= "\udfff" for character in name)]
    return {name: f"{os.fsencode(name)!r}: the file's name is not UTF-8; rename it" for name in odd}


def read_unzipped(path: Path, count: int = -1) -> bytes:
    """Read a file's first `count` bytes, or all; decompressed if its first two bytes say gzip."""
    with _convert_errors(path, "cannot be read", OSError):
        opened = path.open("rb")
    with opened as file, _convert_errors(path, "broken gzip file", OSError, EOFError, zlib.error):
        is_zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return (gzip.GzipFile(fileobj=file) if is_zipped else file).read(count)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a `.npz` file; the same arrays give the same bytes."""
    write_bytes(path, pack_arrays(arrays))


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as the content of a `.npz` file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read a `.npz` file's arrays by name. Raises `UserError` if it is broken."""
    return unpack_arrays(path, read_bytes(path))


def unpack_arrays(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays in the content of a `.npz` file. Raises `UserError` if it is broken."""
    kinds = (ValueError, AttributeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)
    with (
        _convert_errors(path, "not a file of arrays", *kinds),
        np.load(io.BytesIO(content), allow_pickle=False) as file,
    ):
        return {name: file[name] for name in file.files}


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV file with exact floats."""
    write_text(path, format_table(table))


def format_table(table: pd.DataFrame) -> str:
    """Return a table as CSV with exact floats."""
    return table.to_csv(index=False, lineterminator="\n")


def read_table(path: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV file. Raises `UserError` if there is none or it cannot be parsed.

    Only an empty cell is a missing value: a class may be called `None` or `NA`.
    """
    with _convert_errors(path, "not a CSV table", pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        file = io.BytesIO(read_bytes(path))
        table: pd.DataFrame = pd.read_csv(file, keep_default_na=False, na_values=[""], **options)
        return table


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Read a CSV file's rows of stripped cells, each with its first line, without blank lines.

    Use it for files that people write: the caller can report every bad row; `read_table` stops at the first.
    """
    rows, line = [], 1
    try:
        reader = csv.reader(io.StringIO(read_bytes(path).decode("utf-8-sig"), newline=""), strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a CSV table in UTF-8 ({error.reason} at byte {error.start})") from None
    except csv.Error as error:
        raise UserError(f"{path}:{line}: not a CSV table ({error})") from None
    return rows


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the names and contents of files, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.as_posix().encode() + b"\0" + hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()


@dataclass(frozen=True)
class FileState:
    """A file's inode, size and times as the system has them, and the SHA-256 of its contents."""

    status: tuple[int, ...]
    digest: str


NO_FILE = FileState((), "")
"""The state of a file that does not exist."""


def read_state(path: Path, before: FileState = NO_FILE) -> FileState:
    """Read a file's state; `NO_FILE` for a folder. Its contents are read only if its status is not that of `before`."""
    try:
        found = path.stat()
        status = (found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if status == before.status:
            return before
        if not stat.S_ISREG(found.st_mode):
            return NO_FILE
        with path.open("rb") as file:
            return FileState(status, hashlib.file_digest(file, "sha256").hexdigest())
    except FileNotFoundError:
        return NO_FILE
    except OSError as error:
        return FileState((), f"{error.strerror}")


def sync_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write these files to a folder, and remove all others."""
    for name, content in files.items():
        write_bytes(folder / name, content)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in files:
            path.unlink()
