"""Run commands of Thalweg as processes of their own, where JAX is configured as on the command line."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from thalweg.system import files
from thalweg.system.files import UserError
from thalweg.system.guarded import ERROR_FILE, Stream, run_guarded
from thalweg.system.runtime import COMPILED_FOLDER

Relay = Callable[[Stream, str], None]
"""Shows a line that a command printed."""
MAX_LINES = 20
"""Lines of an error that nobody foresaw."""
DVC_LINES = (
    *("Running stage ", "> thalweg stage ", "Stage '", "Updating lock file", "Generating lock file", "Use `dvc push`"),
    *("To track the changes", "To enable auto", "\tgit add", "Data and pipelines are up", "ERROR: failed to reproduce"),
)
"""How lines of DVC begin that say nothing beside those of the stages."""


def run_pipeline(folder: Path) -> None:
    """Run every stage of a project whose inputs changed. Raises `UserError` with what ended one."""
    with _relay_lines() as relay:
        _run_command(folder, ["run"], relay)


def run_thalweg(folder: Path, *arguments: str) -> None:
    """Run a command of Thalweg in a folder, without what it prints. Raises `UserError` with what ended it."""
    _run_command(folder, arguments, lambda *_: None)


def _build_environment(folder: Path) -> dict[str, str]:
    """Return variables for a command in a folder: where it keeps compiled programs."""
    changed = {}
    compiled = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    if compiled.parts[-3:-1] == COMPILED_FOLDER.parts:  # set for the current folder, when thalweg was imported
        changed["JAX_COMPILATION_CACHE_DIR"] = str(folder / COMPILED_FOLDER / compiled.name)
    return changed


def _run_command(folder: Path, arguments: Sequence[str], relay: Relay) -> None:
    command = [sys.executable, "-P", "-m", "thalweg", *arguments]
    last: deque[str] = deque(maxlen=MAX_LINES)

    def receive(stream: Stream, line: str) -> None:
        if stream == "errors":
            last.append(line)
        if line and not line.startswith(DVC_LINES):
            relay(stream, line)

    with files.open_temporary_folder() as temporary:
        error = temporary / "error.txt"
        environment = os.environ | _build_environment(folder) | {ERROR_FILE: str(error)}
        code = run_guarded(command, folder, environment, receive)
        if code and files.path_exists(error):
            raise UserError(files.read_bytes(error).decode())
    if code:
        raise UserError("\n".join([*last, f"thalweg {arguments[0]}: ended with the exit code {code}"]))


@contextmanager
def _relay_lines() -> Iterator[Relay]:
    """Give a function that shows each line: in one line of a notebook, which changes, or else as it was printed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if ipython is None or not hasattr(shell, "kernel"):
        yield lambda stream, line: print(line, file=sys.stdout if stream == "output" else sys.stderr, flush=True)
        return
    handle = ipython.display.display({"text/plain": ""}, raw=True, display_id=True)

    def update(_: Stream, line: str) -> None:
        handle.update({"text/plain": line}, raw=True)

    yield update
