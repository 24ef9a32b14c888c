"""A contestant's command line, and its answer as one line of JSON."""

import argparse
import json
import os
from dataclasses import dataclass
from typing import Any

from benchmarks.case import MODELS


@dataclass(frozen=True)
class Request:
    """The study to run: `trials` of `epochs` epochs, with pruning or with the values of `case.trials`."""

    model: str
    trials: int
    epochs: int
    prune: bool
    more: dict[str, Any]


def parse_request(**more: Any) -> Request:
    """Parse the command line. `more` has a contestant's own options with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, default="cnn")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--prune", action="store_true")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = vars(parser.parse_args())
    study = {name: options.pop(name) for name in ("model", "trials", "epochs", "prune")}
    return Request(**study, more=options)


def print_answer(seconds: float, trials: int, epochs: int, best: float, **more: float) -> None:
    """Print a study's seconds from ready data to its end, its trials, trained epochs and best value.

    `more` may have `compile_seconds` and `start_seconds`, which are parts of `seconds`.
    """
    values = {"seconds": seconds, "trials": trials, "epochs": epochs, "best": best} | more
    print(json.dumps({name: round(value, 4) for name, value in values.items()}), flush=True)


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
