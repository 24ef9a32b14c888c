"""What a study found, as tables: the frames behind reports/trials.csv and reports/curves.csv."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from pipeline.config import Config
from pipeline.search import spaces
from pipeline.search.study import Result, Trial

CURVE = ("train_loss", "train_spread", "val_loss", "learning_rate")


def trials(config: Config, found: Sequence[Trial]) -> pd.DataFrame:
    """One row a trial: number, state, value, each searched parameter, epochs, diverged_step."""
    names = [name for name, _ in spaces.ordered(config)]
    rows = [
        {
            "number": trial.outcome.number,
            "state": "diverged" if trial.outcome.value is None else "complete",
            "value": trial.outcome.value,
            **{name: trial.outcome.values.get(name) for name in names},
            "epochs": trial.epochs,
            "diverged_step": trial.diverged_step,
        }
        for trial in found
    ]
    frame = pd.DataFrame(rows, columns=["number", "state", "value", *names, "epochs", "diverged_step"])
    return frame.astype({"diverged_step": "Int64"})


def curves(config: Config, lanes: Iterable[tuple[int | None, int, int, Result]]) -> pd.DataFrame:
    """One row a validation of a lane (trial, seed, fold, result), up to where the lane ended."""
    every = config.training.validate_every
    columns = [*CURVE[:3], *config.task.METRICS, CURVE[3]]
    parts = []
    for trial, seed, fold, one in lanes:
        reached = int(one["epochs"]) // every
        part = pd.DataFrame({name: np.array(one["curves"][name][:reached], np.float64) for name in columns})
        part.insert(0, "epoch", (np.arange(reached) + 1) * every)
        part.insert(0, "fold", fold)
        part.insert(0, "seed", seed)
        part.insert(0, "trial", trial)
        parts.append(part)
    return pd.concat(parts, ignore_index=True).astype({"trial": "Int64"})
