"""Where a study's state lives: a journal, a snapshot and the shapes of blocks, in a locked folder."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from thalweg.engine.block_layout import BlockShape
from thalweg.engine.fit import LaneState
from thalweg.engine.program import Program
from thalweg.engine.results import LaneKey, LaneResult
from thalweg.system import files

STATE_FOLDER = Path(".thalweg")


@contextmanager
def lock_state_folder(fingerprint: str) -> Iterator[Path]:
    """The state folder of a fingerprint, held by this process alone; `UserError` where another has it."""
    folder = STATE_FOLDER / fingerprint
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise files.UserError(
            f"{folder}: another run of this study is at work; wait for it, or end it, then start again"
        ) from None
    try:
        files.remove_partial_writes(folder)
        yield folder
    finally:
        lock.release()


class Journal:
    """What has happened in a study, in order: what was proposed, what lanes came to, why it stopped.

    A kill leaves it whole up to some moment; what it does not have is decided and trained again, to the same bits.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "journal.jsonl"
        self.proposed: dict[int, list[dict[str, Any]]] = {}
        self.stops: list[tuple[int, dict[str, Any]]] = []
        self.seconds = 0.0
        self._results: dict[LaneKey, LaneResult] = {}
        for entry in files.read_json_lines(self._file):
            self._apply_entry(entry)

    def record_proposals(self, cohort: int, proposals: Sequence[Mapping[str, Any]]) -> None:
        """Write down what was proposed for a cohort."""
        self._append_entries([{"cohort": cohort, "proposed": [dict(values) for values in proposals]}])

    def record_stop(self, cohort: int, reason: Mapping[str, Any]) -> None:
        """Write down that this cohort was not begun, and why."""
        self._append_entries([{"cohort": cohort, "stop": dict(reason)}])

    def record_seconds(self, seconds: float) -> None:
        """Write down how long was spent so far, over all the lives of the study."""
        self._append_entries([{"seconds": seconds}])

    def record_results(self, results: Mapping[LaneKey, LaneResult]) -> None:
        """Write down what lanes have come to so far."""
        self._append_entries([{"lane": list(lane), **vars(result)} for lane, result in results.items()])

    def find_result(self, lane: LaneKey, epoch: int) -> LaneResult | None:
        """What a lane came to, if that is known up to epoch `epoch` or to where it ended by itself."""
        known = self._results.get(lane)
        return known if known and (known.ended or known.epochs >= epoch) else None

    def _append_entries(self, entries: Sequence[dict[str, Any]]) -> None:
        files.append_json_lines(self._file, entries)
        for entry in entries:
            self._apply_entry(entry)

    def _apply_entry(self, entry: dict[str, Any]) -> None:
        if "lane" in entry:
            trial, seed, fold = entry["lane"]
            self._results[trial, seed, fold] = LaneResult(**{key: entry[key] for key in entry if key != "lane"})
        elif "proposed" in entry:
            self.proposed[entry["cohort"]] = entry["proposed"]
        elif "stop" in entry:
            self.stops.append((entry["cohort"], entry["stop"]))
        else:
            self.seconds = entry["seconds"]


def read_shape(folder: Path, program: Program) -> BlockShape | None:
    """How a program's lanes are laid out on an accelerator in this study, if that is settled."""
    file = _shape_path(folder, program)
    return BlockShape(*files.read_json(file)) if files.path_exists(file) else None


def write_shape(folder: Path, program: Program, shape: BlockShape) -> None:
    if read_shape(folder, program) != shape:
        files.write_json(_shape_path(folder, program), list(shape))


def _shape_path(folder: Path, program: Program) -> Path:
    return folder / "shapes" / f"{hashlib.sha256(repr(program).encode()).hexdigest()[:16]}.json"


def write_snapshot(folder: Path, lanes: Mapping[LaneKey, tuple[Program, LaneState]]) -> None:
    """Keep the states of lanes in training, so that a study that is killed goes on from them."""
    arrays: dict[str, NDArray[Any]] = {}
    groups: dict[Program, list[LaneKey]] = {}
    for lane in sorted(lanes):
        groups.setdefault(lanes[lane][0], []).append(lane)
    for group, members in enumerate(groups.values()):
        leaves = [jax.tree.leaves(lanes[lane][1]) for lane in members]
        arrays[f"{group}/lanes"] = np.array(members, np.int64)
        arrays |= {f"{group}/{i}": np.stack(column) for i, column in enumerate(zip(*leaves, strict=True))}
    files.write_arrays(folder / "snapshot.npz", arrays)


def read_snapshot(folder: Path) -> dict[LaneKey, list[NDArray[Any]]]:
    """The leaves of the states that `write_snapshot` kept, by lane; nothing where there is no snapshot."""
    file = folder / "snapshot.npz"
    arrays = files.read_arrays(file) if files.path_exists(file) else {}
    found: dict[LaneKey, list[NDArray[Any]]] = {}
    for name in (name for name in arrays if name.endswith("/lanes")):
        group = name.removesuffix("lanes")
        columns = [arrays[f"{group}{i}"] for i in range(sum(one.startswith(group) for one in arrays) - 1)]
        for row, (trial, seed, fold) in enumerate(arrays[name].tolist()):
            found[trial, seed, fold] = [column[row] for column in columns]
    return found
