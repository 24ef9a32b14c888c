"""The runs of contestants, from results.json: which compare, and how."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

NAMES = {
    "ours": "this engine",
    "ours_kept": "this engine, with the compiled program of an earlier study",
    "torch_tuned": "Optuna + PyTorch, tuned by hand",
    "torch_official": "Optuna + PyTorch, as in Optuna's example",
    "flax_loop": "Optuna + Flax, one jitted step per trial",
    "ray_tune": "Ray Tune + Optuna + PyTorch",
}
TITLES = {"cnn": "The count CNN", "linear": "`linear`", "mlp": "`mlp`"}


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def select_runs(results: Mapping[str, Any], model: str, prune: bool) -> list[Row]:
    """Return the finished runs of one study; those of fewer trials are scaled to its number of trials."""
    rows = [row for row in results["contest"] if row["model"] == model and row["prune"] == prune and "seconds" in row]
    trials = max((row["trials"] for row in rows), default=0)
    return [row if row["trials"] == trials else scale_run(row, trials) for row in rows]


def scale_run(row: Row, trials: int) -> Row:
    """Return a run as if it had this many trials: all but starting grows with them. How good they are is unknown."""
    factor, start = trials / row["trials"], row.get("start_seconds", 0.0)
    scaled = {name: value for name, value in row.items() if name not in ("best", "winner")}
    scaled |= {"seconds": start + factor * (row["seconds"] - start), "epochs": factor * row["epochs"]}
    if "compile_seconds" in row:
        scaled["compile_seconds"] = factor * row["compile_seconds"]
    return scaled | {"trials": trials, "run_trials": row["trials"]}


def compute_ratios(rows: Sequence[Row], contestant: str) -> list[float]:
    """Return a contestant's seconds relative to this engine's, for each round that has both."""
    ours = {row["repeat"]: row["seconds"] for row in rows if row["contestant"] == "ours"}
    theirs = {row["repeat"]: row["seconds"] for row in rows if row["contestant"] == contestant}
    return [theirs[repeat] / ours[repeat] for repeat in sorted(ours.keys() & theirs.keys())]


def compute_trial_epoch(rows: Sequence[Row], contestant: str) -> float:
    """Return the median milliseconds per trial-epoch, without compiling and starting."""
    runs = [row for row in rows if row["contestant"] == contestant]
    return median(
        1000 * (row["seconds"] - row.get("compile_seconds", 0.0) - row.get("start_seconds", 0.0)) / row["epochs"]
        for row in runs
    )


def compute_median(rows: Sequence[Row], contestant: str, name: str) -> float | None:
    """Return a contestant's median of a number, over the runs that have it."""
    values = [row[name] for row in rows if row["contestant"] == contestant and name in row]
    return median(values) if values else None


def render_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
