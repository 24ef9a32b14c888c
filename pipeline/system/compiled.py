"""JAX's cache of compiled programs: a digest of each file, so that a damaged program is compiled again.

JAX runs what it finds there, and neither repairs nor replaces a damaged file. The list `digests` has a line for each
file that this project wrote, as `sha256sum` prints it. Processes may share the folder: each appends whole lines.
"""

import hashlib
import os
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from thalweg.system import files
from thalweg.system.runtime import COMPILED_FOLDER
from thalweg.system.sealed import report_damage, report_not_kept

DIGESTS = "digests"
PROBE = "can-be-written"
"""A file that is made and removed to see whether the folder can be written."""
COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"
"""JAX reports it once a program is compiled and written, or read."""
MISS_EVENT = "/jax/compilation_cache/cache_misses"
"""JAX reports it just before it writes a program."""
WRITE_FAILURE = "Error writing persistent compilation cache entry"
"""How JAX's warning begins if it cannot write a program, for each program."""


def guard_compiled_programs() -> None:
    """Remove damaged programs, and from now on note the digest of each new one. Call it before JAX compiles.

    Where the folder cannot be written, a line says so, and programs are compiled without it.
    """
    if (folder := _find_folder()) is None:
        return
    try:
        files.write_bytes(folder / PROBE, b"")
        files.remove_file(folder / PROBE)
        remove_damaged_programs(folder)
    except files.UserError as error:
        report_not_kept(str(error).replace(f"/{PROBE}", ""))
        _compile_without_cache()
    else:
        watch_compiled_programs()


def _compile_without_cache() -> None:
    """Let this process, and those that it starts, neither read nor write compiled programs."""
    import jax

    os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    jax.config.update("jax_enable_compilation_cache", False)  # type: ignore[no-untyped-call]


@cache
def watch_compiled_programs() -> None:
    """Note the digest of each program that this process adds to the cache."""
    import jax

    if (folder := _find_folder()) is None:
        return
    known_programs, missed = set(_list_programs(folder)), list[str]()
    failures, show_warning = list[str](), warnings.showwarning

    def note_miss(event: str, **_facts: Any) -> None:
        if event == MISS_EVENT:
            missed.append(event)

    def note_failure(message: Warning | str, *details: Any, **options: Any) -> None:
        if str(message).startswith(WRITE_FAILURE):
            reason = str(message).partition(": ")[2]  # such as: OSError: [Errno 28] No space left on device: '/a/b'
            failures.append(reason.partition("] ")[2].partition(": ")[0] or reason)
        else:
            show_warning(message, *details, **options)

    def note_new(event: str, *_seconds: Any, **_facts: Any) -> None:
        if event == COMPILE_EVENT and missed:
            missed.clear()
            new = set(_list_programs(folder)) - known_programs
            if failures:
                report_not_kept(f"{folder}: a compiled program cannot be written ({failures[0]})")
                for name in new:  # what is there is cut
                    with suppress(files.UserError):
                        files.remove_file(folder / name)
                failures.clear()
                return
            with suppress(files.UserError):  # a full disk: without a digest the program is compiled again
                note_programs(folder, new)
            known_programs.update(new)

    warnings.filterwarnings("always", WRITE_FAILURE)
    warnings.showwarning = note_failure
    jax.monitoring.register_event_listener(note_miss)
    jax.monitoring.register_event_duration_secs_listener(note_new)


def remove_damaged_programs(folder: Path) -> None:
    """Remove every file whose digest is not in the list."""
    digests, programs = folder / DIGESTS, _list_programs(folder)
    noted = set(files.read_bytes(digests).splitlines()) if files.path_exists(digests) else set()
    damaged = [name for name in programs if _build_line(folder, name) not in noted]
    for name in damaged:
        files.remove_file(folder / name)
    if damaged:
        report_damage(f"{folder}: {len(damaged)} of {len(programs)} compiled programs changed or cut")


def note_programs(folder: Path, names: set[str]) -> None:
    """Append the digests of programs to the list."""
    files.append_shared_lines(folder / DIGESTS, [_build_line(folder, name) for name in sorted(names)])


def _find_folder() -> Path | None:
    """Return the cache's folder; None if it is the user's own, which this project leaves alone."""
    folder = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    return folder if folder.parts[-3:-1] == COMPILED_FOLDER.parts else None


def _list_programs(folder: Path) -> list[str]:
    """List the cache's files, with what XLA measured on a GPU, but without those that it still writes in tmp/."""
    return [name for name in files.list_files(folder) if name != DIGESTS and "tmp" not in Path(name).parts]


def _build_line(folder: Path, name: str) -> bytes:
    """Return a file's digest and name; no digest if it cannot be read."""
    try:
        return f"{hashlib.sha256(files.read_bytes(folder / name)).hexdigest()}  {name}".encode()
    except files.UserError:
        return f"-  {name}".encode()
