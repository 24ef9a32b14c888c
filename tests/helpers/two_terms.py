"""A loss of two terms of which all is known by hand.

The network is one weight for each of two outputs; the terms are squared errors of the two.
"""

from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from thalweg.core import losses
from thalweg.core.network import Network
from thalweg.core.types import DataSpec, Term, Tree
from thalweg.data.examples import Examples
from thalweg.tasks import Task
from thalweg.training.plan import NetworkHyper, TrainingData
from thalweg.training.program import NetworkProgram

N = 12
STEPS = 2
EPOCHS = 8


class Both(Task):
    """Two numbers of one image, each with a term of its own; `shared` makes both ask about the first output."""

    kind: Literal["both"] = "both"
    METRIC_DIRECTIONS: ClassVar[dict[str, str]] = {"mse": "min"}

    @property
    def loss_families(self) -> dict[str, str]:
        return {"a": "regression", "b": "regression"}

    @property
    def allowed_augmentations(self) -> tuple[str, ...]:
        return ()

    def find_data_faults(self, examples: Examples) -> list[str]:  # noqa: ARG002
        return []

    def select_labels(self, examples: Examples) -> dict[str, np.ndarray]:
        return examples.labels

    def output_shape(self, spec: DataSpec) -> tuple[int, ...]:  # noqa: ARG002
        return (2,)

    def build_targets(self, labels: Tree, spec: DataSpec) -> Tree:  # noqa: ARG002
        return labels

    def build_loss_terms(self, outputs: jax.Array, targets: Tree) -> dict[str, Term]:
        return {"a": Term(outputs[:, 0], targets["a"]), "b": Term(outputs[:, 1], targets["b"])}

    def decode_outputs(self, outputs: jax.Array) -> jax.Array:
        return outputs

    def compute_metrics(self, predictions: jax.Array, targets: Tree, weight: jax.Array) -> dict[str, jax.Array]:
        return {"mse": (weight * (predictions[:, 0] - targets["a"]) ** 2).sum() / weight.sum()}

    def build_prediction_columns(self, predictions: np.ndarray, classes: tuple[str, ...]) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {"prediction": predictions[:, 0]}

    def list_true_values(self, examples: Examples) -> np.ndarray:
        return examples.labels["a"]

    def compute_errors(self, predictions: np.ndarray, examples: Examples) -> np.ndarray:
        result: np.ndarray = np.abs(predictions[:, 0] - examples.labels["a"])
        return result


class Constant(nnx.Module):
    """Whatever the image: output 0 is w0, output 1 is w0 / 2 + w1, both from 0."""

    def __init__(self, inputs: tuple[int, ...], outputs: tuple[int, ...], *, rngs: nnx.Rngs) -> None:  # noqa: ARG002
        self.weight = nnx.Param(jnp.zeros(2))

    def __call__(self, x: jax.Array) -> jax.Array:
        w = self.weight[...]
        return jnp.tile(jnp.stack([w[0], w[0] / 2 + w[1]]), (len(x), 1))


NETWORK = Network(f"{Constant.__module__}.Constant", (2, 2, 1), (2,))
PLAN = NetworkProgram(
    Both(), DataSpec((2, 2, 1)), NETWORK, "gradient_descent", False, (), 4, STEPS, EPOCHS, 1, 0, "mse"
)
ROWS = np.arange(8, dtype=np.int32)[None]
DATA = TrainingData(
    images=np.zeros((N, 2, 2, 1), np.uint8),
    labels={"a": np.full(N, 3.0, np.float32), "b": np.full(N, -1.0, np.float32)},
    background_index=np.zeros(N, np.int32),
    backgrounds=np.zeros((0, 2, 2, 1), np.uint8),
    mean=np.zeros(1, np.float32),
    scale=np.ones(1, np.float32),
    train_rows=ROWS,
    train_sizes=np.array([8], np.int32),
    validation_rows=np.arange(8, 12, dtype=np.int32)[None],
    validation_weights=np.ones((1, 4), np.float32),
)


def build_loss_numbers(**changed: Any) -> Tree:
    return {"kind": np.int32(1), "weight": np.float32(1), "delta": np.float32(1)} | changed


def build_hyper(a: Tree | None = None, b: Tree | None = None, balance: str = "none", rate: float = 0.1) -> NetworkHyper:
    return NetworkHyper(
        learning_rate=np.float32(rate),
        clip=np.float32(np.inf),
        optimizer={},
        schedule={"kind": np.int32(0), "warmup": np.float32(0)},
        loss={"a": a or build_loss_numbers(), "b": b or build_loss_numbers()},
        balance=np.int32(losses.BALANCES.index(balance)),
        augment={},
        gain=np.float32(1),
        last_gain=np.float32(1),
    )
