"""Ray Tune with OptunaSearch and PyTorch: one trial per core at a time."""

import os
import tempfile
import time
from typing import Any

os.environ |= {"RAY_AIR_NEW_OUTPUT": "0", "RAY_DEDUP_LOGS": "0", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1"}

import ray
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.optuna import OptunaSearch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import case
from benchmarks.contest import Request, count_cores, parse_request, print_answer
from benchmarks.peers.nets import LOSSES, build_network, load_arrays


def train(values: dict[str, Any], request: Request) -> None:
    """Train one trial in one of Ray's processes; `values` may have a `seed`."""
    torch.set_num_threads(1)
    if "seed" in values:
        torch.manual_seed(values["seed"])
    inputs, count = load_arrays()
    data_sets = [TensorDataset(inputs[rows], count[rows]) for rows in (slice(case.TRAIN), slice(case.TRAIN, None))]
    model = build_network(request.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=values["learning_rate"], momentum=values["momentum"])
    loss, best = LOSSES[values["loss"]], float("inf")
    batches = DataLoader(data_sets[0], batch_size=case.BATCH, shuffle=True)
    validation = DataLoader(data_sets[1], batch_size=case.VALIDATION)
    for _ in range(request.epochs):
        for images, targets in batches:
            optimizer.zero_grad()
            loss(model(images), targets).backward()
            optimizer.step()
        with torch.no_grad():
            errors = [(model(images) - targets).abs().mean().item() for images, targets in validation]
        error = sum(errors) / len(errors)
        best = min(best, error)
        tune.report({"error": error, "best": best})


def train_winner(request: Request, values: dict[str, Any]) -> list[float]:
    """Train the best trial's values with other seeds."""
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(train, request=request), {"cpu": 1}),
        param_space=values | {"seed": tune.grid_search(list(range(1, request.winner_seeds + 1)))},
        run_config=tune.RunConfig(verbose=0),
    )
    return [(result.metrics or {})["best"] for result in tuner.fit()]


def main() -> None:
    request = parse_request()
    began = time.perf_counter()
    ray.init(num_cpus=count_cores(), include_dashboard=False, log_to_driver=False, configure_logging=False)
    start = time.perf_counter() - began
    fixed_trials = None if request.prune else case.draw_trials(request.trials)
    space = {
        "loss": tune.choice(list(case.LOSSES)),
        "learning_rate": tune.loguniform(*case.RATE),
        "momentum": tune.uniform(*case.MOMENTUM),
    }
    search = OptunaSearch(metric="error", mode="min", points_to_evaluate=fixed_trials, seed=0)
    asha = ASHAScheduler(metric="error", mode="min", max_t=request.epochs, grace_period=case.FIRST, reduction_factor=3)
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(train, request=request), {"cpu": 1}),
            param_space=space,
            tune_config=tune.TuneConfig(
                num_samples=request.trials,
                search_alg=ConcurrencyLimiter(search, max_concurrent=count_cores()),
                scheduler=asha if request.prune else None,
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        results = tuner.fit()
        seconds = time.perf_counter() - began
        rows = [result.metrics or {} for result in results]
        epochs = sum(row.get("training_iteration", 0) for row in rows)
        best = min(results, key=lambda result: (result.metrics or {}).get("best", float("inf"))).config
        winner = train_winner(request, best or {}) if request.winner_seeds else []
        print_answer(seconds, epochs, [row.get("best") for row in rows], winner, start_seconds=start)
    ray.shutdown()


if __name__ == "__main__":
    main()
