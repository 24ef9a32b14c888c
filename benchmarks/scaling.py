"""Measure how this engine's time and memory depend on lanes, cores and size, and its time outside compiled programs.

Each measurement runs in its own process (`--one`, with its settings as JSON) and prints a line of JSON.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import load
from thalweg.engine.devices import copy_to_devices

ROOT = Path(__file__).parents[1]
CPU_LANES = (1, 2, 4, 8, 16, 32, 64)
GPU_LANES = (1, 16, 64, 256, 512, 1024, 2048, 4096)
WIDTHS = (8, 16, 32, 64)
HOSTS = ((1, 1), (2, 1), (2, 2), (2, 8))
"""(cores, XLA's host devices); pairs with more cores than the machine has are skipped."""
STUDIES = (100, 300, 1000)
ASKS = (3000, 10_000)
"""Finished trials at which asks of TPE are timed."""
MIN_TRIAL_EPOCHS = 48  # least number to time

Settings = Mapping[str, Any]


def measure_lanes(settings: Settings) -> dict[str, Any]:
    """Return milliseconds per trial-epoch of several lanes at once, and this process's peak memory [MiB]."""
    import thalweg  # noqa: F401
    from benchmarks import engine
    from thalweg.engine import population
    from thalweg.training import build

    lane_count, repeats = settings["lanes"], settings["repeats"]
    epochs = settings.get("epochs") or max(2, -(-MIN_TRIAL_EPOCHS // (lane_count * repeats)))
    # one epoch to compile and warm up, then `epochs` per repeat
    config = engine.build_config("cnn", max(lane_count, 2), 1 + epochs * repeats, **settings.get("sizes", {}))
    spec, host_data = engine.prepare_data(config)
    plan, data = build.build_plan(config, spec, host_data, searched=True), copy_to_devices(host_data)
    trials = [{}, *config.study.enqueue][:lane_count]
    hypers = [build.build_hyper(config.replace_values(values)) for values in trials]
    states = population.advance_lanes(
        plan, hypers, [population.init_lane(plan, hypers[0], 0, 0)] * lane_count, data, [1] * lane_count
    )
    seconds = []
    for repeat in range(repeats):
        began = time.perf_counter()
        states = population.advance_lanes(plan, hypers, states, data, [1 + (repeat + 1) * epochs] * lane_count)
        seconds.append(time.perf_counter() - began)
    return {
        "ms": [1000 * elapsed / (lane_count * epochs) for elapsed in seconds],
        "compile_seconds": engine.sum_compile_seconds(),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024),
    }


def measure_outside(settings: Settings) -> dict[str, Any]:
    """Return the seconds of each part of the default study."""
    import thalweg  # noqa: F401
    from benchmarks import engine
    from thalweg.core import rng
    from thalweg.data import splits
    from thalweg.training import build

    config = engine.load_preset()
    if settings.get("quick"):
        config = config.replace_values({"study.trials": 12, "training.epochs": 2, "data.source.examples": 400})
    examples = config.data.source.read_examples(Path(config.data.path), rng.derive_seed(config.seed, "source")).examples
    split = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    import numpy as np

    return _run_study(
        config, build.build_data_spec(examples), build.build_data(config, examples, split, np.zeros(0, np.int64))
    )


def measure_host(settings: Settings) -> dict[str, Any]:
    """Return the same for a study with a tiny network, whose time is almost only the host's."""
    import numpy as np

    import thalweg  # noqa: F401
    from benchmarks import engine
    from thalweg.data.examples import Examples
    from thalweg.data.splits import Splits
    from thalweg.training import build

    config = engine.build_config("linear", 2, 4, prune=True).replace_values(
        {
            "study.trials": settings["trials"],
            "study.cohort": 10,
            "study.prune": None,
            "study.sampler": settings["sampler"],
            "training.batch_size": 16,
        }
    )
    generator, example_count = np.random.default_rng(0), 48
    count = generator.integers(0, 8, example_count)
    images = (count[:, None, None, None] * 25 + generator.integers(0, 50, (example_count, 4, 4, 1))).astype(np.uint8)
    names = np.array([f"image {row}" for row in range(example_count)])
    examples = Examples(images, names, names, np.full(example_count, ""), {"count": count.astype(np.float32)})
    rows = np.arange(example_count, dtype=np.int32)
    data = build.build_data(config, examples, Splits((rows[:32],), (rows[32:],), rows[:0]), np.zeros(0, np.int64))
    return _run_study(config, build.build_data_spec(examples), data)


def _run_study(config: Any, spec: Any, data: Any) -> dict[str, Any]:
    """Run a study with journal and storage; return the seconds of its parts."""
    from benchmarks import engine
    from thalweg.search import publisher, study

    with tempfile.TemporaryDirectory() as folder, engine.Clock() as clock:
        os.chdir(folder)
        began = time.perf_counter()
        with publisher.Publisher(config, "benchmark") as callback:
            result = study.run_trials(config, spec, data, Path(folder, "state"), (callback,))
            study_seconds = time.perf_counter() - began
        # leaving the block waits until everything is published
        seconds = time.perf_counter() - began
        os.chdir("/")
    compiling, trials = engine.sum_compile_seconds(), len(result.trials)
    outside_seconds = seconds - clock.programs - compiling
    return {
        "trials": trials,
        "seconds": seconds,
        "compile_seconds": compiling,
        "program_seconds": clock.programs,
        "calls": clock.calls,
        "sampler_seconds": clock.sampler,
        "publish_seconds": seconds - study_seconds,
        "outside_seconds": outside_seconds,
        "outside_share": outside_seconds / (seconds - compiling),
        "outside_ms_a_trial": 1000 * outside_seconds / trials,
        "sampler_ms_a_trial": 1000 * clock.sampler / trials,
    }


def measure_ask(settings: Settings) -> dict[str, Any]:
    """Return milliseconds per ask of TPE for each cohort of ten, after `trials` finished trials of random values."""
    from benchmarks import case, engine
    from thalweg.search.samplers import OptunaSampler
    from thalweg.search.trials import Outcome

    config = engine.build_config("linear", 2, 4, prune=True)
    sampler, size, count = OptunaSampler(config), 10, settings["trials"]
    trials = [{engine.PATHS[name]: value for name, value in values.items()} for values in case.draw_trials(count)]
    milliseconds = []
    for first in range(0, count + settings["repeats"] * size, size):
        began = time.perf_counter()
        if first < count:
            proposals = trials[first : first + size]
            sampler.replay(first, proposals)
        else:
            proposals = sampler.ask(first, size)
            milliseconds.append(1000 * (time.perf_counter() - began) / size)
        costs = [abs(values[engine.PATHS["momentum"]] - 0.5) for values in proposals]
        sampler.tell(
            [
                Outcome(number, values, "complete", (cost,), {1: cost})
                for number, (values, cost) in enumerate(zip(proposals, costs, strict=True), first)
            ]
        )
    return {"ms": milliseconds}


def measure_backend(_settings: Settings) -> dict[str, Any]:
    """Return JAX's backend and device."""
    import thalweg  # noqa: F401, I001
    import jax

    return {"backend": jax.default_backend(), "device": jax.devices()[0].device_kind}


MEASURES = {
    "lanes": measure_lanes,
    "outside": measure_outside,
    "host": measure_host,
    "ask": measure_ask,
    "backend": measure_backend,
}


def run_measurement(settings: Settings) -> dict[str, Any]:
    """Run a measurement in its own process; return its settings with the result or the error's last line."""
    flags = f"--xla_force_host_platform_device_count={settings['devices']}" if "devices" in settings else ""
    # without a compilation cache: memory and seconds would depend on earlier runs
    environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"} | ({"XLA_FLAGS": flags} if flags else {})
    command = [sys.executable, "-m", "benchmarks.scaling", "--one", json.dumps(dict(settings))]
    if "cores" in settings and shutil.which("taskset"):
        command = ["taskset", "--cpu-list", ",".join(map(str, _choose_cores(settings["cores"]))), *command]
    busy: dict[str, float] = {}
    with load.measure_others(busy):
        process = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    if process.returncode:
        return {**settings, "error": (process.stderr.strip().splitlines() or ["no message"])[-1]}
    result: dict[str, Any] = json.loads(process.stdout.strip().splitlines()[-1])
    return {**settings, **result, **busy}


def _choose_cores(cores: int) -> list[int]:
    """Return the first cores that this process may use."""
    return sorted(os.sched_getaffinity(0))[:cores]


def list_settings(quick: bool) -> Iterator[dict[str, Any]]:
    """Return the settings of all measurements."""
    on_gpu = run_measurement({"measure": "backend"}).get("backend") == "gpu"
    repeats = 1 if quick else 3
    # an accelerator's many lanes always reach MIN_TRIAL_EPOCHS
    lane_counts = ((1, 4) if quick else GPU_LANES if on_gpu else CPU_LANES) if not (quick and on_gpu) else (1, 16)
    epochs = {"epochs": 1} if quick else {}
    for lanes in lane_counts:
        yield {"table": "lanes", "measure": "lanes", "lanes": lanes, "repeats": repeats, **epochs}
    if not on_gpu and shutil.which("taskset"):
        for cores, devices in HOSTS[:1] if quick else HOSTS:
            if cores <= len(os.sched_getaffinity(0)):
                fixed = {"cores": cores, "devices": devices, "lanes": 8, "repeats": repeats}
                yield {"table": "cores", "measure": "lanes", **fixed, **epochs}
    for width in WIDTHS[:1] if quick else WIDTHS:
        width_settings = {"sizes": {"width": width}, "lanes": 8, "repeats": repeats}
        yield {"table": "width", "measure": "lanes", **width_settings, **epochs}
    for lanes in (20,) if quick else STUDIES:
        for sampler in ("random", "tpe"):
            yield {"table": "host", "measure": "host", "trials": lanes, "sampler": sampler}
    for trials in (20,) if quick else ASKS:
        yield {"table": "ask", "measure": "ask", "trials": trials, "repeats": 1 if quick else 5}
    yield {"table": "outside", "measure": "outside", "quick": quick}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="only check that everything runs, in seconds")
    parser.add_argument("--only", default="", help="names of tables, separated by commas")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        settings = json.loads(options.one)
        print(json.dumps(MEASURES[settings["measure"]](settings)))
        return
    only = set(options.only.split(",")) - {""}
    for settings in list_settings(options.quick):
        if not only or settings["table"] in only:
            print(json.dumps(run_measurement(settings)), flush=True)


if __name__ == "__main__":
    main()
