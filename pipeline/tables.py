"""What a study found, as tables: the frames behind reports/trials.csv and reports/curves.csv."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.engine.results import Result
from thalweg.search.trials import Trial

CURVE = ("train_loss", "train_spread", "val_loss", "learning_rate")


def trials(config: Config, found: Sequence[Trial]) -> pd.DataFrame:
    """One row a trial: number, state, value, each searched parameter, epochs, diverged_step.

    After these each further objective; and where trials are pruned `pruned_at` (the epoch), and `audit`, what a pruned
    one came to that was trained on to see, within all limits.
    """
    names = [name for name, _ in spaces.ordered(config)]
    pruning = ["pruned_at", "audit"] if config.study.prune else []
    rows = [
        {
            "number": trial.outcome.number,
            "state": trial.state,
            "value": trial.outcome.value,
            **{name: trial.outcome.values.get(name) for name in names},
            "epochs": trial.epochs,
            "diverged_step": trial.diverged_step,
            **dict(zip(config.study.also, trial.outcome.scores[1:], strict=False)),
            "pruned_at": trial.pruned_at,
            "audit": trial.audit,
        }
        for trial in found
    ]
    columns = ["number", "state", "value", *names, "epochs", "diverged_step", *config.study.also, *pruning]
    whole = {name: "Int64" for name in ("diverged_step", "pruned_at") if name in columns}
    return pd.DataFrame(rows, columns=columns).astype(whole)


def curves(config: Config, lanes: Iterable[tuple[int | None, int, int, Result]]) -> pd.DataFrame:
    """One row a validation of a lane (trial, seed, fold, result), up to where the lane ended.

    Where the loss has several terms, with what was noted of each (`thalweg.training.composite_loss.curves`).
    """
    every = config.training.validate_every
    columns = [*CURVE[:3], *config.task.METRICS, CURVE[3]]
    parts = []
    for trial, seed, fold, one in lanes:
        reached = int(one["epochs"]) // every
        names = [*columns, *sorted(name for name in one["curves"] if name.startswith("term"))]
        part = pd.DataFrame({name: np.array(one["curves"][name][:reached], np.float64) for name in names})
        part.insert(0, "epoch", (np.arange(reached) + 1) * every)
        part.insert(0, "fold", fold)
        part.insert(0, "seed", seed)
        part.insert(0, "trial", trial)
        parts.append(part)
    return pd.concat(parts, ignore_index=True).astype({"trial": "Int64"})
