"""Measure what Ray costs: the same segments of a study on local workers and on Ray's, in turn.

`python -m benchmarks.launchers` takes about five minutes, and adds its table to results.json and RESULTS.md.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ray.cluster_utils import Cluster

import thalweg  # noqa: F401
from benchmarks import engine, run
from benchmarks.load import measure_others
from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.engine.launchers import Workers
from thalweg.engine.launchers.local import start_local_workers
from thalweg.engine.launchers.ray import start_ray_workers
from thalweg.system import runtime
from thalweg.training import build

WORKERS = 2
LANES = 16
SEGMENT_EPOCHS = 2


def measure_launchers(rounds: int, address: str) -> dict[str, Any]:
    """Return seconds by launcher; each round advances the same lanes by a segment with each, in changing order.

    `address` is that of Ray's cluster.
    """
    config = engine.build_config("cnn", LANES, SEGMENT_EPOCHS * (rounds + 1))
    spec, host_data = engine.prepare_data(config)
    program = build.build_plan(config, spec, host_data, searched=True)
    hypers = [build.build_hyper(config.replace_values(values)) for values in [{}, *config.study.enqueue][:LANES]]
    begun = [population.init_lane(program, hyper, 0, 0) for hyper in hypers]
    states = {"local": begun, "ray": begun}
    seconds: dict[str, list[float]] = {name: [] for name in states}
    with ExitStack() as stack:
        starters: dict[str, Callable[..., Any]] = {
            "local": partial(start_local_workers, processes=WORKERS),
            "ray": partial(start_ray_workers, address=address),
        }
        pools, starts = dict[str, Workers](), dict[str, float]()
        for name, start in starters.items():
            began = time.perf_counter()
            workers = stack.enter_context(start(host_data))
            assert workers is not None
            for call in [workers.submit(id) for _ in range(WORKERS)]:  # local processes start at their first call
                call.result()
            pools[name], starts[name] = workers, time.perf_counter() - began
            assert workers.count_processes() == WORKERS
        for number in range(rounds + 1):
            for name in sorted(states, reverse=number % 2 == 1):
                began = time.perf_counter()
                targets = [SEGMENT_EPOCHS * (number + 1)] * len(hypers)
                states[name] = population.advance_lanes(
                    program, hypers, states[name], host_data, targets, workers=pools[name]
                )
                seconds[name].append(time.perf_counter() - began)
    measured = {name: each[1:] for name, each in seconds.items()}  # the first compiles
    return {
        "rounds": rounds,
        "starts": starts,
        "seconds": {name: sum(each) for name, each in measured.items()},
        "ratio": statistics.median(ray / local for local, ray in zip(*measured.values(), strict=True)),
        "same": have_same_bits(states["local"], states["ray"]),
    }


@contextmanager
def start_cluster() -> Iterator[str]:
    """Start a Ray cluster of this machine, with a node for each worker; return its address."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(WORKERS):
            cluster.add_node(num_cpus=runtime.XLA_THREADS)
        cluster.wait_for_nodes()
        yield cluster.address
    finally:
        cluster.shutdown()


def have_same_bits(some: list[LaneState], others: list[LaneState]) -> bool:
    import jax
    import numpy as np

    pairs = zip(jax.tree.leaves(some), jax.tree.leaves(others), strict=True)
    return all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    rounds, busy = parser.parse_args().rounds, dict[str, float]()
    with start_cluster() as address, measure_others(busy):  # the cluster forks, so it comes before JAX and its threads
        measured = measure_launchers(rounds, address)
    file = Path(run.HERE, "results.json")
    run.write_results(file, json.loads(file.read_text()) | {"launchers": measured | busy})


if __name__ == "__main__":
    main()
