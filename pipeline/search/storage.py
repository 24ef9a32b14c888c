"""Where a study's state lives: finished lanes and decisions, in a locked folder."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline import io
from pipeline.search.spaces import Values

FOLDER = Path(".thalweg")


@contextmanager
def locked(fingerprint: str) -> Iterator[Path]:
    """The state folder of a fingerprint, held by this process alone; `UserError` where another has it."""
    folder = FOLDER / fingerprint
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise io.UserError(
            f"{folder}: another run of this study is at work; wait for it, or end it, then start again"
        ) from None
    try:
        yield folder
    finally:
        lock.release()


def lane_name(values: Values, seed: int, fold: int) -> str:
    """The name under which a lane's result is kept: what it trained with, nothing of when or where."""
    told = json.dumps([sorted(values.items()), seed, fold])
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def read_lane(folder: Path, name: str) -> dict[str, Any] | None:
    file = folder / "lanes" / f"{name}.json"
    return io.read_json(file) if file.exists() else None


def write_lane(folder: Path, name: str, result: dict[str, Any]) -> None:
    io.write_json(folder / "lanes" / f"{name}.json", result)


def read_decision(folder: Path, cohort: int) -> list[Values] | None:
    """What was proposed for a cohort, if it has been asked for."""
    file = folder / "cohorts" / f"{cohort:05d}.json"
    return io.read_json(file) if file.exists() else None


def write_decision(folder: Path, cohort: int, proposals: Sequence[Values]) -> None:
    io.write_json(folder / "cohorts" / f"{cohort:05d}.json", proposals)
