"""A contestant's command line, and its answer as one line of JSON."""

import argparse
import json
import math
import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.case import MODELS

BEST = 8
"""Trials of a study whose mean is its result: a single best trial owes more to luck."""


@dataclass(frozen=True)
class Request:
    """The study to run: `trials` of `epochs` epochs, with pruning or with the values of `case.trials`.

    Afterwards the winner is trained on `winner_seeds` other seeds, to the end.
    """

    model: str
    trials: int
    epochs: int
    prune: bool
    winner_seeds: int
    more: dict[str, Any]


def parse_request(**more: Any) -> Request:
    """Parse the command line. `more` has a contestant's own options with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, default="cnn")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--prune", action="store_true")
    parser.add_argument("--winner-seeds", type=int, default=0)
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = vars(parser.parse_args())
    study = {name: options.pop(name) for name in ("model", "trials", "epochs", "prune", "winner_seeds")}
    return Request(**study, more=options)


def print_answer(
    seconds: float, epochs: int, errors: Iterable[float | None], winner: Sequence[float], **more: float
) -> None:
    """Print a study's seconds from ready data to its end, its trials, its trained epochs, and how good its trials are.

    `errors` are each trial's least error, up to its stop if it was stopped, None if it has none; those of the `winner`
    are from other seeds, after the study. `more` may have `compile_seconds` and `start_seconds`, parts of `seconds`.
    """
    every = [math.inf if error is None else error for error in errors]
    values = {
        "seconds": seconds,
        "trials": len(every),
        "epochs": epochs,
        "best": statistics.fmean(sorted(every)[:BEST]),
    }
    values |= ({"winner": statistics.fmean(winner)} if winner else {}) | more
    print(json.dumps({name: round(value, 4) for name, value in values.items()}), flush=True)


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
