"""A study's state on disk: a journal, a snapshot and the block shapes, in a locked folder."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from thalweg.engine.block_layout import BlockShape
from thalweg.engine.fit import LaneState
from thalweg.engine.program import Program
from thalweg.engine.results import LaneKey, LaneResult
from thalweg.system import data_files, files, sealed
from thalweg.system.paths import STATE_FOLDER

SNAPSHOT = "snapshot.npz"


@contextmanager
def lock_state_folder(fingerprint: str) -> Iterator[Path]:
    """Lock the state folder of a fingerprint for this process.

    Raises `UserError` if another process has it, or if nothing can be written there.
    """
    folder = STATE_FOLDER / fingerprint
    with files.lock_file(folder / "lock", seconds=0) as is_locked:
        if not is_locked:
            raise files.UserError(
                f"{folder}: another run of this study is active; wait for it or end it, then start again"
            )
        files.remove_partial_writes(folder)
        yield folder


class Journal:
    """The log of a study, in order: proposals, lanes' results, and why it stopped.

    What it lacks, after a kill or because a line was damaged, is decided and trained again, to the same bits.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "journal.jsonl"
        self.proposed: dict[int, list[dict[str, Any]]] = {}
        self.stops: list[tuple[int, dict[str, Any]]] = []
        self.seconds = 0.0
        self._results: dict[LaneKey, LaneResult] = {}
        entries = sealed.read_sealed_lines(self._file)
        self._count = len(entries)
        for entry in entries:
            self._apply_entry(entry)

    def record_proposals(self, cohort: int, proposals: Sequence[Mapping[str, Any]]) -> None:
        """Record a cohort's proposals."""
        self._append_entries([{"cohort": cohort, "proposed": [dict(values) for values in proposals]}])

    def record_stop(self, cohort: int, reason: Mapping[str, Any]) -> None:
        """Record why the study stopped before this cohort."""
        self._append_entries([{"cohort": cohort, "stop": dict(reason)}])

    def record_seconds(self, seconds: float) -> None:
        """Record the seconds that the study has taken so far, over all its restarts."""
        self._append_entries([{"seconds": seconds}])

    def record_results(self, results: Mapping[LaneKey, LaneResult]) -> None:
        """Record lanes' results so far."""
        self._append_entries([{"lane": list(lane), **vars(result)} for lane, result in results.items()])

    def find_result(self, lane: LaneKey, epoch: int) -> LaneResult | None:
        """Return a lane's result if it reaches `epoch` or the lane ended by itself, else None."""
        result = self._results.get(lane)
        return result if result and (result.ended or result.epochs >= epoch) else None

    def has_begun(self, cohort: int, first_trial: int) -> bool:
        """Return whether a cohort began before, by any entry of it or of a later one; its first trial is given."""
        cohorts = (*self.proposed, *(stop_cohort - 1 for stop_cohort, _ in self.stops))
        return max(cohorts, default=-1) >= cohort or any(trial >= first_trial for trial, _, _ in self._results)

    def _append_entries(self, entries: Sequence[dict[str, Any]]) -> None:
        sealed.append_sealed_lines(self._file, entries, self._count + 1)
        self._count += len(entries)
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
    """Read the shape of a program's calls on an accelerator; None before it is chosen."""
    content = sealed.read_sealed(_shape_path(folder, program))
    return None if content is None else BlockShape(*json.loads(content))


def write_shape(folder: Path, program: Program, shape: BlockShape) -> None:
    if read_shape(folder, program) != shape:
        sealed.write_sealed(_shape_path(folder, program), json.dumps(list(shape)).encode())


def _shape_path(folder: Path, program: Program) -> Path:
    return folder / "shapes" / f"{hashlib.sha256(repr(program).encode()).hexdigest()[:16]}.json"


def write_snapshot(folder: Path, lanes: Mapping[LaneKey, tuple[Program, LaneState]]) -> None:
    """Write the states of lanes in training, so that a killed study continues from them."""
    arrays: dict[str, NDArray[Any]] = {}
    groups: dict[Program, list[LaneKey]] = {}
    for lane in sorted(lanes):
        groups.setdefault(lanes[lane][0], []).append(lane)
    for group, members in enumerate(groups.values()):
        leaves = [jax.tree.leaves(lanes[lane][1]) for lane in members]
        arrays[f"{group}/lanes"] = np.array(members, np.int64)
        arrays |= {f"{group}/{i}": np.stack(column) for i, column in enumerate(zip(*leaves, strict=True))}
    sealed.write_sealed(folder / SNAPSHOT, data_files.pack_arrays(arrays))


def remove_snapshot(folder: Path) -> None:
    """Remove the snapshot, if there is one."""
    files.remove_file(folder / SNAPSHOT)


def read_snapshot(folder: Path) -> dict[LaneKey, list[NDArray[Any]]]:
    """Read the leaves of each lane's state as `write_snapshot` wrote them; empty without a snapshot that fits."""
    file = folder / SNAPSHOT
    content = sealed.read_sealed(file)
    arrays = {} if content is None else data_files.unpack_arrays(file, content)
    states: dict[LaneKey, list[NDArray[Any]]] = {}
    for name in (name for name in arrays if name.endswith("/lanes")):
        group = name.removesuffix("lanes")
        columns = [arrays[f"{group}{i}"] for i in range(sum(key.startswith(group) for key in arrays) - 1)]
        for row, (trial, seed, fold) in enumerate(arrays[name].tolist()):
            states[trial, seed, fold] = [column[row] for column in columns]
    return states
