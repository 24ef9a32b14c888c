"""Run commands of Thalweg and DVC as processes of their own, where JAX is configured as on the command line."""

import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from thalweg.system import files
from thalweg.system.dvc_command import build_dvc_command
from thalweg.system.files import UserError
from thalweg.system.guarded import ERROR_FILE, Stream, run_guarded
from thalweg.system.runtime import COMPILED_FOLDER

CODE_RECORD = Path("own-code.json")
"""The file that says where own code lies that a study's folder does not hold."""
MAX_LINES = 20
"""Lines of an error that nobody foresaw."""
DVC_NOISE = "ERROR: failed to reproduce"
"""How DVC says that a stage ended in an error; the stage says which."""


def run_pipeline(folder: Path) -> None:
    """Run every stage of a project whose inputs changed. Raises `UserError` with what ended one."""
    command, environment = build_dvc_command("repro", "--quiet")
    with _relay_lines() as relay:
        _run_command(command, folder, environment | _build_environment(folder), relay)


def run_thalweg(folder: Path, *arguments: str) -> None:
    """Run a command of Thalweg in a folder, without what it prints. Raises `UserError` with what ended it."""
    command = [sys.executable, "-P", "-m", "thalweg", *arguments]
    _run_command(command, folder, {**os.environ} | _build_environment(folder), lambda *_: None)


def _build_environment(folder: Path) -> dict[str, str]:
    """Return variables for a command in a folder: where its own code lies, and where it keeps compiled programs."""
    changed = {}
    compiled = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    if compiled.parts[-3:-1] == COMPILED_FOLDER.parts:  # set for the current folder, when thalweg was imported
        changed["JAX_COMPILATION_CACHE_DIR"] = str(folder / COMPILED_FOLDER / compiled.name)
    if files.path_exists(folder / CODE_RECORD):
        own = files.resolve_links(folder / files.read_json(folder / CODE_RECORD)["folder"])
        changed["PYTHONPATH"] = os.pathsep.join([str(own), *filter(None, [os.environ.get("PYTHONPATH")])])
    return changed


def _run_command(command: Sequence[str], folder: Path, environment: dict[str, str], relay: Any) -> None:
    last: deque[str] = deque(maxlen=MAX_LINES)

    def receive(stream: Stream, line: str) -> None:
        if stream == "errors":
            last.append(line)
        if not line.startswith(DVC_NOISE):
            relay(stream, line)

    with files.open_temporary_folder() as temporary:
        error = temporary / "error.txt"
        code = run_guarded(command, folder, environment | {ERROR_FILE: str(error)}, receive)
        if code and files.path_exists(error):
            raise UserError(files.read_bytes(error).decode())
    if code:
        name = " ".join(("thalweg", *command[4:6]) if "thalweg" in command else ("dvc", "repro"))
        raise UserError("\n".join([*last, f"{name}: ended with the exit code {code}"]))


@contextmanager
def _relay_lines() -> Iterator[Any]:
    """Give a function that shows each line: in one line of a notebook, which changes, or else as it was printed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if ipython is None or not hasattr(shell, "kernel"):
        yield lambda stream, line: print(line, file=sys.stdout if stream == "output" else sys.stderr, flush=True)
        return
    handle = ipython.display.display({"text/plain": ""}, raw=True, display_id=True)

    def update(_: Stream, line: str) -> None:
        if line.strip():
            handle.update({"text/plain": line}, raw=True)

    yield update
