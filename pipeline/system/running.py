"""What runs in a project: each process of a stage keeps a small file that other processes read.

A lock beside it is held as long as the process lives, so a file without one is left over from a kill.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from thalweg.system import files
from thalweg.system.paths import STATE_FOLDER

FOLDER = STATE_FOLDER / "running"
UPDATE_SECONDS = 2.0
"""From one update of the file to the next, at least."""


class Stopped(files.UserError):
    """Training that ended because `thalweg stop` asked for it; all is kept."""

    def __init__(self) -> None:
        super().__init__("stopped after a segment; run the same command again to continue")


@dataclass(frozen=True)
class RunningStage:
    """A process of a stage. `began`: seconds since 1970. `seconds_left`: null until something is measured.

    `trains`: it ends after its segment if `thalweg stop` asks; all that it trained is kept.
    """

    process: int
    stage: str
    began: float
    part: str = ""
    progress: str = ""
    seconds_left: float | None = None
    trains: bool = False


_shown: list[RunningStage] = []
"""What this process has written last; empty where it runs no stage."""
_updated = [0.0]
_changing = threading.Lock()
"""Held from reading `_shown` to writing it: the thread that shows progress writes there, too."""


@contextmanager
def announce_stage(stage: str) -> Iterator[None]:
    """Show other processes that this one runs a stage, until the context ends. A full disk does not end the stage."""
    own = RunningStage(os.getpid(), stage, time.time())
    with suppress(files.UserError):
        files.create_folder(FOLDER)
        _remove_dead_files()
    try:
        with files.lock_file(_name_file(own.process, "lock"), seconds=1):
            _shown[:] = [own]
            _write_stage(own)
            yield
    finally:
        _shown.clear()
        _remove_files(own.process)


def update_stage(part: str, progress: str, seconds_left: float | None) -> None:
    """Say how far the stage of this process is, at most every UPDATE_SECONDS."""
    if _shown and time.monotonic() - _updated[0] >= UPDATE_SECONDS:
        _updated[0] = time.monotonic()
        _change_stage(part=part, progress=progress, seconds_left=seconds_left)


@contextmanager
def announce_training() -> Iterator[None]:
    """Say that the stage of this process trains until the context ends: it asks `is_stop_asked` after each segment."""
    _change_stage(trains=True)
    try:
        yield
    finally:
        _change_stage(trains=False)


def is_stop_asked() -> bool:
    """Return whether `thalweg stop` has asked this process, which trains, to end."""
    return bool(_shown) and files.path_exists(_name_file(_shown[0].process, "stop"))


def list_running() -> list[RunningStage]:
    """List the stages that run in this project, the oldest first; remove what killed processes left."""
    _remove_dead_files()
    stages = []
    for file in files.find_files(FOLDER, "*.json"):
        with suppress(files.UserError, TypeError):  # it ended just now
            stages.append(RunningStage(**files.read_json(file)))
    return sorted(stages, key=lambda stage: stage.began)


def ask_to_stop(process: int) -> None:
    """Ask a process of `list_running` to end after its segment."""
    files.write_bytes(_name_file(process, "stop"), b"")


def _change_stage(**changes: Any) -> None:
    with _changing:
        if _shown:
            _write_stage(replace(_shown[0], **changes))


def _write_stage(stage: RunningStage) -> None:
    _shown[:] = [stage]
    with suppress(files.UserError):
        files.write_scratch(_name_file(stage.process, "new"), json.dumps(asdict(stage)).encode())
        files.rename_file(_name_file(stage.process, "new"), _name_file(stage.process, "json"))


def _name_file(process: int, kind: str) -> Path:
    return FOLDER / f"{process}.{kind}"


def _remove_dead_files() -> None:
    """Remove what killed processes left: nobody holds their lock."""
    own = {os.getpid()} if _shown else set()
    for process in {int(file.name.partition(".")[0]) for file in files.find_files(FOLDER, "[0-9]*")} - own:
        with files.lock_file(_name_file(process, "lock"), seconds=0) as is_free:
            if is_free:
                _remove_files(process)


def _remove_files(process: int) -> None:
    for kind in ("json", "new", "stop", "lock"):
        with suppress(files.UserError):
            files.remove_file(_name_file(process, kind))
