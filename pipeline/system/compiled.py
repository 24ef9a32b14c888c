"""JAX's cache of compiled programs, sealed: a damaged program is compiled again.

JAX alone writes a program in place, and runs what it finds. Here a program is written whole, below its seal, which is
checked whenever it is read. So processes may share the folder, and a killed one leaves nothing that could be read.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from thalweg.system import files, sealed
from thalweg.system.runtime import COMPILED_FOLDER


def guard_compiled_programs() -> None:
    """Let JAX keep its programs sealed. Call it before JAX compiles.

    The user's own folder is left alone. With a JAX that has no place for this, a line says so, and no program is kept.
    """
    folder = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    if folder.parts[-3:-1] != COMPILED_FOLDER.parts:
        return
    import jax
    from jax._src import compilation_cache

    if not hasattr(compilation_cache, "get_file_cache"):
        sealed.report_not_kept(f"{folder}: JAX {jax.__version__} keeps compiled programs in another way")
        jax.config.update("jax_enable_compilation_cache", False)  # type: ignore[no-untyped-call]
        return
    compilation_cache.get_file_cache = lambda path: (ProgramCache(Path(path)), path)  # type: ignore[assignment,return-value]
    compilation_cache.reset_cache()  # it calls `get_file_cache` when it next compiles


@dataclass(frozen=True)
class ProgramCache:
    """A folder of sealed programs, with the methods and the name `_path` that JAX asks for."""

    _path: Path

    def get(self, key: str) -> bytes | None:
        """Read a program; None if there is none. A damaged one is removed with a message."""
        with self._report_failure(key):
            return sealed.read_sealed(self._find_file(key), Path(key))
        return None

    def put(self, key: str, program: bytes) -> None:
        """Write a program. Where that fails a line says so, once for the folder."""
        seal = sealed.compute_seal(Path(key), program).encode()
        with self._report_failure(key):
            files.write_bytes(self._find_file(key), seal + b"\n", program)

    def _find_file(self, key: str) -> Path:
        return self._path / f"{key}.program"

    @contextmanager
    def _report_failure(self, key: str) -> Iterator[None]:
        try:
            yield
        except files.UserError as error:
            sealed.report_not_kept(str(error).replace(f"/{self._find_file(key).name}", ""))
