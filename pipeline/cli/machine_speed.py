"""How fast this machine trains an experiment's programs: they are compiled, and trained for a moment."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from thalweg.cli.stage_work import Work
from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.engine import population
from thalweg.engine.results import list_lane_seeds
from thalweg.engine.workers import copy_to_devices, start_worker_pool
from thalweg.system import runtime, timing
from thalweg.training import build
from thalweg.training.plan import TrainingData

MEASURED_SECONDS = 2.0  # of training, for each program, at least
MEASURED_STEPS = 8  # of an epoch, at most; a longer epoch is measured as a share of its steps and its validation
MEASURED_PROGRAMS = 4  # at most; of more, a few stand for all
LOSS_SHARE = 1 / 3  # of the work on an image in training; its gradient takes twice as much (Kaplan et al. 2020, 2.1)
MAX_PERIODS = 64  # between two validations, of one measurement


@dataclass(frozen=True)
class Speed:
    """Measured seconds: of an epoch of a lane with all cores, of compiling a program, of reading the data.

    `start` is the time until a process is ready. `parallel` lanes train at once, so fewer take as long as so many.
    An epoch has `images` to train on.
    """

    epoch: float
    compile: float
    read: float
    start: float
    parallel: int
    images: int

    def estimate_seconds(self, work: Work) -> float:
        rounds = -(-work.lanes // self.parallel) * self.parallel
        epochs = rounds * work.epochs * work.repeats + work.losses * LOSS_SHARE / self.images
        return epochs * self.epoch + work.programs * self.compile


def measure_speed(config: Config, report: Callable[[str], None]) -> Speed:
    """Read the data, compile the programs of the study, and train them; `report` gets a line before each part.

    The start is the time that this process has computed so far: like a stage, it has loaded JAX and all the code.
    """
    start = time.process_time()
    jax.config.update("jax_enable_compilation_cache", False)  # type: ignore[no-untyped-call]  # a kept program takes no time
    copies, config = 1 + config.augment.offline.copies, config.replace_values({"augment.offline.copies": 0})
    report("reading the data")
    began = time.perf_counter()
    examples = config.data.source.read_examples(Path(config.data.path), rng.derive_seed(config.seed, "source")).examples
    split = splits.split_examples(config.data.split, examples, rng.derive_seed(config.seed, "split"))
    data = build.build_data(config, examples, split, np.zeros(0, np.int64))
    read = time.perf_counter() - began
    variants = spaces.list_program_variants(config)
    chosen = variants[:: -(-len(variants) // MEASURED_PROGRAMS)]
    lane_count = config.study.cohort * settings.count_trial_seeds(config) * len(data.train_rows)
    parallel = min(lane_count, runtime.count_cores()) if jax.default_backend() == "cpu" else lane_count
    seconds = []
    for number, variant in enumerate(chosen, 1):
        report(f"compiling and training program {number} of {len(chosen)}")
        seconds.append(_time_program(config.replace_values(variant), build.build_data_spec(examples), data, parallel))
    epoch, compile_seconds = np.mean(seconds, axis=0).tolist()
    images = copies * int(np.mean(data.train_sizes))
    return Speed(copies * epoch, compile_seconds, read, start, parallel, images)


def _time_program(config: Config, spec: Any, data: TrainingData, parallel: int) -> tuple[float, float]:
    """Return the seconds of an epoch of one of the lanes of a cohort, and those of compiling their program."""
    measured, share = shorten_data(data, config.training.batch_size)
    interval = config.training.validate_every
    longest = config.replace_values({"training.epochs": interval * (1 + MAX_PERIODS), "study.prune": None})
    program = build.build_plan(longest, spec, measured, searched=True)
    seeds = settings.count_trial_seeds(config)
    lanes = list_lane_seeds(config.seed, "study", seeds, len(data.train_rows)) * config.study.cohort
    hypers = [build.build_hyper(config)] * len(lanes)
    states = [population.init_lane(program, hypers[0], *lane) for lane in lanes]
    compiled_before, device_data = sum(timing.COMPILE_SECONDS), copy_to_devices(measured)
    with start_worker_pool(measured) as workers:

        def train_periods(first: int, last: int) -> float:
            nonlocal states
            began = time.perf_counter()
            targets = [last * interval] * len(states)
            width = config.engine.width
            states = population.advance_lanes(program, hypers, states, device_data, targets, width, workers)
            return (time.perf_counter() - began) / (last - first)

        train_periods(0, 1)  # it compiles
        period = train_periods(1, 2)
        periods = min(max(1, int(MEASURED_SECONDS / period)), MAX_PERIODS - 1)
        period = train_periods(2, 2 + periods)
    rounds = -(-len(lanes) // parallel) * parallel
    return period / interval / share / rounds, sum(timing.COMPILE_SECONDS) - compiled_before


def shorten_data(data: TrainingData, batch_size: int) -> tuple[TrainingData, float]:
    """Return the data with fewer rows to train on and to validate, where an epoch has many steps, and their share."""
    steps = int(np.asarray(data.train_sizes).min()) // batch_size
    share = min(1.0, MEASURED_STEPS / steps)
    validation = max(1, round(data.validation_rows.shape[1] * share))
    shortened = replace(
        data,
        train_sizes=np.maximum(np.int32(batch_size), (data.train_sizes * share).astype(np.int32)),
        validation_rows=data.validation_rows[:, :validation],
        validation_weights=data.validation_weights[:, :validation],
    )
    return shortened, share
