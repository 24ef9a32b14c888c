"""What has happened in a study, in order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thalweg.engine.results import Key, LaneResult
from thalweg.system import files


class Journal:
    """What has happened in a study, in order: what was proposed, what lanes came to, why it stopped.

    A kill leaves it whole up to some moment; what it does not have is decided and trained again, to the same bits.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "journal.jsonl"
        self.proposed: dict[int, list[dict[str, Any]]] = {}
        self.stops: list[tuple[int, dict[str, Any]]] = []
        self.seconds = 0.0
        self._results: dict[Key, LaneResult] = {}
        for entry in files.read_json_lines(self._file):
            self._take(entry)

    def propose(self, cohort: int, proposals: Sequence[Mapping[str, Any]]) -> None:
        """Write down what was proposed for a cohort."""
        self._add([{"cohort": cohort, "proposed": [dict(values) for values in proposals]}])

    def stop(self, cohort: int, why: Mapping[str, Any]) -> None:
        """Write down that this cohort was not begun, and why."""
        self._add([{"cohort": cohort, "stop": dict(why)}])

    def spend(self, seconds: float) -> None:
        """Write down how long was spent so far, over all the lives of the study."""
        self._add([{"seconds": seconds}])

    def record(self, results: Mapping[Key, LaneResult]) -> None:
        """Write down what lanes have come to so far."""
        self._add([{"lane": list(lane), **vars(result)} for lane, result in results.items()])

    def result(self, lane: Key, until: int) -> LaneResult | None:
        """What a lane came to, if that is known up to epoch `until` or to where it ended by itself."""
        known = self._results.get(lane)
        return known if known and (known.ended or known.epochs >= until) else None

    def _add(self, entries: Sequence[dict[str, Any]]) -> None:
        files.append_json(self._file, entries)
        for entry in entries:
            self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        entry = dict(entry)
        if "lane" in entry:
            trial, seed, fold = entry.pop("lane")
            self._results[trial, seed, fold] = LaneResult(**entry)
        elif "proposed" in entry:
            self.proposed[entry["cohort"]] = entry["proposed"]
        elif "stop" in entry:
            self.stops.append((entry["cohort"], entry["stop"]))
        else:
            self.seconds = entry["seconds"]
