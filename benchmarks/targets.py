"""The table of targets in RESULTS.md: which are met."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.runs import (
    NAMES,
    TITLES,
    compute_median,
    compute_ratios,
    compute_trial_epoch,
    median,
    render_table,
    select_runs,
)

MIN_RATIOS = {
    ("cnn", False): {"torch_tuned": 1.2, "torch_official": 3.0, "flax_loop": 3.0},
    ("linear", False): {"torch_tuned": 2.5},
    ("mlp", False): {"torch_tuned": 1.3},
    ("linear", True): {"torch_tuned": 1.3},
    ("mlp", True): {"torch_tuned": 1.3},
}
"""Least seconds of a contestant, relative to this engine, by model and pruning."""
MAX_COMPILE_SECONDS = {"linear": 0.8, "mlp": 1.0, "cnn": 1.5}
MAX_FLOOR_RATIO = 2.2  # of the CNN's time
MAX_ERROR_RATIO = 1.01  # of the best eight trials, to PyTorch's
MAX_ASK_MILLISECONDS = {3000: 30.0, 10_000: 50.0}
MAX_HOST_MILLISECONDS = 2.0  # a trial, of 1,000
MAX_OUTSIDE_PERCENT = 5.0  # of the default study
MAX_WHOLE_SECONDS = 250.0
MAX_START_SECONDS = 1.5  # of a stage
MAX_PHOTO_SECONDS = 8.0  # of the processor, for 1,000
MAX_MEMORY_RATIO = 1.3


@dataclass(frozen=True)
class Target:
    """A measured value and its limit; with `is_least` the value must reach it, else it must not exceed it."""

    name: str
    value: float
    limit: float
    unit: str
    is_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.is_least else self.value <= self.limit


def render_targets(results: Mapping[str, Any]) -> str:
    """Return the table of all targets that were measured."""
    targets = [*list_contest_targets(results), *list_scaling_targets(results), *list_stage_targets(results)]
    lines = [
        [
            target.name,
            f"at {'least' if target.is_least else 'most'} {target.limit:g}{target.unit}",
            f"{target.value:.2f}{target.unit}",
            "yes" if target.is_met else "**no**",
        ]
        for target in targets
    ]
    return "## Targets\n\n" + render_table(["", "target", "measured", "met"], lines) if lines else ""


def list_contest_targets(results: Mapping[str, Any]) -> Iterator[Target]:
    """Yield the targets of speed and of how good the trials are, beside other tools."""
    for (model, prune), limits in MIN_RATIOS.items():
        title = f"{TITLES[model]}{', pruned' if prune else ''}"
        rows = select_runs(results, model, prune)
        for contestant, limit in limits.items():
            if ratios := compute_ratios(rows, contestant):
                yield Target(f"{title}: {NAMES[contestant]}", median(ratios), limit, " x", is_least=True)
    for model, limit in MAX_COMPILE_SECONDS.items():
        seconds = compute_median(select_runs(results, model, False), "ours", "compile_seconds")
        if seconds is not None:
            yield Target(f"{TITLES[model]}: compiling", seconds, limit, " s")
    for model in ("mlp", "cnn"):
        rows = select_runs(results, model, False)
        ours, theirs = (compute_median(rows, name, "best") for name in ("ours", "torch_tuned"))
        if ours is not None and theirs is not None:
            yield Target(f"{TITLES[model]}: error relative to PyTorch", ours / theirs, MAX_ERROR_RATIO, " x")
    rows = select_runs(results, "cnn", False)
    if results["floor"] and any(row["contestant"] == "ours" for row in rows):
        rate = max(row["rate"] for row in results["floor"])
        floor = 1000 * results["floor"][0]["operations"]["cnn"]["train"] / rate
        ratio = compute_trial_epoch(rows, "ours") / floor
        yield Target(f"{TITLES['cnn']}: time relative to the floor of training", ratio, MAX_FLOOR_RATIO, " x")


def list_scaling_targets(results: Mapping[str, Any]) -> Iterator[Target]:
    """Yield the targets of the time outside compiled programs."""
    for row in (row for row in results["scaling"] if "error" not in row):
        if row["table"] == "ask" and row["trials"] in MAX_ASK_MILLISECONDS:
            limit = MAX_ASK_MILLISECONDS[row["trials"]]
            yield Target(f"One ask of TPE at {row['trials']:,} trials", median(row["ms"]), limit, " ms")
        if row["table"] == "outside":
            share = 100 * row["outside_share"]
            yield Target("Default study: outside compiled programs", share, MAX_OUTSIDE_PERCENT, " %")
        if row["table"] == "host" and row["trials"] == 1000:
            name = f"Host time per trial at 1,000 trials, {row['sampler']}"
            yield Target(name, row["outside_ms_a_trial"], MAX_HOST_MILLISECONDS, " ms")


def list_stage_targets(results: Mapping[str, Any]) -> Iterator[Target]:
    """Yield the targets of the whole pipeline, of reading, and of memory."""
    if runs := results.get("whole_runs", []):
        last = runs[-1]
        yield Target("`dvc repro` of the default, from nothing", last["seconds"], MAX_WHOLE_SECONDS, " s")
        slowest = max(last["stages"], key=lambda name: last["stages"][name]["seconds"]["start"])
        start = last["stages"][slowest]["seconds"]["start"]
        yield Target(f"Start and imports of a stage, the slowest ({slowest})", start, MAX_START_SECONDS, " s")
    for row in results.get("reading", []):
        if "cpu_seconds" in row:
            seconds = row["cpu_seconds"] * 1000 / row["photos"]
            yield Target("`prepare`, 1,000 photos: seconds of the processor", seconds, MAX_PHOTO_SECONDS, " s")
        else:
            name = f"Memory from prepare to study over pixels, {row['images']:,} images of {row['size']}²"
            ratio = max(row[stage] for stage in ("prepare", "augment", "train", "study"))
            yield Target(name, ratio, MAX_MEMORY_RATIO, " x")
