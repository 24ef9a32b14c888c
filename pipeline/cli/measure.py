"""Measure the programs of an experiment on random images, and estimate how long each stage takes on this machine."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import jax
import numpy as np

from thalweg.cli.programs import PlannedProgram, count_folds, count_lanes
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.data import splits
from thalweg.data.examples import Examples
from thalweg.data.offline import list_training_rows
from thalweg.diagnose.ablations import list_loss_ablations
from thalweg.engine import population, workers
from thalweg.search import workload
from thalweg.system import progress, timing
from thalweg.training import build
from thalweg.training.plan import TrainingData

START_SECONDS = 2.5  # of a stage: Python, imports, DVC's hashes
REPORT_SECONDS = 5.0
LANDSCAPE_SECONDS = 12.0  # to compile the functions that map the loss, and to measure the curvature
SLOW_LANE_SECONDS = 2.0  # from one validation to the next: fewer lanes are measured
MAX_LANES = 16  # that are measured
PASSES_OF_STEP = 2.2  # forward, that take as long as a step
SAMPLE = 64  # examples that are read


@dataclass(frozen=True)
class Speed:
    """How fast this machine trains: seconds to compile all programs, and of a lane's epoch with all cores busy.

    `programs` is how many there are. Lanes of one seed share their batches, so others need `lone_epoch_seconds`.
    `pass_seconds` is the time in which one example goes forward through the network.
    """

    programs: int
    compile_seconds: float
    epoch_seconds: float
    lone_epoch_seconds: float
    pass_seconds: float


def measure_speed(config: Config, outline: Examples, programs: Sequence[PlannedProgram]) -> Speed:
    """Compile each program, and train two segments of it: of lanes that share their batches, and of others."""
    data = _build_random_data(config, outline)
    device_data = workers.copy_to_devices(data)
    shown = progress.track(programs, "compiling and training", len(programs), "program")
    measured = [_measure_program(config, planned, device_data) for planned in shown]
    compile_seconds, epoch_seconds, lone_epoch_seconds = map(list, zip(*measured, strict=True))
    passes = PASSES_OF_STEP * float(np.mean(data.train_sizes)) + float(data.validation_weights[0].sum())
    epoch = mean(epoch_seconds)
    return Speed(len(programs), sum(compile_seconds), epoch, mean(lone_epoch_seconds), epoch / passes)


def _measure_program(config: Config, planned: PlannedProgram, data: TrainingData) -> tuple[float, float, float]:
    """Return the seconds to compile a program, of a lane's epoch, and of that of a lane that shares no batches."""
    program = planned.program
    hyper = replace(planned.hyper, learning_rate=np.float32(0))  # so that no lane diverges

    def train_segment(seeds: Sequence[int]) -> float:
        """Return the seconds to train lanes of these seeds to their first validation."""
        states, count = [population.init_lane(program, hyper, seed, 0) for seed in seeds], len(seeds)
        began = time.perf_counter()
        targets = [program.validate_every] * count
        population.advance_lanes(program, [hyper] * count, states, data, targets, config.engine.width)
        return time.perf_counter() - began

    compiled_before = sum(timing.COMPILE_SECONDS)
    train_segment([0])
    compile_seconds = sum(timing.COMPILE_SECONDS) - compiled_before
    lanes = min(count_lanes(config), MAX_LANES)
    if train_segment([0]) > SLOW_LANE_SECONDS:
        lanes = min(lanes, jax.device_count())
    epochs = lanes * program.validate_every * workers.count_workers()
    return compile_seconds, train_segment([0] * lanes) / epochs, train_segment(range(lanes)) / epochs


def _build_random_data(config: Config, outline: Examples) -> TrainingData:
    """Build data of the shapes that training will have: random images, and labels that are all 1."""
    split = splits.split_examples(config.data.split, outline, rng.derive_seed(config.seed, "split"))
    pixels = np.random.default_rng(0).integers(0, 256, outline.images.shape, np.uint8)
    origins = np.tile(list_training_rows(split), config.augment.offline.copies)
    examples = replace(outline, images=pixels).take_rows(np.concatenate([np.arange(len(outline)), origins]))
    return build.build_data(config, examples, split, origins)


def estimate_stages(config: Config, outline: Examples, speed: Speed) -> dict[str, float]:
    """Estimate the seconds of each stage."""
    epochs = count_stage_epochs(config)
    lanes = {"train": count_folds(config), "study": count_lanes(config)}
    seconds = dict.fromkeys(
        ("prepare", "augment", "train", "evaluate", "study", "confirm", "diagnose", "report"), START_SECONDS
    )
    devices = jax.device_count() * workers.count_workers()
    for stage, count in epochs.items():
        shares = stage == "confirm" or (stage == "study" and config.study.randomness == "paired")
        # a last lane keeps one device busy while the others wait
        at_once = lanes.get(stage, devices)
        waiting = math.ceil(at_once / devices) * devices / at_once
        seconds[stage] += count * (speed.epoch_seconds if shares else speed.lone_epoch_seconds) * waiting
    one_program = speed.compile_seconds / speed.programs
    seconds["prepare"] += len(outline) * _measure_reading(config)
    seconds["train"] += one_program
    seconds["study"] += speed.compile_seconds
    seconds["confirm"] += one_program * (bool(config.confirm.epochs) + (config.confirm.refit == "all"))
    seconds["diagnose"] += one_program if config.diagnose.seeds else 0.0
    if points := config.diagnose.landscape.points:
        passes = 2 * points**2 * 2 * config.diagnose.landscape.examples
        seconds["diagnose"] += LANDSCAPE_SECONDS + passes * speed.pass_seconds
    seconds["report"] += REPORT_SECONDS
    return seconds


def count_stage_epochs(config: Config) -> dict[str, float]:
    """Count the epochs that each stage trains, summed over its lanes, if none diverges."""
    folds, confirm, diagnose = count_folds(config), config.confirm, config.diagnose
    confirm_epochs = confirm.epochs or config.training.epochs
    refit_epochs = (confirm.refit_epochs or confirm_epochs) * confirm.members if confirm.refit == "all" else 0
    candidates = 1 + min(1 + confirm.runners_up, config.study.trials)
    ablations = len(list(_list_ablations(config)))
    landscape_seeds = diagnose.landscape.seeds if diagnose.landscape.points else 0
    return {
        "train": folds * config.training.epochs,
        "study": workload.count_trained_trials(config) * workload.estimate_trial_epochs(config, folds),
        "confirm": candidates * confirm.seeds * folds * confirm_epochs + refit_epochs,
        "diagnose": (ablations * min(diagnose.seeds, confirm.seeds) * folds + landscape_seeds) * confirm_epochs,
    }


def _list_ablations(config: Config) -> Iterator[str]:
    yield from (f"share {share}" for share in config.diagnose.shares)
    if config.augment.offline.copies or any(config.augment.online.model_dump().values()):
        yield "augmentation"
    yield from list_loss_ablations(config)


def _measure_reading(config: Config) -> float:
    """Measure the seconds in which one example is read."""
    began = time.perf_counter()
    read = config.data.source.read_sample(Path(config.data.path), rng.derive_seed(config.seed, "source"), SAMPLE)
    return (time.perf_counter() - began) / read if read else 0.0
