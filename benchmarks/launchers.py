"""Measure what Ray costs: the same segments of a study on local workers and on Ray's, in turn.

`python -m benchmarks.launchers` takes about ten minutes. It prints one line of JSON: the seconds until Ray and its
workers are there, those of all segments of each launcher, and the median of their ratios by round.
"""

import argparse
import json
import statistics
import time
from contextlib import ExitStack
from typing import Any

import thalweg  # noqa: F401
from benchmarks import engine
from benchmarks.load import measure_others
from thalweg.engine import population
from thalweg.engine.fit import LaneState
from thalweg.engine.launchers import Workers
from thalweg.engine.launchers.local import start_local_workers
from thalweg.engine.launchers.ray import start_ray_workers
from thalweg.training import build

WORKERS = 2
LANES = 16
SEGMENT_EPOCHS = 2


def measure_launchers(rounds: int) -> dict[str, Any]:
    """Return seconds by launcher; each round advances the same lanes by a segment with each, in changing order."""
    config = engine.build_config("cnn", LANES, SEGMENT_EPOCHS * (rounds + 1))
    spec, host_data = engine.prepare_data(config)
    program = build.build_plan(config, spec, host_data, searched=True)
    hypers = [build.build_hyper(config.replace_values(values)) for values in [{}, *config.study.enqueue][:LANES]]
    begun = [population.init_lane(program, hyper, 0, 0) for hyper in hypers]
    states = {"local": begun, "ray": begun}
    seconds: dict[str, list[float]] = {name: [] for name in states}
    with ExitStack() as stack:
        began = time.perf_counter()
        pools: dict[str, Workers | None] = {"local": stack.enter_context(start_local_workers(host_data, WORKERS))}
        local_start, began = time.perf_counter() - began, time.perf_counter()
        pools["ray"] = stack.enter_context(start_ray_workers(host_data, "local"))
        ray_start = time.perf_counter() - began
        assert (cluster := pools["ray"])
        assert cluster.count_processes() == WORKERS
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
        "local_start": local_start,
        "ray_start": ray_start,
        "local": sum(measured["local"]),
        "ray": sum(measured["ray"]),
        "ratio": statistics.median(ray / local for local, ray in zip(*measured.values(), strict=True)),
        "same": have_same_bits(states["local"], states["ray"]),
    }


def have_same_bits(some: list[LaneState], others: list[LaneState]) -> bool:
    import jax
    import numpy as np

    pairs = zip(jax.tree.leaves(some), jax.tree.leaves(others), strict=True)
    return all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    busy: dict[str, float] = {}
    with measure_others(busy):
        measured = measure_launchers(parser.parse_args().rounds)
    print(json.dumps(measured | busy))


if __name__ == "__main__":
    main()
