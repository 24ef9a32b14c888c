"""Measure what the process that leads a study spends, by the product's own functions.

It proposes trials and learns from them, writes journal and snapshots, publishes to Optuna's storage, and sends lanes to
workers. What only computes is measured in seconds of the processor, all else as the least of several times by the
clock. So other work on the machine counts little.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

FINISHED = (100, 1000, 10_000)
"""Finished trials at which asks are timed."""
COHORTS = (8, 64, 512)
EPOCHS = 27
TRIALS = 100  # to time what each trial takes
LARGE_LANES = 16
LARGE_WIDTH = 1280  # of the dense layers of a lane of some 3 million weights
CALLS = 200  # of a worker, to time one
REPEATS = 5  # of what is timed by the clock


def measure_costs(quick: bool) -> dict[str, Any]:
    """Measure all costs, each group in a process of its own."""
    costs: dict[str, Any] = {}
    for name in MEASURES:
        command = [sys.executable, "-m", "benchmarks.devices.costs", name, *(["--quick"] if quick else [])]
        process = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
        costs |= json.loads(process.stdout.splitlines()[-1])
    return costs


def measure_asks(quick: bool) -> dict[str, Any]:
    """Measure the milliseconds of an ask, by finished trials and those in training, and of a tell."""
    from benchmarks import case, engine
    from thalweg.search.samplers import OptunaSampler
    from thalweg.search.trials import Outcome

    sampler = OptunaSampler(engine.build_config("linear", 2, EPOCHS, prune=True))
    rows: list[dict[str, Any]] = []
    tells: list[float] = []

    def tell(first: int, proposals: Sequence[dict[str, Any]]) -> None:
        costs = [abs(values[engine.PATHS["momentum"]] - 0.5) for values in proposals]
        outcomes = [
            Outcome(number, values, "complete", (cost,), dict.fromkeys(range(1, EPOCHS + 1), cost))
            for number, (values, cost) in enumerate(zip(proposals, costs, strict=True), first)
        ]
        began = time.process_time()
        sampler.tell(outcomes)
        tells.append((time.process_time() - began) / len(outcomes))

    first = 0
    for finished in FINISHED[:1] if quick else FINISHED:
        drawn = [{engine.PATHS[name]: v for name, v in values.items()} for values in case.draw_trials(finished)]
        sampler.replay(first, drawn[first:])
        tell(first, drawn[first:])
        first = finished
        for cohort in COHORTS[:1] if quick else COHORTS:
            began = time.process_time()
            proposals = sampler.ask(first, cohort)
            ms = 1000 * (time.process_time() - began) / cohort
            rows.append({"finished": first, "training": (cohort - 1) // 2, "ms": ms})
            tell(first, proposals)
            first += cohort
    return {"ask": rows, "tell_ms": 1000 * float(sorted(tells)[len(tells) // 2])}


def measure_trials(quick: bool) -> dict[str, Any]:
    """Measure what a trial takes beside its asks and tells, and Optuna's storage: milliseconds a trial."""
    import numpy as np

    import thalweg  # noqa: F401
    from benchmarks import engine
    from thalweg.engine import population
    from thalweg.engine.results import LaneResult, TrainedLane, build_lane_result
    from thalweg.engine.state_folder import Journal
    from thalweg.search import cohorts
    from thalweg.search.samplers import OptunaSampler
    from thalweg.search.trials import build_scorer
    from thalweg.training import build

    count = 4 if quick else TRIALS
    config = engine.build_config("cnn", 2, EPOCHS, prune=True)
    spec, data = engine.prepare_data(config)
    proposals = OptunaSampler(config).ask(0, count)

    def add(values: dict[str, Any]) -> Any:
        changed = config.replace_values(values)
        plan, hyper = build.build_plan(changed, spec, data, searched=True), build.build_hyper(changed)
        return plan, population.init_lane(plan, hyper, 0, 0)

    plan, state = add(proposals[0])
    empty = build_lane_result(plan, state)
    curve = [1.0 / epoch for epoch in range(1, EPOCHS + 1)]
    result = LaneResult(dict.fromkeys(empty.curves, curve), EPOCHS, None, ended=True)
    lanes, scorer = (TrainedLane(0, 0, result),), build_scorer(config, np.ones(1))

    def judge(number: int) -> Any:
        scorer.score_rung(lanes, 9)
        return scorer.build_trial(number, proposals[number], lanes, None)

    trials = [judge(number) for number in range(count)]
    values = np.random.default_rng(0).standard_normal(COHORTS[0] if quick else COHORTS[-1])
    scores = {number: cohorts.Score((float(value),)) for number, value in enumerate(values)}
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        write = time_least(lambda number: journal.record_seconds(float(number)), range(count))
        results = {(trial, 0, 0): result for trial in range(count)}
        record = time_least(lambda _: journal.record_results(results), range(REPEATS))
    return {
        "add_ms": compute_mean(add, proposals),
        "judge_ms": compute_mean(judge, range(count)),
        "ranked": len(scores),
        "rank_ms": compute_mean(lambda _: cohorts.select_survivors(scores, 3), [0]),
        "write_ms": write,
        "result_ms": max(record - write, 0.0) / count,
        "storage_ms": dict(measure_storages(config, [trial.outcome for trial in trials])),
    }


def measure_storages(config: Any, outcomes: Sequence[Any]) -> Iterator[tuple[str, float]]:
    """Yield the milliseconds a trial of Optuna's storage: SQLite, and PostgreSQL where it is installed."""
    from tests.helpers import postgres
    from thalweg.search import optuna_storage

    def add_cohort(number: int) -> None:
        optuna_storage.add_trials(studies[number], config, outcomes)

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.ExitStack() as stack:
        for name in ("SQLite", *(["PostgreSQL"] if postgres.find_initdb() else [])):
            url = stack.enter_context(postgres.run_server()).url if name == "PostgreSQL" else "sqlite:///studies.db"
            os.environ["THALWEG_STORAGE"] = url
            named = [config.replace_values({"study.name": f"study {number}"}) for number in range(REPEATS)]
            studies = [optuna_storage.open_study(each, "benchmark") for each in named]
            yield name, time_least(add_cohort, range(REPEATS)) / len(outcomes)


def measure_bytes(quick: bool) -> dict[str, Any]:
    """Measure the bytes a second of a snapshot, and of a lane's state to a worker, each way."""
    import thalweg  # noqa: F401
    from benchmarks import engine
    from thalweg.engine import population, state_folder
    from thalweg.engine.resident import count_bytes
    from thalweg.system import parallel
    from thalweg.training import build

    count = 2 if quick else LARGE_LANES
    config = engine.build_config("mlp", 2, EPOCHS, prune=True, width=64 if quick else LARGE_WIDTH)
    spec, data = engine.prepare_data(config)
    plan = build.build_plan(config, spec, data, searched=True)
    hyper = build.build_hyper(config)
    states = [population.init_lane(plan, hyper, seed, 0) for seed in range(count)]
    size = count_bytes(states[0])
    lanes = {(trial, 0, 0): (plan, state) for trial, state in enumerate(states)}
    with tempfile.TemporaryDirectory() as folder:
        snapshot = time_least(lambda _: state_folder.write_snapshot(Path(folder), lanes), range(REPEATS))
    with parallel.start_processes(1) as worker:
        send_back(worker, states[0])  # which starts it
        transfer = time_least(lambda state: send_back(worker, state), states)
        call = time_least(lambda number: send_back(worker, number), range(CALLS))
    return {
        "lane_bytes": size,
        "snapshot_rate": 1000 * size * count / snapshot,
        "transfer_rate": 1000 * 2 * size / max(transfer - call, 1e-3),
        "call_ms": call,
    }


def send_back(worker: Executor, value: Any) -> Any:
    """Send a value to a worker, which sends it back."""
    return worker.submit(return_value, value).result()


def return_value(value: Any) -> Any:
    return value


def compute_mean(function: Callable[[Any], Any], inputs: Sequence[Any]) -> float:
    """Return the milliseconds of the processor that a call takes, the mean over all inputs."""
    began = time.process_time()
    for value in inputs:
        function(value)
    return 1000 * (time.process_time() - began) / len(inputs)


def time_least(function: Callable[[Any], Any], inputs: Sequence[Any]) -> float:
    """Return the milliseconds of the call that took least."""
    times = []
    for value in inputs:
        began = time.perf_counter()
        function(value)
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


MEASURES = {"asks": measure_asks, "trials": measure_trials, "bytes": measure_bytes}

if __name__ == "__main__":
    print(json.dumps(MEASURES[sys.argv[1]]("--quick" in sys.argv)))
