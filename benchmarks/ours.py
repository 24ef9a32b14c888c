"""This engine as contestant: the whole study with journal, snapshots and Optuna's storage, like `thalweg study`."""

import os
import tempfile
import time
from pathlib import Path

import thalweg  # noqa: F401  before JAX: it sets XLA's environment variables
from benchmarks import engine
from benchmarks.contest import parse_request, print_answer
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.engine import population
from thalweg.engine.devices import copy_to_devices
from thalweg.search import publisher, study, trials
from thalweg.training import build
from thalweg.training.plan import TrainingData


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
    compile_seconds = engine.sum_compile_seconds()
    best = trials.rank_trials(config, result.trials)[0].outcome
    winner = train_winner(config.replace_values(best.values), shape, data, request.winner_seeds)
    epochs = sum(trial.epochs_spent for trial in result.trials)
    errors = [trial.outcome.value for trial in result.trials]
    print_answer(seconds, epochs, errors, winner, compile_seconds=compile_seconds)


def train_winner(config: Config, shape: DataSpec, data: TrainingData, seeds: int) -> list[float]:
    """Train the best trial's values with other seeds, as lanes of the study's program."""
    plan, hyper = build.build_plan(config, shape, data, searched=True), build.build_hyper(config)
    starts = [population.init_lane(plan, hyper, rng.derive_seed(config.seed, "winner", i), 0) for i in range(seeds)]
    ends = population.advance_lanes(plan, [hyper] * seeds, starts, copy_to_devices(data), [plan.epochs] * seeds)
    return [float(state.best_value) for state in ends]


if __name__ == "__main__":
    main()
