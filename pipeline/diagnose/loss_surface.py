"""The loss on lines and planes through the space of parameters; everything here is pure.

A point is `origin + sum of coordinates * directions`. The loss is measured on fixed sets of examples, so all points
share their sampling error, which is given beside it.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.sharding import PartitionSpec
from numpy.typing import NDArray

from thalweg.core.types import Tree
from thalweg.engine import devices
from thalweg.system import progress
from thalweg.training import batches, composite_loss
from thalweg.training.plan import NetworkHyper
from thalweg.training.program import NetworkProgram

Floats = NDArray[np.float64]

CHUNK_SIZE = 16
"""Examples that go through the network at once; 64 exceed the nearest cache and take a third longer."""
POINTS_AT_ONCE = 64
"""Points of a map in one call, after which the map's progress is known."""


class EvaluationSets(NamedTuple):
    """S sets of n examples that the loss is measured on: `inputs` [S, n, ...] and `truth` [S, n, ...]."""

    inputs: Array
    truth: Tree


def build_evaluation_sets(plan: NetworkProgram, data: Any, sets: Sequence[NDArray[np.integer]]) -> EvaluationSets:
    """Gather sets of equally many rows, without augmentation."""
    rows = jnp.asarray(np.stack(sets), jnp.int32)

    def gather_set(rows: Array) -> EvaluationSets:
        inputs = batches.gather_network_inputs(plan.task, data, rows)
        return EvaluationSets(inputs, batches.gather_targets(plan, data, rows))

    gathered: EvaluationSets = jax.jit(lambda rows: jax.lax.map(gather_set, rows))(rows)
    return gathered


def compute_example_losses(
    plan: NetworkProgram, hyper: NetworkHyper, weights: tuple[Any, Any], coefficients: Array, examples: EvaluationSets
) -> Array:
    """Compute the loss of each example of one set [n], in inference mode."""
    count = len(examples.inputs)

    def compute_chunk_losses(chunk: EvaluationSets) -> Array:
        outputs = plan.network.apply(*weights, chunk.inputs, train=False)[0]
        losses = composite_loss.compute_term_losses(plan, hyper, outputs, chunk.truth)
        return composite_loss.weighted_sum(losses, coefficients)

    chunks = jax.tree.map(lambda leaf: _split_chunks(leaf, min(CHUNK_SIZE, count)), examples)
    losses: Array = jax.lax.map(compute_chunk_losses, chunks)
    return losses.reshape(-1)[:count]


def _split_chunks(leaf: Array, size: int) -> Array:
    missing = -len(leaf) % size
    padded = jnp.concatenate([leaf, jnp.repeat(leaf[-1:], missing, 0)]) if missing else leaf
    return padded.reshape(-1, size, *leaf.shape[1:])


def compute_point_losses(
    plan: NetworkProgram,
    hyper: NetworkHyper,
    weights: tuple[Any, Any],
    directions: Any,
    points: Floats,
    sets: EvaluationSets,
) -> Floats:
    """Compute the loss of each example at `points` [P, D], weights + points @ directions (leaves [D, ...]): [P, S, n].

    Points are spread over the devices and computed in sequence, as lanes are: each has the bits that it has alone.
    """
    size = jax.device_count() * math.ceil(min(POINTS_AT_ONCE, len(points)) / jax.device_count())
    padded = np.concatenate([points, np.repeat(points[-1:], -len(points) % size, 0)]).astype(np.float32)
    losses = []
    for start in range(0, len(points), size):
        chunk = jnp.asarray(padded[start : start + size])
        losses.append(np.asarray(_compile_point_losses(plan)(hyper, weights, directions, chunk, sets), np.float64))
        progress.advance(min(size, len(points) - start))
    return np.concatenate(losses)[: len(points)]


@cache
def _compile_point_losses(plan: NetworkProgram) -> Any:
    lanes, replicated = PartitionSpec("lanes"), PartitionSpec()  # type: ignore[no-untyped-call]

    def run_on_device(
        hyper: NetworkHyper, weights: tuple[Any, Any], directions: Any, points: Array, sets: EvaluationSets
    ) -> Any:
        coefficients = compute_final_coefficients(plan, hyper)

        def run_point(coordinates: Array) -> Array:
            moved = shift_parameters(weights[0], directions, coordinates), weights[1]
            losses: Array = jax.lax.map(lambda s: compute_example_losses(plan, hyper, moved, coefficients, s), sets)
            return losses

        return jax.lax.map(run_point, points)

    return jax.jit(
        jax.shard_map(
            run_on_device,
            mesh=devices.device_mesh(),
            in_specs=(replicated, replicated, replicated, lanes, replicated),
            out_specs=lanes,
            check_vma=False,
        )
    )


def compute_final_coefficients(plan: NetworkProgram, hyper: NetworkHyper) -> Array:
    """Return the coefficient of each term at the end of training [K], without balancing."""
    return composite_loss.compute_coefficients(
        plan, hyper, jnp.zeros(len(composite_loss.list_terms(plan))), jnp.int32(plan.steps_per_epoch * plan.epochs - 1)
    )


def shift_parameters(origin: Any, directions: Any, coordinates: Array) -> Any:
    """Return origin + coordinates [D] @ directions [D, ...]."""
    return jax.tree.map(lambda leaf, direction: leaf + jnp.tensordot(coordinates, direction, 1), origin, directions)


def draw_filter_directions(key: Array, parameters: Any, count: int) -> Any:
    """Draw `count` random directions with filters as long as the network's own: trees with a leading [count].

    So a picture does not depend on how a rectifier's scale is spread over layers. A filter makes one output of a layer
    (the last axis of a matrix); biases and scales do not move. Li et al., "Visualizing the loss landscape of neural
    nets", 2018, section 4. In a network without matrices every leaf is a filter.
    """
    leaves, structure = jax.tree.flatten(parameters)
    matrices = any(leaf.ndim > 1 for leaf in leaves)

    def draw_leaf(leaf: Array, key: Array) -> Array:
        if matrices and leaf.ndim < 2:
            return jnp.zeros((count, *leaf.shape), leaf.dtype)
        direction = jax.random.normal(key, (count, *leaf.shape))
        filter_axes = tuple(range(leaf.ndim - 1 if matrices else leaf.ndim))
        length = jnp.sqrt(jnp.square(leaf).sum(filter_axes, keepdims=True))
        drawn_length = jnp.sqrt(jnp.square(direction).sum(tuple(axis + 1 for axis in filter_axes), keepdims=True))
        return direction / jnp.maximum(drawn_length, 1e-12) * length

    keys = jax.random.split(key, len(leaves))
    return jax.tree.unflatten(structure, map(draw_leaf, leaves, keys))


class TrajectoryPlane(NamedTuple):
    """The principal plane of a path through parameters.

    `directions` [2] have unit length; `coordinates` [T, 2] are those of its points from the last one; `variance_shares`
    [2] are the shares of the path's variance about its end along each direction.
    """

    directions: Any
    coordinates: Floats
    variance_shares: Floats


def fit_principal_plane(path: Sequence[Any]) -> TrajectoryPlane:
    """Fit the plane of a path's offsets from its end: the first two principal directions of w_t - w_end.

    Li et al. 2018, section 7. Signs are such that the path begins where both coordinates are 0 or more.
    """
    unravel = ravel_pytree(path[-1])[1]
    flat = np.stack([np.asarray(ravel_pytree(parameters)[0], np.float64) for parameters in path])
    offsets = flat - flat[-1]
    # the small Gram matrix of the points has the same nonzero eigenvalues as the large covariance
    values, vectors = np.linalg.eigh(offsets @ offsets.T)
    order = np.argsort(values)[::-1][:2]
    lengths = np.sqrt(np.maximum(values[order], 0.0))
    unit = (vectors[:, order].T @ offsets) / np.maximum(lengths, 1e-300)[:, None]
    signs = np.where((offsets[:1] @ unit.T)[0] < 0, -1.0, 1.0)
    unit = unit * signs[:, None]
    total = max(float(np.maximum(values, 0.0).sum()), 1e-300)
    directions = jax.vmap(unravel)(jnp.asarray(unit, jnp.float32))
    return TrajectoryPlane(directions, offsets @ unit.T, np.maximum(values[order], 0.0) / total)


def build_grid(low: Sequence[float], high: Sequence[float], points: int) -> Floats:
    """Return points x points grid points [P, 2] of a rectangle, the first coordinate the slower; zeros are exact."""
    lines = [(np.linspace(a, b, points), b - a) for a, b in zip(low, high, strict=True)]
    axes = [np.where(np.abs(line) < 1e-12 * side, 0.0, line) for line, side in lines]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], -1)


def bounding_box(points: Floats) -> tuple[list[float], list[float]]:
    """Return the corners of a rectangle around points [T, 2] and (0, 0), with a margin of a quarter of each side.

    No side is shorter than a quarter of the longer one, so that the valley beside a straight path is seen too.
    """
    low, high = np.minimum(points.min(0), 0.0), np.maximum(points.max(0), 0.0)
    sides = np.maximum(high - low, (high - low).max() / 4)
    middle, reach = (low + high) / 2, sides * 0.75
    return (middle - reach).tolist(), (middle + reach).tolist()


def connecting_direction(first: Any, second: Any) -> Any:
    """Return the direction [1] from one point to another."""
    return jax.tree.map(lambda a, b: jnp.asarray(b - a)[None], first, second)


@cache
def build_mean_loss(plan: NetworkProgram) -> Callable[[Any, tuple[Any, NetworkHyper, EvaluationSets]], Array]:
    """Return the function of parameters whose curvature is measured: the mean loss over the first set of examples.

    Its second argument is (model state, hyper, sets). The same plan gives the same function, so that it compiles once.
    """

    def compute_mean_loss(parameters: Any, inputs: tuple[Any, NetworkHyper, EvaluationSets]) -> Array:
        model_state, hyper, sets = inputs
        first_set = jax.tree.map(lambda leaf: leaf[0], sets)
        coefficients = compute_final_coefficients(plan, hyper)
        return compute_example_losses(plan, hyper, (parameters, model_state), coefficients, first_set).mean()

    return compute_mean_loss
