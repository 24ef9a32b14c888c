"""What trained networks make of examples: predictions, and metrics of predictions."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from thalweg.core.network import Network
from thalweg.core.types import Tree
from thalweg.tasks import Task
from thalweg.training import batches
from thalweg.training.plan import Data
from thalweg.training.program import NetworkProgram

PIECE = 256
"""Examples that go through a network at once."""


def predict(plan: NetworkProgram, members: Sequence[Any], data: Data, rows: NDArray[Any]) -> NDArray[Any]:
    """Predictions of several networks (parameters, rest) for examples `rows` [M]: [members, M, ...]."""
    run = forward(plan.network, plan.task)
    return np.stack([np.asarray(run(weights, data, jnp.asarray(rows, jnp.int32))) for weights in members])


@cache
def forward(network: Network, task: Task, *, as_is: bool = False) -> Callable[[Any, Data, Array], Array]:
    """The compiled function (weights, data, rows [M]) -> predictions [M, ...].

    The network is given what the task observes of the images; `as_is`: the images, which have been observed already.
    Where the task asks for it, their mirror images, too.
    """

    def told(weights: tuple[Any, Any], data: Data, rows: Array, mirrored: bool) -> Array:
        def piece(rows: Array) -> Array:
            images = batches.images(data, rows) if as_is else batches.given(task, data, rows)
            inputs = batches.normal(data, rows, images)
            return network.apply(*weights, inputs[:, :, ::-1] if mirrored else inputs, train=False)[0]

        outputs = batches.joined(jax.lax.map(piece, batches.pieces(rows, PIECE)), len(rows))
        return task.predictions(outputs)

    def run(weights: tuple[Any, Any], data: Data, rows: Array) -> Array:
        straight = told(weights, data, rows, False)
        if not task.mirror:
            return straight
        return (straight + task.mirrored(told(weights, data, rows, True), network.inputs[1])) / 2

    return jax.jit(run)


def given(plan: NetworkProgram, data: Data, rows: NDArray[Any]) -> NDArray[np.float32]:
    """What the network is given of examples `rows` [M], before it is normalised: [M, h, w, C] in 0..1."""
    return np.asarray(jax.jit(batches.given, static_argnums=0)(plan.task, data, jnp.asarray(rows, jnp.int32)))


def metrics(
    plan: NetworkProgram, predictions: NDArray[Any], data: Data, rows: NDArray[Any], weight: NDArray[Any]
) -> Tree:
    """Metrics of predictions [M, ...] on examples `rows` [M] under each of several weights [W, M]: [W] by name."""
    measured: Tree = _metrics(plan)(
        jnp.asarray(predictions), data, jnp.asarray(rows, jnp.int32), jnp.asarray(weight, jnp.float32)
    )
    return measured


def scores(plan: NetworkProgram, predictions: NDArray[Any], data: Data, rows: NDArray[Any]) -> dict[str, float]:
    """Metrics of predictions [M, ...] on examples `rows` [M], each counted once."""
    measured = metrics(plan, predictions, data, rows, np.ones((1, len(rows))))
    return {name: float(measured[name][0]) for name in plan.task.METRICS}


@cache
def _metrics(plan: NetworkProgram) -> Callable[[Array, Data, Array, Array], Tree]:
    def run(predictions: Array, data: Data, rows: Array, weight: Array) -> Tree:
        truth = batches.targets(plan, data, rows)
        measured: Tree = jax.lax.map(lambda one: plan.task.metrics(predictions, truth, one), weight)
        return measured

    return jax.jit(run)
