"""Where a study's state lives: a journal and a snapshot, in a locked folder."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from thalweg.config.spaces import Values
from thalweg.core.blocks import Shape
from thalweg.core.lane import Plan, State
from thalweg.search.trials import Result
from thalweg.system import files

FOLDER = Path(".thalweg")

Key = tuple[int, int, int]
"""A lane of a study: its trial, and its seed and fold."""


@contextmanager
def locked(fingerprint: str) -> Iterator[Path]:
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


class Journal:
    """What has happened in a study, in order: what was proposed, what lanes came to, why it stopped.

    A kill leaves it whole up to some moment; what it does not have is decided and trained again, to the same bits.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "journal.jsonl"
        self.proposed: dict[int, list[Values]] = {}
        self.stops: list[tuple[int, dict[str, Any]]] = []
        self.seconds = 0.0
        self._results: dict[Key, Result] = {}
        for entry in files.read_json_lines(self._file):
            self._take(entry)

    def propose(self, cohort: int, proposals: Sequence[Values]) -> None:
        """Write down what was proposed for a cohort."""
        self._add([{"cohort": cohort, "proposed": list(proposals)}])

    def stop(self, cohort: int, why: Mapping[str, Any]) -> None:
        """Write down that this cohort was not begun, and why."""
        self._add([{"cohort": cohort, "stop": dict(why)}])

    def spend(self, seconds: float) -> None:
        """Write down how long was spent so far, over all the lives of the study."""
        self._add([{"seconds": seconds}])

    def record(self, results: Mapping[Key, Result]) -> None:
        """Write down what lanes have come to so far."""
        self._add([{"lane": list(lane), **result} for lane, result in results.items()])

    def result(self, lane: Key, until: int) -> Result | None:
        """What a lane came to, if that is known up to epoch `until` or to where it ended by itself."""
        known = self._results.get(lane)
        return known if known and (known["ended"] or known["epochs"] >= until) else None

    def _add(self, entries: Sequence[dict[str, Any]]) -> None:
        files.append_json(self._file, entries)
        for entry in entries:
            self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        entry = dict(entry)
        if "lane" in entry:
            trial, seed, fold = entry.pop("lane")
            self._results[trial, seed, fold] = entry
        elif "proposed" in entry:
            self.proposed[entry["cohort"]] = entry["proposed"]
        elif "stop" in entry:
            self.stops.append((entry["cohort"], entry["stop"]))
        else:
            self.seconds = entry["seconds"]


def read_shape(folder: Path, plan: Plan) -> Shape | None:
    """How a plan's lanes are laid out on an accelerator in this study, if that is settled."""
    file = _shape_file(folder, plan)
    return Shape(*files.read_json(file)) if files.exists(file) else None


def write_shape(folder: Path, plan: Plan, shape: Shape) -> None:
    files.write_json(_shape_file(folder, plan), list(shape))


def _shape_file(folder: Path, plan: Plan) -> Path:
    return folder / "shapes" / f"{hashlib.sha256(repr(plan).encode()).hexdigest()[:16]}.json"


def write_snapshot(folder: Path, lanes: Mapping[Key, tuple[Plan, State]]) -> None:
    """Keep the states of lanes in training, so that a study that is killed goes on from them."""
    arrays: dict[str, NDArray[Any]] = {}
    groups: dict[Plan, list[Key]] = {}
    for lane, (plan, _) in sorted(lanes.items(), key=lambda one: one[0]):
        groups.setdefault(plan, []).append(lane)
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
