"""Simulate studies with a known truth; count how often the report's claims are false or right, and intervals hold.

python -m benchmarks.calibration.run              about an hour on two cores; goes on where an earlier run ended
python -m benchmarks.calibration.run --hours 8    as many more studies of each row
python -m benchmarks.calibration.run --only gp    rows whose names contain this, anew
python -m benchmarks.calibration.run --share 0.05 a quick look, printed only

Each row is kept in results.json with its date, commit and seconds, and shown in RESULTS.md. A row of this commit that
has as many studies is not simulated again. The monitor's verdicts come last.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import run
from benchmarks.calibration import bounded, claims, effects, monitor, rows, verdicts
from benchmarks.calibration.bounded import BoundedRow
from benchmarks.calibration.effects import EffectRow
from benchmarks.calibration.outcome import Counts
from benchmarks.calibration.rows import Row
from benchmarks.calibration.table import render_row
from benchmarks.calibration.verdicts import VerdictRow

HOURS = 1.0
"""What all rows take on two cores."""
FILE = run.HERE / "results.json"
AnyRow = Row | EffectRow | VerdictRow | BoundedRow
COUNT: Mapping[type[AnyRow], Callable[[Any, int], Counts]] = {
    Row: claims.count_study,
    EffectRow: effects.count_study,
    VerdictRow: verdicts.count_study,
    BoundedRow: bounded.count_study,
}


def list_rows() -> list[AnyRow]:
    return [*rows.list_rows(), *effects.ROWS, *verdicts.list_rows(), *bounded.list_rows()]


def simulate_row(pool: ProcessPoolExecutor, row: AnyRow, studies: int) -> dict[str, Any]:
    """Simulate the studies of a row; return their counts with date, commit and seconds."""
    began, total = time.perf_counter(), defaultdict[str, list[int]](list)
    for counts in pool.map(partial(COUNT[type(row)], row), range(studies), chunksize=2):
        for name, numbers in counts.items():
            total[name] = [a + b for a, b in zip(total[name] or [0] * len(numbers), numbers, strict=True)]
    return {
        "row": row.name,
        "studies": studies,
        "counts": total,
        "is_bounded": isinstance(row, BoundedRow),
        "commit": read_commit(),
        "measured": time.strftime("%Y-%m-%d"),
        "seconds": round(time.perf_counter() - began, 1),
    }


def read_commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=run.ROOT, capture_output=True, text=True, check=True).stdout.strip()


def keep_row(row: dict[str, Any], order: Sequence[str]) -> None:
    """Put a row into results.json and RESULTS.md, in place of an older one of its name."""
    record = json.loads(FILE.read_text())
    kept = {old["row"]: old for old in record.get("calibration", [])} | {row["row"]: row}
    record["calibration"] = [kept[name] for name in order if name in kept]
    run.write_results(FILE, record)


def keep_monitor() -> None:
    """Measure the monitor's verdicts, and put their counts into results.json and RESULTS.md."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        counts = monitor.count_verdicts(monitor.measure_runs(Path(folder)))
    record = json.loads(FILE.read_text())
    seconds = round(time.perf_counter() - began, 1)
    measured = {"commit": read_commit(), "measured": time.strftime("%Y-%m-%d"), "seconds": seconds}
    run.write_results(FILE, record | {"monitor": {"counts": counts, **measured}})


def find_kept(name: str) -> dict[str, Any]:
    """Return what results.json has of a row; nothing if it has none."""
    return next((row for row in json.loads(FILE.read_text()).get("calibration", []) if row["row"] == name), {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=HOURS, help="on two cores; more hours, more studies of each row")
    parser.add_argument("--share", type=float, default=0.0, help="share of each row's studies, printed only")
    parser.add_argument("--only", default="", help="rows whose names contain this, anew")
    options = parser.parse_args()
    listed = list_rows()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for row in listed:
            studies, kept = max(2, round(row.studies * (options.share or options.hours / HOURS))), find_kept(row.name)
            is_done = kept.get("commit") == read_commit() and kept["studies"] >= studies
            if options.only not in row.name or (is_done and not options.only and not options.share):
                continue
            measured = simulate_row(pool, row, studies)
            print(render_row(measured), flush=True)
            if not options.share:
                keep_row(measured, [row.name for row in listed])
    is_current = json.loads(FILE.read_text()).get("monitor", {}).get("commit") == read_commit()
    if not (options.only or options.share or is_current):
        keep_monitor()


if __name__ == "__main__":
    main()
