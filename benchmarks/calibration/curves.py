"""Train small models at rates from far too low to far too high, as lanes of the engine, and keep their curves.

Rate, schedule and length are numbers that the program reads, so one program trains all lanes of a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

import thalweg  # noqa: F401  before the first computation: it sets XLA's environment variables
from benchmarks.calibration.small_models import Examples, Model
from thalweg.core import rng
from thalweg.core.schedules import list_schedules, schedule_factor
from thalweg.engine import population
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState, name_curves
from thalweg.engine.program import LaneLoop

LENGTHS = (16, 40)
ALL_LENGTHS = tuple(sorted({*LENGTHS, *(2 * length for length in LENGTHS)}))
SCHEDULES = ("constant", "cosine", "staircase", "restarts")
RATES = np.arange(-9, 6) / 2
"""Decades from a model's rate; the outer two on each side only show what the others missed."""
CURVES = ("train_loss", "train_spread", "val_loss", "metric", "learning_rate", "test_loss")
BATCH, VALIDATION, TEST = 32, 256, 1024

Floats = NDArray[np.float64]


class CurveLearner(NamedTuple):
    """The weights, and two running means of their gradient (of its square for Adam; else unused)."""

    weights: Any
    mean: Any
    square: Any


@dataclass(frozen=True)
class CurveProgram:
    """A model's training for the engine (`thalweg.engine.program.Program`); a fold is the task of one seed."""

    model: Model
    epochs: int = max(ALL_LENGTHS)
    validate_every: int = 1
    patience: int = 0
    objective: str = "metric"
    keep: str = "last"
    shares_batches: bool = True
    curve_names: tuple[str, ...] = ("val_loss", "metric", "learning_rate", "test_loss")

    @property
    def objective_sign(self) -> int:
        return -1 if self.model.has_classes else 1

    @property
    def steps_per_epoch(self) -> int:
        return self.model.train // BATCH

    def init_learner(self, seed: Array, fold: Array) -> CurveLearner:  # noqa: ARG002
        weights = self.model.init(rng.derive_key(seed, "weights"))
        zeros = jax.tree.map(jnp.zeros_like, weights)
        return CurveLearner(weights, zeros, zeros)

    def scale_learner(self, hyper: Any, learner: CurveLearner) -> CurveLearner:  # noqa: ARG002
        return learner

    def select_weights(self, learner: CurveLearner) -> Any:
        return learner.weights

    def draw_rows(self, data: Any, seed: Array, fold: Array, epoch: Array) -> Array:  # noqa: ARG002
        order = jax.random.permutation(rng.derive_key(seed, "shuffle", epoch), self.model.train)
        return order[: self.steps_per_epoch * BATCH].reshape(-1, BATCH) + fold * self.model.train

    def gather_batch(self, hyper: Any, data: Any, rows: Array, seed: Array, step: Array) -> Any:  # noqa: ARG002
        inputs, truth = data["train"]
        return inputs[rows], truth[rows]

    def train_step(self, hyper: Any, learner: CurveLearner, batch: Any, step: Array) -> tuple[CurveLearner, Array]:
        weights, mean, square = learner
        loss, gradient = jax.value_and_grad(lambda w: self.model.compute_losses(w, *batch).mean())(weights)
        if self.model.is_adam:
            count = (step + 1).astype(jnp.float32)
            mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
            square = jax.tree.map(lambda s, g: 0.99 * s + 0.01 * g * g, square, gradient)
            first, second = 1 - 0.9**count, 1 - 0.99**count
            change = jax.tree.map(lambda m, s: m / first / (jnp.sqrt(s / second) + 1e-8), mean, square)
        else:
            change = mean = jax.tree.map(lambda m, g: self.model.momentum * m + g, mean, gradient)
        rate = self.compute_rate(hyper, step)
        weights = jax.tree.map(lambda w, c: w - rate * c, weights, change)
        return CurveLearner(weights, mean, square), loss

    def evaluate_lanes(
        self, for_each: LaneLoop, hypers: Any, learners: CurveLearner, data: Any, fold: Array, updates: Array
    ) -> tuple[CurveLearner, dict[str, Array]]:
        (inputs, truth), test = ([array[fold] for array in data[name]] for name in ("validation", "test"))

        def measure_lane(_old: Array, lane: Any) -> Array:
            hyper, weights, updates = lane
            loss = self.model.compute_losses(weights, inputs, truth).mean()
            metric = (self.model.apply(weights, inputs).argmax(-1) == truth).mean() if self.model.has_classes else loss
            test_loss = self.model.compute_losses(weights, *test).mean()
            return jnp.stack([loss, metric, self.compute_rate(hyper, updates - 1), test_loss])

        blank = jnp.zeros((len(updates), len(self.curve_names)))
        measured = for_each(measure_lane, blank, (hypers, learners.weights, updates))
        return learners, dict(zip(self.curve_names, measured.T, strict=True))

    def compute_rate(self, hyper: Any, step: Array) -> Array:
        numbers, epochs = hyper["numbers"], hyper["epochs"]
        factor = schedule_factor(hyper["kind"], numbers, step, self.steps_per_epoch, epochs, SCHEDULES)
        rate: Array = hyper["rate"] * factor
        return rate


def build_hyper(rate: float, schedule: str, epochs: int) -> dict[str, Any]:
    """Return a lane's numbers: a cosine warms up, a staircase falls to a tenth twice, restarts make four cycles."""
    warmup = epochs / 8 if schedule == "cosine" else 0.0
    numbers = {"warmup": warmup, "decay": 0.1, "every": epochs / 3, "final": 0.0, "period": epochs / 4}
    return {
        "rate": np.float32(rate),
        "epochs": np.float32(epochs),
        "kind": np.int32(list_schedules().index(schedule)),
        "numbers": {name: np.float32(value) for name, value in numbers.items()},
    }


@dataclass(frozen=True)
class ModelCurves:
    """The curves of a model's runs, each [seeds, schedules, lengths, rates, ...].

    `curves` [..., epochs, CURVES]; `first_loss` is the first batch's; `diverged_step` is -1 where none was. `start`
    [seeds] is the test set's loss before training.
    """

    curves: Floats
    first_loss: Floats
    diverged_step: NDArray[np.int64]
    start: Floats


def load_curves(folder: Path, model: Model, seeds: Sequence[int]) -> ModelCurves:
    """Load a model's curves; train what is not there, seed by seed."""
    parts = []
    for seed in seeds:
        path = folder / f"{model.name}-{seed}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, allow_pickle=False, **train_model(model, seed))
        parts.append(np.load(path))
    names = ("curves", "first_loss", "diverged_step", "start")
    arrays = {name: np.stack([part[name] for part in parts]) for name in names}
    floats = {name: array.astype(np.float64) for name, array in arrays.items() if name != "diverged_step"}
    return ModelCurves(**floats, diverged_step=arrays["diverged_step"])


def train_model(model: Model, seed: int) -> dict[str, NDArray[Any]]:
    """Train a model at all rates with all schedules and lengths."""
    program, data = CurveProgram(model), draw_data(model, seed)
    keys = list(product(SCHEDULES, ALL_LENGTHS, model.rate * 10.0**RATES))
    hypers = [build_hyper(rate, schedule, length) for schedule, length, rate in keys]
    begins = [population.init_lane(program, hyper, seed, 0) for hyper in hypers]
    on_device = copy_to_devices({name: arrays if name == "train" else stack(arrays) for name, arrays in data.items()})
    ends = population.advance_lanes(program, hypers, begins, on_device, [length for _, length, _ in keys])
    curves = np.array([read_curves(program, end) for end in ends])
    shape = len(SCHEDULES), len(ALL_LENGTHS), len(RATES)
    return {
        "curves": curves[..., : len(CURVES)].reshape(*shape, *curves.shape[1:2], len(CURVES)),
        "first_loss": curves[:, 0, -1].reshape(shape),
        "diverged_step": np.array([int(end.diverged_step) for end in ends]).reshape(shape),
        "start": np.asarray(model.compute_losses(begins[0].learner.weights, *map(jnp.asarray, data["test"])).mean()),
    }


def draw_data(model: Model, seed: int) -> dict[str, Examples]:
    draw, generator = model.build_task(seed), np.random.default_rng(1000 + seed)
    return {
        name: draw(generator, n) for name, n in (("train", model.train), ("validation", VALIDATION), ("test", TEST))
    }


def stack(arrays: Examples) -> Any:
    """Add an axis of one fold."""
    return tuple(array[None] for array in arrays)


def read_curves(program: CurveProgram, state: LaneState) -> Any:
    """Return a lane's curves [epochs, CURVES and first_loss]."""
    curves = name_curves(program, state)
    return np.stack([np.asarray(curves[name]) for name in (*CURVES, "first_loss")], 1)
