"""Simulate studies with a known truth; count how often the report's claims are false or right, and intervals hold.

python -m benchmarks.calibration.run              about an hour on two cores; writes calibration.json and CALIBRATION.md
python -m benchmarks.calibration.run --share 0.05 a quick look, printed only
"""

import argparse
import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scipy.special import betaincinv

from benchmarks.calibration.claims import CLAIMS, build_study, list_intervals
from benchmarks.calibration.rows import Row, list_rows
from benchmarks.calibration.simulate import Simulation, build_config

HERE = Path(__file__).parent
FALSE_GOAL = 0.05
HOLD_GOALS = (0.92, 0.98)
Counts = dict[str, list[int]]
"""By claim: studies in which it was said and false, all studies, said and right, and sayable; of an interval: in which
it holds, and all."""


def simulate_study(row: Row, seed: int) -> Counts:
    """Simulate one study; return its counts."""
    simulation = Simulation(row.world, build_config(seed, row.build_changes()), has_test=row.has_test)
    study = build_study(simulation)
    counts: Counts = {}
    for name, judge in CLAIMS.items():
        outcome = judge(study)
        right = outcome.is_said and outcome.is_true and outcome.is_sayable
        counts[name] = [int(outcome.is_said and not outcome.is_true), 1, int(right), int(outcome.is_sayable)]
    return counts | {name: [int(holds), 1] for name, holds in list_intervals(study).items()}


def simulate_row(pool: ProcessPoolExecutor, row: Row, studies: int) -> dict[str, Any]:
    """Simulate the studies of a row; return their counts and seconds."""
    began, total = time.perf_counter(), defaultdict[str, list[int]](list)
    for counts in pool.map(simulate_study, [row] * studies, range(studies), chunksize=4):
        for name, numbers in counts.items():
            total[name] = [a + b for a, b in zip(total[name] or [0] * len(numbers), numbers, strict=True)]
    return {"row": row.name, "studies": studies, "seconds": round(time.perf_counter() - began, 1), "counts": total}


def bound_share(count: int, total: int) -> tuple[float, float]:
    """Return the exact 95 % bounds of a share (Clopper and Pearson 1934)."""
    low = float(betaincinv(count, total - count + 1, 0.025)) if count else 0.0
    return low, float(betaincinv(count + 1, total - count, 0.975)) if count < total else 1.0


def format_share(count: int, total: int) -> str:
    if not total:
        return "–"
    low, high = bound_share(count, total)
    return f"{100 * count / total:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def is_met(numbers: Sequence[int]) -> bool:
    """Return whether a cell's exact bound does not lie wholly beyond its goal."""
    low, high = bound_share(numbers[0], numbers[1])
    return low <= FALSE_GOAL if len(numbers) == 4 else high >= HOLD_GOALS[0] and low <= HOLD_GOALS[1]


def render_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table: one line for each claim or interval of each row."""
    lines = [
        "| studies | n | claim | said, and false | said where true | holds | met |",
        "|---|---:|---|---|---|---|---|",
    ]
    for row in rows:
        for name, numbers in row["counts"].items():
            first, second = format_share(*numbers[:2]), format_share(*numbers[2:]) if len(numbers) == 4 else ""
            cells = [first, second, ""] if len(numbers) == 4 else ["", "", first]
            met = "yes" if is_met(numbers) else "**no**"
            lines.append(f"| {row['row']} | {row['studies']} | {name} | {' | '.join(cells)} | {met} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="share of each row's studies; above 1: more")
    parser.add_argument("--only", default="", help="rows whose names contain this")
    options = parser.parse_args()
    began, rows = time.perf_counter(), []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for row in list_rows():
            if options.only in row.name:
                rows.append(simulate_row(pool, row, max(2, round(row.studies * options.share))))
                print(render_table(rows[-1:]), flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    record: dict[str, Any] = {"commit": commit.strip(), "measured": time.strftime("%Y-%m-%d"),
              "seconds": round(time.perf_counter() - began), "rows": rows}  # fmt: skip
    if options.share >= 1 and not options.only:
        (HERE / "calibration.json").write_text(json.dumps(record, indent=1) + "\n")
        head = f"Measured on {record['measured']} at {record['commit']} in {record['seconds'] / 60:.0f} minutes.\n\n"
        (HERE / "CALIBRATION.md").write_text(f"# Calibration\n\n{head}{render_table(rows)}")


if __name__ == "__main__":
    main()
