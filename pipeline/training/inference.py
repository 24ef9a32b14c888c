"""Predictions of trained networks, and metrics of predictions."""

import math
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
from thalweg.training.plan import TrainingData
from thalweg.training.program import NetworkProgram

CHUNK_SIZE = 256  # examples that go through a network at once, at most
CHUNK_BYTES = 2**22  # of their inputs, at most: large images are as many as a few MiB


def predict_examples(
    plan: NetworkProgram, networks: Sequence[Any], data: TrainingData, rows: NDArray[Any]
) -> NDArray[Any]:
    """Predict examples `rows` [M] with several networks (parameters, model_state): [networks, M, ...]."""
    run = build_predictor(plan.network, plan.task)
    return np.stack([np.asarray(run(weights, data, jnp.asarray(rows, jnp.int32))) for weights in networks])


@cache
def build_predictor(
    network: Network, task: Task, *, already_observed: bool = False
) -> Callable[[Any, TrainingData, Array], Array]:
    """Compile the function (weights, data, rows [M]) -> predictions [M, ...].

    The task corrupts the images if it does so in training, unless they are `already_observed`. A task with `mirror`
    averages the predictions for images and mirror images.
    """

    def predict_images(weights: tuple[Any, Any], data: TrainingData, rows: Array, mirrored: bool) -> Array:
        def predict_chunk(rows: Array) -> Array:
            images = (
                batches.gather_images(data, rows) if already_observed else batches.gather_task_inputs(task, data, rows)
            )
            inputs = batches.normalise_images(data, rows, images)
            return network.apply(*weights, inputs[:, :, ::-1] if mirrored else inputs, train=False)[0]

        chunks = batches.split_chunks(rows, count_chunk_examples(network.inputs))
        outputs = batches.join_chunks(jax.lax.map(predict_chunk, chunks), len(rows))
        return task.decode_outputs(outputs)

    def predict_rows(weights: tuple[Any, Any], data: TrainingData, rows: Array) -> Array:
        straight = predict_images(weights, data, rows, False)
        if not task.mirror:
            return straight
        return (straight + task.unmirror_predictions(predict_images(weights, data, rows, True), network.inputs[1])) / 2

    return jax.jit(predict_rows)


def count_chunk_examples(shape: tuple[int, ...]) -> int:
    """Count the examples that go through a network at once, by the shape of one input [h, w, C] in float32."""
    return min(CHUNK_SIZE, max(1, CHUNK_BYTES // (4 * math.prod(shape))))


def read_task_inputs(plan: NetworkProgram, data: TrainingData, rows: NDArray[Any]) -> NDArray[np.float32]:
    """Read the task's inputs of examples `rows` [M], before normalisation: [M, h, w, C] in 0..1."""
    return np.asarray(
        jax.jit(batches.gather_task_inputs, static_argnums=0)(plan.task, data, jnp.asarray(rows, jnp.int32))
    )


def score_predictions(
    plan: NetworkProgram, predictions: NDArray[Any], data: TrainingData, rows: NDArray[Any], weights: NDArray[Any]
) -> Tree:
    """Measure predictions [M, ...] on examples `rows` [M] under several weightings [W, M]: metrics [W] by name."""
    measured: Tree = _build_scorer(plan)(
        jnp.asarray(predictions), data, jnp.asarray(rows, jnp.int32), jnp.asarray(weights, jnp.float32)
    )
    return measured


def score_rows(
    plan: NetworkProgram, predictions: NDArray[Any], data: TrainingData, rows: NDArray[Any]
) -> dict[str, float]:
    """Measure predictions [M, ...] on examples `rows` [M], each counted once: metrics by name."""
    measured = score_predictions(plan, predictions, data, rows, np.ones((1, len(rows))))
    return {name: float(measured[name][0]) for name in plan.task.metric_directions}


@cache
def _build_scorer(plan: NetworkProgram) -> Callable[[Array, TrainingData, Array, Array], Tree]:
    def score_weightings(predictions: Array, data: TrainingData, rows: Array, weights: Array) -> Tree:
        truth = batches.gather_targets(plan, data, rows)
        measured: Tree = jax.lax.map(lambda weight: plan.task.measure_predictions(predictions, truth, weight), weights)
        return measured

    return jax.jit(score_weightings)
