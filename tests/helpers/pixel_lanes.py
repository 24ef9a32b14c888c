"""A model that writes down what it is shown.

Image i is bright in pixel i alone, so weight i belongs to example i and what was visited can be read from the model.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from thalweg.core import rng
from thalweg.core.network import Network
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.engine import fit
from thalweg.engine.fit import LaneState
from thalweg.engine.lane_map import LaneMap, map_sequential
from thalweg.tasks import Task
from thalweg.training import batches
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

SIDE = 6
BATCH = 4
STEPS = 3
EPOCHS = 12
EVERY = 2
PATIENCE = 2
RATE = 0.5
N = SIDE * SIDE
FOLDS = (np.arange(0, 14), np.arange(20, 36))
VALIDATION = (np.arange(14, 20), np.arange(16, 19))
IMAGES = (255 * np.eye(N, dtype=np.uint8)).reshape(N, SIDE, SIDE, 1)
TARGETS = np.random.default_rng(0).normal(size=N).astype(np.float32)


class Line(Task):
    """One number as the network gives it."""

    kind: Literal["line"] = "line"
    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = {"mse": "min", "score": "max"}

    @property
    def loss_families(self) -> dict[str, str]:
        return {"value": "regression"}

    @property
    def allowed_augmentations(self) -> tuple[str, ...]:
        return ()

    def find_data_faults(self, examples: Examples) -> list[str]:
        return [] if "value" in examples.labels else ["the data has no `value`"]

    def select_labels(self, examples: Examples) -> dict[str, np.ndarray]:
        return {"value": examples.labels["value"]}

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:  # noqa: ARG002
        return (1,)

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:  # noqa: ARG002
        return labels

    def build_loss_terms(self, outputs: jax.Array, targets: Tree) -> dict[str, Term]:
        return {"value": Term(outputs[:, 0], targets["value"])}

    def decode_outputs(self, outputs: jax.Array) -> jax.Array:
        return outputs[:, 0]

    def compute_metrics(self, predictions: jax.Array, targets: Tree, weight: jax.Array) -> dict[str, jax.Array]:
        error = jnp.where(weight > 0, weight * (predictions - targets["value"]) ** 2, 0).sum() / weight.sum()
        return {"mse": error, "score": -error}

    def build_prediction_columns(self, predictions: np.ndarray, classes: tuple[str, ...]) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {"prediction": predictions}

    def list_true_values(self, examples: Examples) -> np.ndarray:
        return examples.labels["value"]

    def compute_errors(self, predictions: np.ndarray, examples: Examples) -> np.ndarray:
        result: np.ndarray = np.abs(predictions - examples.labels["value"])
        return result


class Witness(nnx.Module):
    """A matrix that counts, in training, how often it has seen each pixel bright, and in which batch last."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.weight = nnx.Param(jax.random.normal(rngs.params(), (N, 1)))
        self.batches, self.visits, self.last = (nnx.Variable(jnp.zeros(shape)) for shape in ((), N, N))
        self.training = True

    def __call__(self, x: jax.Array) -> jax.Array:
        flat = x.reshape(len(x), -1)
        if self.training:
            self.batches[...] += 1
            self.visits[...] += flat.sum(0)
            self.last[...] = jnp.where(flat.any(0), self.batches[...], self.last[...])
        return flat @ self.weight[...]

    def train(self, **attributes: Any) -> None:  # noqa: ARG002
        self.training = True

    def eval(self, **attributes: Any) -> None:  # noqa: ARG002
        self.training = False


NETWORK = Network(f"{Witness.__module__}.Witness", (SIDE, SIDE, 1), (1,))
PLAN = NetworkProgram(
    Line(),
    DataSpec((SIDE, SIDE, 1)),
    NETWORK,
    "gradient_descent",
    False,
    (),
    BATCH,
    STEPS,
    EPOCHS,
    EVERY,
    PATIENCE,
    "mse",
)
HYPER = NetworkHyper(
    learning_rate=np.float32(RATE),
    clip=np.float32(np.inf),
    optimizer={},
    schedule={"kind": np.int32(0), "warmup": np.float32(0)},
    loss={"value": {"kind": np.int32(1), "weight": np.float32(1), "delta": np.float32(1)}},
    balance=np.int32(0),
    augment={},
    gain=np.float32(1),
    last_gain=np.float32(1),
)


def pad_fold(parts: Sequence[np.ndarray], fill: int) -> np.ndarray:
    longest = max(map(len, parts))
    return np.stack([np.pad(part, (0, longest - len(part)), constant_values=fill) for part in parts]).astype(np.int32)


DATA = TrainingData(
    images=IMAGES,
    labels={"value": TARGETS},
    background_index=np.zeros(N, np.int32),
    backgrounds=np.zeros((0, SIDE, SIDE, 1), np.uint8),
    mean=np.zeros(1, np.float32),
    scale=np.ones(1, np.float32),
    train_rows=pad_fold(FOLDS, 15),
    train_sizes=np.array([14, 16], np.int32),
    validation_rows=pad_fold(VALIDATION, 0),
    validation_weights=(np.arange(6) < np.array([[6], [3]])).astype(np.float32),
)


def compile_alone(plan: NetworkProgram, each: LaneMap = map_sequential) -> Callable[..., LaneState]:
    """A function that advances a lone lane: (hyper, state, data, until) -> state."""

    def run(hyper: NetworkHyper, state: LaneState, data: TrainingData, until: jax.Array) -> LaneState:
        block = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], (hyper, state, until))
        after = fit.advance_block(plan, each, block[0], block[1], data, block[2])
        result: LaneState = jax.tree.map(lambda leaf: leaf[0], after)
        return result

    return jax.jit(run)


run = compile_alone(PLAN)
start = jax.jit(partial(fit.init_state, PLAN))


def train_lane(
    hyper: NetworkHyper = HYPER, seed: int = 0, fold: int = 0, data: TrainingData = DATA, until: int = EPOCHS
) -> LaneState:
    return run(hyper, start(jnp.int32(seed), jnp.int32(fold)), data, jnp.int32(until))


def draw_batches(seed: int, fold: int, epoch: int) -> np.ndarray:
    """The mini-batches of an epoch [STEPS, BATCH], by the named stream that draws them."""
    draws = np.array(jax.random.uniform(rng.derive_key(seed, "shuffle", epoch), (16,)))
    real = len(FOLDS[fold])
    return FOLDS[fold][np.argsort(draws[:real], kind="stable")[: STEPS * BATCH]].reshape(STEPS, BATCH)


def get_weights(state: LaneState) -> np.ndarray:
    return np.asarray(state.learner.parameters["weight"][...], np.float64)[:, 0]


def infer_outputs(network: Network, weights: tuple[Any, Any], data: TrainingData, rows: jax.Array) -> jax.Array:
    """What the network gives in inference mode for examples `rows`."""
    return network.apply(
        *weights, batches.normalise_images(data, rows, batches.gather_images(data, rows)), train=False
    )[0]
