"""The trials of a study as the table behind reports/trials.csv."""

from collections.abc import Sequence

import pandas as pd

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.search.trials import Trial


def trials_table(config: Config, found: Sequence[Trial]) -> pd.DataFrame:
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
