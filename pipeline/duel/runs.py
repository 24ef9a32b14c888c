"""Run a command once with a seed, and read its metrics."""

import json
import math
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thalweg.duel.side import SEED_MARK, Side
from thalweg.system import files
from thalweg.system.guarded import run_guarded

SHELL = ("/bin/sh", "-c")
LAST_LINES = 3
"""Lines of standard error that explain a failure."""
SIDE_MARK = "{side}"


@dataclass(frozen=True)
class RunOptions:
    """How to run: the variable with the seed, the file with the metrics ('': standard output), the time limit [s]."""

    seed_variable: str = "SEED"
    metric_file: str = ""
    timeout: float | None = None


@dataclass(frozen=True)
class Run:
    """A run that ended: its metrics by dotted name, or why it `failed`."""

    key: str
    seed: int
    metrics: dict[str, float] = field(default_factory=dict)
    failed: str = ""
    seconds: float = 0.0


def run_side(side: Side, seed: int, options: RunOptions, is_over: threading.Event) -> Run | None:
    """Run a side with a seed. None if `is_over` was set before its end."""
    began, metrics, errors = time.monotonic(), dict[str, float](), list[str]()
    file = _fill_marks(options.metric_file, side, seed)
    if file:
        files.remove_file(Path(file))  # a run that writes none must not get another one's

    def receive(stream: str, line: str) -> None:
        if stream == "errors":
            errors.append(line)
        elif line.lstrip().startswith("{"):
            metrics.update(read_metrics(line))

    def should_end() -> bool:
        return is_over.is_set() or (options.timeout is not None and time.monotonic() - began > options.timeout)

    environment = os.environ | {options.seed_variable: str(seed)}
    command = [*SHELL, _fill_marks(side.command, side, seed)]
    code = run_guarded(command, Path(), environment, receive, should_end)
    seconds = round(time.monotonic() - began, 1)
    if code is None and is_over.is_set():
        return None
    if code is None:
        return Run(side.key, seed, failed=f"took longer than {options.timeout:g} s", seconds=seconds)
    if code:
        last = " ".join(line.strip() for line in errors[-LAST_LINES:])
        return Run(side.key, seed, failed=f"exit code {code}: {last}".rstrip(": "), seconds=seconds)
    if file and files.path_exists(Path(file)):
        metrics = read_metrics(files.read_bytes(Path(file)).decode(errors="replace"))
    return Run(side.key, seed, metrics, "" if metrics else _explain_no_metrics(file), seconds)


def _explain_no_metrics(file: str) -> str:
    return f"{file} holds no JSON object with numbers" if file else "it printed no line with a JSON object of numbers"


def _fill_marks(text: str, side: Side, seed: int) -> str:
    return text.replace(SEED_MARK, str(seed)).replace(SIDE_MARK, side.name.lower())


def read_metrics(text: str) -> dict[str, float]:
    """Read the numbers of a JSON object by dotted name; what is no such object has none."""
    try:
        return dict(_list_numbers(json.loads(text)))
    except ValueError:
        return {}


def _list_numbers(node: Any, name: str = "") -> list[tuple[str, float]]:
    if isinstance(node, dict):
        return [
            pair for key, value in node.items() for pair in _list_numbers(value, f"{name}.{key}" if name else str(key))
        ]
    is_number = isinstance(node, int | float) and not isinstance(node, bool)
    return [(name, float(node))] if name and is_number else []


def find_value(run: Run, metric: str) -> float | None:
    """Return the metric of a run; None if the run failed, or the metric is not finite."""
    value = run.metrics.get(metric)
    return value if value is not None and math.isfinite(value) and not run.failed else None
