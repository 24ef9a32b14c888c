"""How fast this machine trains the programs of an experiment: each is compiled, and trained on random images."""

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import jax
import numpy as np

from thalweg.cli.programs import PlannedProgram, count_lanes
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import Examples
from thalweg.data.offline import list_training_rows
from thalweg.engine import population
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.launchers import Workers, start_workers
from thalweg.system import progress, timing
from thalweg.training import build
from thalweg.training.plan import TrainingData

MEASURED_PROGRAMS = 8  # at most; of more, some stand for all
MEASURED_SECONDS = 1.0  # of training, at least, for each of a program's two measurements
SLOW_LANE_SECONDS = 5.0  # from one validation to the next: one measurement of few lanes is enough
MAX_LANES = 16  # that are measured on a processor
PASSES_OF_STEP = 2.2  # forward, that take as long as a step
SAMPLE = 64  # examples that are read
SAVED_EVENT = "/jax/compilation_cache/compile_time_saved_sec"  # JAX: how much longer a kept program took to compile

_saved_seconds: list[float] = []


@dataclass(frozen=True)
class Speed:
    """Measured seconds: of a lane's epoch with all devices busy, of compiling a program, of reading the examples.

    Lanes of one seed share their batches, so others need `lone_epoch`. `start` is the time in which a process is ready.
    `parallel` lanes train at once: fewer take as long as so many. An epoch takes as long as `passes` examples that go
    forward through the network. Programs count as new, for another number of epochs makes another program.
    """

    epoch: float
    lone_epoch: float
    compile: float
    read: float
    start: float
    parallel: int
    passes: float


Review = Callable[[Sequence[Speed], int], None]
"""Takes the speed with each program that is measured so far, and the number of all; may raise to end it."""


def combine_speeds(speeds: Sequence[Speed], combine: Callable[[Iterable[float]], float] = mean) -> Speed:
    """Return the mean speed of several programs, or the slowest by `max`."""
    return replace(
        speeds[0],
        epoch=combine(speed.epoch for speed in speeds),
        lone_epoch=combine(speed.lone_epoch for speed in speeds),
        compile=combine(speed.compile for speed in speeds),
    )


def measure_speed(
    config: Config, outline: Examples, programs: Sequence[PlannedProgram], review: Review = lambda *_: None
) -> Speed:
    """Compile programs, and train each for a moment: lanes that share their batches, and others.

    `review` is called before each further program.
    """
    chosen = programs[:: -(-len(programs) // MEASURED_PROGRAMS)]
    data = build_random_data(config, outline)
    shown = progress.track(chosen, "compiling and training", len(chosen), "program")
    passes = PASSES_OF_STEP * float(np.mean(data.train_sizes)) + float(data.validation_weights[0].sum())
    read, start = len(outline) * _measure_reading(config), _measure_start()
    measured = list[Speed]()
    with start_workers(data, build.build_engine_options(config)) as pool:
        device_data, parallel = copy_to_devices(data), _count_parallel(config, pool)
        for planned in shown:
            if measured:
                review(measured, len(chosen))
            seconds = _measure_program(config, planned, device_data, pool)
            measured.append(Speed(*seconds, read, start, parallel, passes))
    return combine_speeds(measured)


def _measure_program(
    config: Config, planned: PlannedProgram, data: TrainingData, pool: Workers | None
) -> tuple[float, float, float]:
    """Return the seconds of a lane's epoch, of one that shares no batches, and to compile the program."""
    program, parallel = planned.program, _count_parallel(config, pool)
    hyper = replace(planned.hyper, learning_rate=np.float32(0))  # so that no lane diverges

    def train_segment(seeds: Sequence[int]) -> float:
        """Return the seconds to train lanes of these seeds to their first validation."""
        states, count = [population.init_lane(program, hyper, seed, 0) for seed in seeds], len(seeds)
        began = time.perf_counter()
        targets = [program.validate_every] * count
        population.advance_lanes(program, [hyper] * count, states, data, targets, config.engine.width, pool)
        return time.perf_counter() - began

    def measure_epoch(seeds: Sequence[int], seconds: float) -> float:
        """Train segments for some seconds; return those of a lane's epoch."""
        durations = [train_segment(seeds)]
        while sum(durations) < seconds:
            durations.append(train_segment(seeds))
        return mean(durations) / (round_up(len(seeds), parallel) * program.validate_every)

    compiled_before = _sum_compile_seconds()
    first = train_segment([0]) - sum(timing.COMPILE_SECONDS[-1:])
    compile_seconds = _sum_compile_seconds() - compiled_before
    if first > SLOW_LANE_SECONDS:
        epoch = measure_epoch(range(parallel), 0)
        return epoch, epoch, compile_seconds
    lanes = count_lanes(config) if jax.default_backend() != "cpu" else min(count_lanes(config), MAX_LANES)
    return measure_epoch([0] * lanes, MEASURED_SECONDS), measure_epoch(range(lanes), MEASURED_SECONDS), compile_seconds


def _count_parallel(config: Config, pool: Workers | None) -> int:
    """Count the lanes that train at once: one for each core, or all of a study's on an accelerator."""
    if jax.default_backend() != "cpu":
        return count_lanes(config)
    return pool.devices * pool.count_processes() if pool else jax.device_count()


def round_up(count: float, parallel: int) -> int:
    """Round a number of lanes up to rounds of as many as train at once."""
    return math.ceil(count / parallel) * parallel


def _sum_compile_seconds() -> float:
    """Add up the seconds of all compilations so far, as long as they were when no program was kept."""
    if not _saved_seconds:
        _saved_seconds.append(0.0)
        jax.monitoring.register_event_duration_secs_listener(_note_saved_seconds)
    return sum(timing.COMPILE_SECONDS) + sum(_saved_seconds)


def _note_saved_seconds(event: str, duration_secs: float, **_: str | int) -> None:
    if event == SAVED_EVENT:
        _saved_seconds.append(duration_secs)


def build_random_data(config: Config, outline: Examples) -> TrainingData:
    """Build data of the shapes that training will have: random images, and labels that are all 1."""
    split = splits.split_examples(config.data.split, outline, rng.derive_seed(config.seed, "split"))
    pixels = np.random.default_rng(0).integers(0, 256, outline.images.shape, np.uint8)
    origins = np.tile(list_training_rows(split), config.augment.offline.copies)
    examples = replace(outline, images=pixels).take_rows(np.concatenate([np.arange(len(outline)), origins]))
    return build.build_data(config, examples, split, origins)


def _measure_reading(config: Config) -> float:
    """Measure the seconds in which one example is read."""
    began = time.perf_counter()
    read = config.data.source.read_sample(Path(config.data.path), rng.derive_seed(config.seed, "source"), SAMPLE)
    return (time.perf_counter() - began) / read if read else 0.0


def _measure_start() -> float:
    """Measure the seconds in which a process of a stage has loaded JAX and all the code."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import thalweg.stages.confirm"], check=False)
    return time.perf_counter() - began
