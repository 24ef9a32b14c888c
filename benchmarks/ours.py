"""This engine as contestant: the whole study with journal, snapshots and Optuna's storage, like `thalweg study`."""

import os
import tempfile
import time
from pathlib import Path

import thalweg  # noqa: F401  before JAX: it sets XLA's environment variables
from benchmarks import engine
from benchmarks.contest import answer, asked
from thalweg.search import optuna_storage, study, trials


def main() -> None:
    wanted = asked(cohort=0, in_flight=0)
    config = engine.config(wanted.model, wanted.trials, wanted.epochs, prune=wanted.prune)
    # with pruning, a second cohort uses the cores that the survivors of the first leave idle
    own = {"study.in_flight": wanted.more["in_flight"] or (2 if wanted.prune else 1)}
    if wanted.more["cohort"]:
        own["study.cohort"] = wanted.more["cohort"]
    config = config.replace_values(own)
    shape, data = engine.prepared(config)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # Optuna's storage is below the current folder
        began = time.perf_counter()
        with optuna_storage.Publisher(config, "benchmark") as publisher:
            studied = study.run_trials(config, shape, data, Path(folder, "state"), (publisher,))
        seconds = time.perf_counter() - began
        os.chdir("/")
    best = trials.rank_trials(config, studied.trials)[0].outcome.value
    assert best is not None
    epochs = sum(trial.epochs_spent for trial in studied.trials)
    answer(seconds, len(studied.trials), epochs, best, compile_seconds=engine.compiling())


if __name__ == "__main__":
    main()
