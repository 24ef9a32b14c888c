"""This engine as contestant: the whole study with journal, snapshots and Optuna's storage, like `thalweg study`."""

import os
import tempfile
import time
from pathlib import Path

import thalweg  # noqa: F401  before JAX: it sets XLA's environment variables
from benchmarks import engine
from benchmarks.contest import parse_request, print_answer
from thalweg.search import publisher, study, trials


def main() -> None:
    request = parse_request(cohort=0, in_flight=0)
    config = engine.build_config(request.model, request.trials, request.epochs, prune=request.prune)
    # with pruning, a second cohort uses the cores that the survivors of the first leave idle
    changes = {"study.in_flight": request.more["in_flight"] or (2 if request.prune else 1)}
    if request.more["cohort"]:
        changes["study.cohort"] = request.more["cohort"]
    config = config.replace_values(changes)
    shape, data = engine.prepare_data(config)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # Optuna's storage is below the current folder
        began = time.perf_counter()
        with publisher.Publisher(config, "benchmark") as callback:
            result = study.run_trials(config, shape, data, Path(folder, "state"), (callback,))
        seconds = time.perf_counter() - began
        os.chdir("/")
    best = trials.rank_trials(config, result.trials)[0].outcome.value
    assert best is not None
    epochs = sum(trial.epochs_spent for trial in result.trials)
    print_answer(seconds, len(result.trials), epochs, best, compile_seconds=engine.sum_compile_seconds())


if __name__ == "__main__":
    main()
