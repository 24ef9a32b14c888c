"""Where a study's state lives: a journal and a snapshot, in a locked folder."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from thalweg.engine.block_layout import BlockShape
from thalweg.engine.lane import State
from thalweg.engine.program import Program
from thalweg.engine.results import Key
from thalweg.system import files

FOLDER = Path(".thalweg")


@contextmanager
def locked_state_folder(fingerprint: str) -> Iterator[Path]:
    """The state folder of a fingerprint, held by this process alone; `UserError` where another has it."""
    folder = FOLDER / fingerprint
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise files.UserError(
            f"{folder}: another run of this study is at work; wait for it, or end it, then start again"
        ) from None
    try:
        files.remove_unfinished(folder)
        yield folder
    finally:
        lock.release()


def read_shape(folder: Path, program: Program) -> BlockShape | None:
    """How a program's lanes are laid out on an accelerator in this study, if that is settled."""
    file = _shape_file(folder, program)
    return BlockShape(*files.read_json(file)) if files.exists(file) else None


def write_shape(folder: Path, program: Program, shape: BlockShape) -> None:
    files.write_json(_shape_file(folder, program), list(shape))


def _shape_file(folder: Path, program: Program) -> Path:
    return folder / "shapes" / f"{hashlib.sha256(repr(program).encode()).hexdigest()[:16]}.json"


def write_snapshot(folder: Path, lanes: Mapping[Key, tuple[Program, State]]) -> None:
    """Keep the states of lanes in training, so that a study that is killed goes on from them."""
    arrays: dict[str, NDArray[Any]] = {}
    groups: dict[Program, list[Key]] = {}
    for lane, (program, _) in sorted(lanes.items(), key=lambda one: one[0]):
        groups.setdefault(program, []).append(lane)
    for group, members in enumerate(groups.values()):
        leaves = [jax.tree.leaves(lanes[lane][1]) for lane in members]
        arrays[f"{group}/lanes"] = np.array(members, np.int64)
        arrays |= {f"{group}/{i}": np.stack(column) for i, column in enumerate(zip(*leaves, strict=True))}
    files.write_arrays(folder / "snapshot.npz", arrays)


def read_snapshot(folder: Path) -> dict[Key, list[NDArray[Any]]]:
    """The leaves of the states that `write_snapshot` kept, by lane; nothing where there is no snapshot."""
    file = folder / "snapshot.npz"
    arrays = files.read_arrays(file) if files.exists(file) else {}
    found: dict[Key, list[NDArray[Any]]] = {}
    for name in (name for name in arrays if name.endswith("/lanes")):
        group = name.removesuffix("lanes")
        columns = [arrays[f"{group}{i}"] for i in range(sum(one.startswith(group) for one in arrays) - 1)]
        for row, (trial, seed, fold) in enumerate(arrays[name].tolist()):
            found[trial, seed, fold] = [column[row] for column in columns]
    return found
