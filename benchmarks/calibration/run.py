"""Simulate studies with a known truth; count how often the report's claims are false or right, and intervals hold.

python -m benchmarks.calibration.run              about an hour on two cores; goes on where an earlier run ended
python -m benchmarks.calibration.run --hours 8    as many more studies of each row
python -m benchmarks.calibration.run --only gp    rows whose names contain this, anew
python -m benchmarks.calibration.run --share 0.05 a quick look, printed only

Each row is kept in results.json with its date, commit and seconds, and shown in RESULTS.md. A row of this commit that
has as many studies is not simulated again.
"""

import argparse
import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from benchmarks import run
from benchmarks.calibration import bounded, rows
from benchmarks.calibration.bounded import BoundedRow
from benchmarks.calibration.claims import CLAIMS, build_study, list_intervals
from benchmarks.calibration.rows import Row
from benchmarks.calibration.simulate import Simulation, build_config
from benchmarks.calibration.table import render_row

HOURS = 1.0
"""What all rows take on two cores."""
FILE = run.HERE / "results.json"
Counts = dict[str, list[int]]
"""By claim: studies in which it was said and false, all studies, said and right, and sayable; of an interval: in which
it holds, and all."""


def simulate_study(row: Row | BoundedRow, seed: int) -> Counts:
    """Simulate one study; return its counts."""
    if isinstance(row, BoundedRow):
        return {name: [int(holds), 1] for name, holds in bounded.judge_intervals(row, seed).items()}
    simulation = Simulation(row.world, build_config(seed, row.build_changes()), has_test=row.has_test)
    study, counts = build_study(simulation), Counts()
    for name, judge in CLAIMS.items():
        outcome = judge(study)
        if outcome is not None:
            right = outcome.is_said and outcome.is_true and outcome.is_sayable
            counts[name] = [int(outcome.is_said and not outcome.is_true), 1, int(right), int(outcome.is_sayable)]
    return counts | {name: [int(holds), 1] for name, holds in list_intervals(study).items()}


def simulate_row(pool: ProcessPoolExecutor, row: Row | BoundedRow, studies: int) -> dict[str, Any]:
    """Simulate the studies of a row; return their counts with date, commit and seconds."""
    began, total = time.perf_counter(), defaultdict[str, list[int]](list)
    for counts in pool.map(simulate_study, [row] * studies, range(studies), chunksize=2):
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


def find_kept(name: str) -> dict[str, Any]:
    """Return what results.json has of a row; nothing if it has none."""
    return next((row for row in json.loads(FILE.read_text()).get("calibration", []) if row["row"] == name), {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=HOURS, help="on two cores; more hours, more studies of each row")
    parser.add_argument("--share", type=float, default=0.0, help="share of each row's studies, printed only")
    parser.add_argument("--only", default="", help="rows whose names contain this, anew")
    options = parser.parse_args()
    listed: list[Row | BoundedRow] = [*rows.list_rows(), *bounded.list_rows()]
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


if __name__ == "__main__":
    main()
