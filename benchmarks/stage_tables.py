"""The tables of the whole pipeline in RESULTS.md: where its seconds go, how it reads, how much memory it takes."""

from collections.abc import Mapping
from typing import Any

from benchmarks.runs import Row, render_table
from benchmarks.whole_run import PARTS

STAGES = ("prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report")


def render_whole_runs(results: Mapping[str, Any]) -> str:
    """Return a table for each run of the whole pipeline."""
    runs = results.get("whole_runs", [])
    text = (
        "## The default, whole\n\n`dvc repro` in a new clone: seconds of each stage by part. A thread of the stage "
        "looks every 3 ms at what its main thread does. `run` is waiting for compiled programs, `host` is all other "
        "work of Python; DVC's own work is in the last row."
    )
    return "\n\n".join([text, *map(_render_whole_run, runs)]) if runs else ""


def _render_whole_run(run: Row) -> str:
    table = []
    stages = {name: run["stages"][name]["seconds"] for name in STAGES if name in run["stages"]}
    sums = {part: sum(seconds.get(part, 0.0) for seconds in stages.values()) for part in PARTS}
    for name, seconds in {**stages, "all stages": sums}.items():
        parts = [seconds.get(part, 0.0) for part in PARTS]
        table.append([name, *(f"{part:.1f}" for part in parts), f"{sum(parts):.1f}"])
    table.append(["with DVC", *[""] * len(PARTS), f"{run['seconds']:.1f}"])
    return f"Commit {run['commit']}:\n\n" + render_table(["", *PARTS, "sum [s]"], table)


def render_reading(results: Mapping[str, Any]) -> str:
    """Return what `prepare` takes for photos, and the memory of the stages."""
    rows = results.get("reading", [])
    photos = [row for row in rows if "cpu_seconds" in row]
    parts = [
        f"## Reading and memory\n\n`prepare` reads {row['photos']:,} JPEGs of 1280 x 720 in {row['seconds']:.1f} s. "
        f"This takes {row['cpu_seconds']:.1f} s of the processor, on {row['cores_used']:.1f} of {row['cores']} cores."
        for row in photos
    ]
    memory = [row for row in rows if "pixels_mib" in row]
    if memory:
        stages = [name for name in STAGES if name in memory[0]]
        table = [
            [f"{row['images']:,} of {row['size']} x {row['size']}", f"{row['pixels_mib']:.0f}"]
            + [f"{row[stage]:.2f}" for stage in stages]
            for row in memory
        ]
        parts.append(
            "Memory that a stage takes for each byte of pixels (of its peak, without programs and libraries):\n\n"
            + render_table(["images", "pixels [MiB]", *stages], table)
        )
    return "\n\n".join(parts)
