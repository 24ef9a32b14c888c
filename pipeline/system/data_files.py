"""Arrays: the same values give the same bytes, and nothing is pickled. Rows and names as people write them."""

import csv
import io
import os
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.system.files import UserError, convert_errors, read_bytes, write_bytes, write_parts

BROKEN_ARCHIVE = (ValueError, AttributeError, OSError, EOFError, zipfile.BadZipFile, zlib.error)
"""What a file that is no archive of arrays, or a damaged one, raises."""


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a `.npz` file; the same arrays give the same bytes."""
    write_bytes(path, pack_arrays(arrays))


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as the content of a `.npz` file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    return buffer.getvalue()


def read_arrays(path: Path, wanted: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read a `.npz` file's arrays by name, all or those `wanted`. Raises `UserError` if it is broken."""
    return unpack_arrays(path, read_bytes(path), wanted)


def unpack_arrays(path: Path, content: bytes, wanted: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays in the content of a `.npz` file. Raises `UserError` if it is broken."""
    with (
        convert_errors(path, "not a file of arrays", *BROKEN_ARCHIVE),
        np.load(io.BytesIO(content), allow_pickle=False) as file,
    ):
        return {name: file[name] for name in file.files if wanted is None or name in wanted}


def read_array_headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Read the shape and type of each array in a `.npz` file, not its values. Raises `UserError` if it is broken."""
    headers = {}
    with (
        convert_errors(path, "not a file of arrays", *BROKEN_ARCHIVE),
        zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive,
    ):
        for member in archive.namelist():
            with archive.open(member) as file:
                is_first_version = np.lib.format.read_magic(file) == (1, 0)
                shape, _, dtype = (
                    np.lib.format.read_array_header_1_0(file)
                    if is_first_version
                    else np.lib.format.read_array_header_2_0(file)
                )
                headers[member.removesuffix(".npy")] = (shape, dtype)
    return headers


def write_array(path: Path, shape: tuple[int, ...], parts: Iterable[NDArray[np.uint8]]) -> None:
    """Write a `.npy` file of uint8 with this shape, its values in parts that are made one by one."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    write_parts(path, chain([header.getvalue()], (np.ascontiguousarray(part).data for part in parts)))


def map_array(path: Path) -> NDArray[Any]:
    """Map the array of a `.npy` file, to be read only: no copy, and all processes share its pages.

    The file must not be changed in place; to replace it is harmless. Raises `UserError` if it is broken.
    """
    with convert_errors(path, "cannot be read", OSError), convert_errors(path, "not a file of an array", ValueError):
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array


def _pickle_map(array: Any) -> tuple[Any, ...]:
    """Send a mapped array to another process as its path; a part of one as values."""
    is_whole = not isinstance(array.base, np.ndarray)
    return (map_array, (Path(array.filename),)) if is_whole else (np.array, (np.asarray(array),))


ForkingPickler.register(np.memmap, _pickle_map)


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


def find_name_faults(names: Iterable[str]) -> dict[str, str]:
    """Return a message for each name that is not UTF-8, which no table can hold."""
    odd = [name for name in names if any("\ud800" <= character <= "\udfff" for character in name)]
    return {name: f"{os.fsencode(name)!r}: the file's name is not UTF-8; rename it" for name in odd}
