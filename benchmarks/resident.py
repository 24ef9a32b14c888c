"""Measure what it gains that weights stay on the device between the segments of a study.

`python -m benchmarks.resident` takes about a minute, and adds its table to results.json and RESULTS.md.
"""

import json
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

import thalweg  # noqa: F401
from benchmarks import engine, run
from benchmarks.launchers import have_same_bits
from benchmarks.load import measure_others
from thalweg.engine import population
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState
from thalweg.training import build

SEGMENT_EPOCHS = 1
ROUNDS = 8
CASES = {"4 large": (4, 1_150), "12 small": (12, 32)}
"""The lanes, and the width of their two dense layers."""


def measure_case(lanes: int, width: int) -> dict[str, Any]:
    """Return the seconds of segments by way: `device` (weights stay) and `host`, in turn and in changing order."""
    config = engine.build_config("mlp", lanes, SEGMENT_EPOCHS * (ROUNDS + 1), width=width, depth=2)
    spec, host_data = engine.prepare_data(config)
    program = build.build_plan(config, spec, host_data, searched=True)
    hypers = [build.build_hyper(config.replace_values(values)) for values in [{}, *config.study.enqueue][:lanes]]
    begun = [population.init_lane(program, hyper, 0, 0) for hyper in hypers]
    data, states = copy_to_devices(host_data), {"device": begun, "host": begun}
    seconds: dict[str, list[float]] = {way: [] for way in states}
    for number in range(ROUNDS + 1):
        targets = [SEGMENT_EPOCHS * (number + 1)] * lanes
        for way in sorted(states, reverse=number % 2 == 1):
            began = time.perf_counter()
            advanced = population.advance_lanes(program, hypers, states[way], data, targets, resident=way == "device")
            jax.block_until_ready([lane.step for lane in advanced])  # type: ignore[no-untyped-call]
            seconds[way].append(time.perf_counter() - began)
            states[way] = advanced
    measured = {way: each[1:] for way, each in seconds.items()}  # the first compiles
    return {
        "lanes": lanes,
        "weights": count_weights(begun[0]),
        "seconds": {way: statistics.median(each) for way, each in measured.items()},
        "ratio": statistics.median(device / host for device, host in zip(*measured.values(), strict=True)),
        "same": have_same_bits(states["device"], states["host"]),
    }


def count_weights(state: LaneState) -> int:
    return sum(np.size(leaf) for leaf in jax.tree.leaves(state.best_weights))


def main() -> None:
    busy: dict[str, float] = {}
    with measure_others(busy):
        rows = [{"case": name} | measure_case(*case) for name, case in CASES.items()]
    print(json.dumps(rows, indent=2))
    file = Path(run.HERE, "results.json")
    run.write_results(file, json.loads(file.read_text()) | {"resident": {"rows": rows} | busy})


if __name__ == "__main__":
    main()
