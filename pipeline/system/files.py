"""Read, write, find, lock and remove files. No other module of this project touches the disk.

Files are written whole and atomically. An error of the system is a `UserError`: where, why, and what to do.

Libraries write some files themselves:

- SQLite, through Optuna: `.thalweg/studies.db` (`thalweg.search.database`);
- DVC: `.dvc/`, `dvc.lock`, and links from `artifacts/` and `reports/` into its cache;
- Python: `__pycache__/` beside imported modules.
"""

# os.path answers where Path raises: a link to itself, a folder without rights
# ruff: noqa: PTH110, PTH112, PTH114, PTH115, PTH118

import errno
import fcntl
import fnmatch
import gzip
import hashlib
import json
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space, then run the command again"),
    **dict.fromkeys(
        (errno.EROFS, errno.EACCES, errno.EPERM), "give this user the right to, then run the command again"
    ),
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`), then run the command again",
    errno.EMFILE: "raise the limit on open files (`ulimit -n`), then run the command again",
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""What to do about an error of the system, by its number."""


class UserError(Exception):
    """An error for the user: where, what is wrong, what to do. Several mistakes have a line each.

    A command shows the sentences without a traceback.

    ```python
    try:
        thalweg.run("digits", {"study.trials": 7, "training.epochs": "many"})
    except thalweg.UserError as error:
        mistakes = str(error)
    ```
    """


@contextmanager
def convert_errors(path: Path, message: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of these kinds into a `UserError` with the file, the message, the reason and advice."""
    try:
        yield
    except kinds as error:
        raise UserError(f"{path}: {message} {_explain_error(error)}") from None


@contextmanager
def _convert_disk_errors(path: Path, message: str = "cannot be written") -> Iterator[None]:
    """Turn what may happen on a disk into a `UserError`; name a link, file or folder that is in the way."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:  # a NUL in a name, a file system without locks
        obstacle = _find_obstacle(path)
        raise UserError(f"{path}: {message} {f'({obstacle})' if obstacle else _explain_error(error)}") from None


def _explain_error(error: Exception) -> str:
    advice = ADVICE.get(getattr(error, "errno", None) or 0)
    return f"({str(getattr(error, 'strerror', None) or error).strip()})" + (f"; {advice}" if advice else "")


def _find_obstacle(path: Path) -> str:
    """Return what stands where a folder must be, and what to do; '' if there is nothing."""
    for folder in (*reversed(path.parents), path):
        if os.path.islink(folder) and not os.path.exists(folder):
            return f"{folder} links to {os.readlink(folder)}, which is not there: create that, or remove the link"
        if folder != path and os.path.lexists(folder) and not os.path.isdir(folder):
            return f"{folder} is no folder: move it away"
    return f"{path} is a folder, not a file: choose another" if os.path.isdir(path) else ""


def write_bytes(path: Path, *parts: bytes) -> None:
    """Write a file of these parts, as `write_parts` does."""
    write_parts(path, parts)


def write_parts(path: Path, parts: Iterable[bytes | memoryview], rights: int = 0o644) -> None:
    """Write a file of parts, made one by one, atomically: to a temporary file, flushed to disk, then renamed."""
    with _convert_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _make_temporary(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
                file.flush()
                os.fsync(file.fileno())
                temporary.chmod(rights)
                temporary.replace(path)  # before it is closed, and its lock with it
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_scratch(path: Path, content: bytes) -> None:
    """Write a file of this process alone in a temporary folder: neither atomically nor flushed to disk."""
    with _convert_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _make_temporary(path: Path) -> tuple[int, Path]:
    """Make a file beside `path`. It is locked until it is closed, so that `remove_partial_writes` leaves it alone."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:  # else another process removed it before it was locked
            return handle, Path(name)
        os.close(handle)


def create_folder(path: Path) -> None:
    with _convert_disk_errors(path, "cannot be created"):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def open_temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder, in `parent` or where the system has such folders; remove it at the end, unless it was renamed."""
    if parent:
        create_folder(parent)
    with _convert_disk_errors(parent or Path(tempfile.gettempdir())):
        temporary = tempfile.TemporaryDirectory(prefix=".thalweg-", dir=parent, ignore_cleanup_errors=True)
        Path(temporary.name).chmod(0o755)  # as of other folders: it may be kept under another name
    with temporary as name:
        yield Path(name)


def link_folder(path: Path, target: Path) -> None:
    """Make a link to a folder; a relative target begins at the link."""
    with _convert_disk_errors(path, "cannot be made"):
        path.symlink_to(target, target_is_directory=True)


def rename_file(path: Path, target: Path) -> None:
    """Rename a file, or a folder; it takes the place of a file, or of an empty folder."""
    with _convert_disk_errors(target, f"cannot be made from {path}"):
        path.replace(target)


def remove_partial_writes(folder: Path) -> None:
    """Remove temporary files that killed processes left below a folder. What cannot be removed stays."""
    for file in folder.rglob(".*.*.????????"):
        with suppress(UserError):
            remove_partial_write(file)


def remove_partial_write(file: Path) -> bool:
    """Remove a temporary file, unless its writer lives; return whether it is gone."""
    with convert_errors(file, "cannot be removed", OSError), suppress(FileNotFoundError), file.open("rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        file.unlink(missing_ok=True)
    return True


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def replace_text(path: Path, text: str) -> None:
    """Write a file of the user anew. It keeps its rights; a link stays, and the file that it leads to changes."""
    target = resolve_links(path)
    write_parts(target, [text.encode()], stat.S_IMODE(_read_mode(target)))


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys and exact floats. Raises `ValueError` for NaN."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    with convert_errors(path, "not a JSON file", ValueError, RecursionError):
        return json.loads(read_bytes(path))


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Append lines to a file of this process alone, flushed to disk. An incomplete last line is removed first."""
    with _convert_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.truncate(_find_complete_length(file))
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
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
    with _convert_disk_errors(path, "cannot be read"):
        return path.read_bytes()


def read_system_text(path: Path) -> str:
    """Read what Linux tells in /proc or /sys; '' elsewhere, or where it does not tell."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def list_system_folder(path: Path) -> list[Path]:
    """List what Linux shows in a folder of /proc or /sys, by name; [] elsewhere, or where it does not show it."""
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def path_exists(path: Path) -> bool:
    """Return whether there is a file or folder; a broken link is none. Raises `UserError` if that cannot be seen."""
    return _read_mode(path) != 0


def is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_read_mode(path))


def _read_mode(path: Path) -> int:
    """Return the kind and rights of a path as the system has them; 0 if there is none."""
    try:
        return path.stat().st_mode
    except ValueError:  # no file has this name
        return 0
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
            return 0
        raise UserError(f"{path}: cannot be read {_explain_error(error)}") from None


def resolve_links(path: Path) -> Path:
    """Return the absolute path without links; one that leads to itself stays."""
    return Path(os.path.realpath(path))


def resolve_user_path(path: Path) -> Path:
    """Return a path that a person wrote as an absolute one, without links; `~` is the home folder."""
    return resolve_links(path.expanduser())


@contextmanager
def lock_file(path: Path, seconds: float) -> Iterator[bool]:
    """Hold a lock between processes; give whether this process got it in time (-1: no limit). Makes the folder, too."""
    lock = FileLock(path)
    with _convert_disk_errors(path, "cannot be locked"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(Timeout):
            lock.acquire(timeout=seconds)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def remove_file(path: Path) -> None:
    """Remove a file, unless another process was faster."""
    with convert_errors(path, "cannot be removed", OSError):
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that it holds. A link to one is an error."""
    with convert_errors(path, "cannot be removed", OSError):
        shutil.rmtree(path)


@dataclass(frozen=True)
class DiskUse:
    """The files at or below a path: their number, their bytes, and when one was last written, in seconds since 1970."""

    files: int
    bytes: int
    written: float


def measure_use(path: Path) -> DiskUse:
    """Measure a file, or all files below a folder. Links are not followed, and a file that vanishes does not count."""
    inside = (Path(parent, name) for parent, _, names in os.walk(path) for name in names)
    facts = []
    for file in inside if is_folder(path) else [path]:
        with suppress(OSError):
            facts.append(file.lstat())
    newest = max((fact.st_mtime for fact in facts), default=0.0)
    return DiskUse(len(facts), sum(fact.st_size for fact in facts), newest)


def list_files(folder: Path) -> list[str]:
    """Return the sorted paths of all files below `folder`, relative to it, with /, without hidden ones.

    Links to folders are followed, except back to a folder that leads to the link. `data_files.find_name_faults` finds
    names that are not UTF-8.
    """
    if not is_folder(folder):
        return []
    paths = []
    root = resolve_links(folder)
    above = {str(folder): {root, *root.parents}}  # the real folders that lead to each folder
    for parent, folders, files in os.walk(folder, onerror=_refuse_unreadable, followlinks=True):
        real = {name: resolve_links(Path(parent, name)) for name in folders if not name.startswith(".")}
        folders[:] = [name for name, target in real.items() if target not in above[parent]]
        above |= {os.path.join(parent, name): above[parent] | {real[name]} for name in folders}
        relative = Path(parent).relative_to(folder)
        paths += [(relative / name).as_posix() for name in files if not name.startswith(".")]
    return sorted(paths)


def _refuse_unreadable(error: OSError) -> None:
    """Raise `UserError` for a folder whose files cannot be listed; one that is gone, or a file, has none."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise UserError(f"{error.filename}: cannot be listed {_explain_error(error)}")


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Return the sorted paths in `folder` that fit a pattern, such as `*.csv`, `*/*.csv`, or `**/*.csv` at any depth.

    Raises `UserError` for a folder that cannot be listed.
    """
    first, _, rest = pattern.partition("/")
    try:
        inside = list(folder.iterdir())
    except OSError as error:
        _refuse_unreadable(error)
        return []
    if first == "**":
        deeper = [path for inner in inside if is_folder(inner) for path in find_files(inner, pattern)]
        return sorted(find_files(folder, rest) + deeper)
    matches = [path for path in inside if fnmatch.fnmatchcase(path.name, first)]
    return sorted(path for top in matches for path in find_files(top, rest)) if rest else sorted(matches)


def read_unzipped(path: Path, count: int = -1) -> bytes:
    """Read a file's first `count` bytes, or all; decompressed if its first two bytes say gzip."""
    with convert_errors(path, "cannot be read", OSError):
        opened = path.open("rb")
    with opened as file, convert_errors(path, "broken gzip file", OSError, EOFError, zlib.error):
        is_zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        return (gzip.GzipFile(fileobj=file) if is_zipped else file).read(count)


def hash_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the names and contents of files, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(os.fsencode(path) + b"\0" + bytes.fromhex(hash_file(path)))
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's contents, without holding them."""
    with _convert_disk_errors(path, "cannot be read"), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        facts = path.stat()
        status = (facts.st_dev, facts.st_ino, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if status == before.status:
            return before
        if not stat.S_ISREG(facts.st_mode):
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
    for path in find_files(folder, "*"):
        if path.name not in files:
            remove_file(path)
