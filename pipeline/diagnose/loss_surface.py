"""The loss over the space of parameters, seen in a line or plane through it; everything here is pure.

A place is `origin + sum of coordinates * directions`. The loss there is measured on fixed sets of examples, so that the
whole picture shares their sampling error, which is given beside it.
"""

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
from thalweg.engine import workers
from thalweg.training import batches, composite_loss
from thalweg.training.plan import NetworkHyper
from thalweg.training.program import NetworkProgram

Floats = NDArray[np.float64]

CHUNK_SIZE = 16
"""Examples that go through the network at once: with 64 a place takes a third more, as they leave the nearest cache."""


class EvaluationSets(NamedTuple):
    """On what the loss is measured: `inputs` [S, n, ...] and `truth` [S, n, ...] of S sets of n examples."""

    inputs: Array
    truth: Tree


def build_evaluation_sets(plan: NetworkProgram, data: Any, sets: Sequence[NDArray[np.integer]]) -> EvaluationSets:
    """Sets of as many rows each, as they are without augmentation."""
    rows = jnp.asarray(np.stack(sets), jnp.int32)

    def look(rows: Array) -> EvaluationSets:
        return EvaluationSets(
            batches.gather_network_inputs(plan.task, data, rows), batches.gather_targets(plan, data, rows)
        )

    looked: EvaluationSets = jax.jit(lambda rows: jax.lax.map(look, rows))(rows)
    return looked


def compute_example_losses(
    plan: NetworkProgram, hyper: NetworkHyper, weights: tuple[Any, Any], coefficient: Array, one: EvaluationSets
) -> Array:
    """The loss of each example of one set [n], in inference mode."""
    count = len(one.inputs)

    def piece(cut: EvaluationSets) -> Array:
        outputs = plan.network.apply(*weights, cut.inputs, train=False)[0]
        return composite_loss.weighted_sum(
            composite_loss.compute_term_losses(plan, hyper, outputs, cut.truth), coefficient
        )

    losses: Array = jax.lax.map(piece, jax.tree.map(lambda leaf: _split_chunks(leaf, min(CHUNK_SIZE, count)), one))
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
    """The loss of each example at `points` [P, D], weights + places @ directions (leaves [D, ...]): [P, S, n].

    Places are spread over the devices and taken one after the other, as lanes are: each has the bits it has alone.
    """
    devices = jax.device_count()
    padded = np.concatenate([points, np.repeat(points[-1:], -len(points) % devices, 0)]).astype(np.float32)
    return np.asarray(_compile_point_losses(plan)(hyper, weights, directions, jnp.asarray(padded), sets), np.float64)[
        : len(points)
    ]


@cache
def _compile_point_losses(plan: NetworkProgram) -> Any:
    lanes, whole = PartitionSpec("lanes"), PartitionSpec()  # type: ignore[no-untyped-call]

    def device(
        hyper: NetworkHyper, weights: tuple[Any, Any], directions: Any, places: Array, on: EvaluationSets
    ) -> Any:
        coefficient = compute_final_coefficients(plan, hyper)

        def place(coordinates: Array) -> Array:
            moved = shift_parameters(weights[0], directions, coordinates), weights[1]
            losses: Array = jax.lax.map(lambda one: compute_example_losses(plan, hyper, moved, coefficient, one), on)
            return losses

        return jax.lax.map(place, places)

    return jax.jit(
        jax.shard_map(
            device,
            mesh=workers.device_mesh(),
            in_specs=(whole, whole, whole, lanes, whole),
            out_specs=lanes,
            check_vma=False,
        )
    )


def compute_final_coefficients(plan: NetworkProgram, hyper: NetworkHyper) -> Array:
    """What each term counts for at the end of training [K], balancing aside."""
    return composite_loss.compute_coefficients(
        plan, hyper, jnp.zeros(len(composite_loss.list_terms(plan))), jnp.int32(plan.steps_per_epoch * plan.epochs - 1)
    )


def shift_parameters(origin: Any, directions: Any, coordinates: Array) -> Any:
    """origin + coordinates [D] @ directions [D, ...]."""
    return jax.tree.map(lambda leaf, way: leaf + jnp.tensordot(coordinates, way, 1), origin, directions)


def draw_filter_directions(key: Array, parameters: Any, count: int) -> Any:
    """`count` random directions, each filter of which is as long as the network's own: trees with a leading [count].

    So a picture does not depend on how a rectifier's scale is spread over layers. A filter is what makes one output of
    a layer, the last axis of a matrix; biases and scales do not move. Li et al., "Visualizing the loss landscape of
    neural nets", 2018, section 4. In a network without matrices every leaf is a filter.
    """
    leaves, form = jax.tree.flatten(parameters)
    matrices = any(leaf.ndim > 1 for leaf in leaves)

    def way(leaf: Array, key: Array) -> Array:
        if matrices and leaf.ndim < 2:
            return jnp.zeros((count, *leaf.shape), leaf.dtype)
        drawn = jax.random.normal(key, (count, *leaf.shape))
        others = tuple(range(leaf.ndim - 1 if matrices else leaf.ndim))
        length = jnp.sqrt(jnp.square(leaf).sum(others, keepdims=True))
        own = jnp.sqrt(jnp.square(drawn).sum(tuple(axis + 1 for axis in others), keepdims=True))
        return drawn / jnp.maximum(own, 1e-12) * length

    keys = jax.random.split(key, len(leaves))
    return jax.tree.unflatten(form, [way(leaf, own) for leaf, own in zip(leaves, keys, strict=True)])


class TrajectoryPlane(NamedTuple):
    """A way through parameters, in its principal plane.

    `directions` [2] of unit length, `places` [T, 2] of its points from the last one, `shares` [2] of the way's variance
    about its end that each direction holds.
    """

    directions: Any
    coordinates: Floats
    variance_shares: Floats


def fit_principal_plane(path: Sequence[Any]) -> TrajectoryPlane:
    """The plane that holds most of a way's steps from its end: the first two principal directions of w_t - w_end.

    Li et al. 2018, section 7. Their signs are such that the way begins where both coordinates are 0 or more.
    """
    unravel = ravel_pytree(path[-1])[1]
    flat = np.stack([np.asarray(ravel_pytree(one)[0], np.float64) for one in path])
    apart = flat - flat[-1]
    # as many numbers as there are points decide: the small Gram matrix has the same eigenvectors, seen from the points
    values, vectors = np.linalg.eigh(apart @ apart.T)
    order = np.argsort(values)[::-1][:2]
    lengths = np.sqrt(np.maximum(values[order], 0.0))
    unit = (vectors[:, order].T @ apart) / np.maximum(lengths, 1e-300)[:, None]
    signs = np.where((apart[:1] @ unit.T)[0] < 0, -1.0, 1.0)
    unit = unit * signs[:, None]
    total = max(float(np.maximum(values, 0.0).sum()), 1e-300)
    directions = jax.vmap(unravel)(jnp.asarray(unit, jnp.float32))
    return TrajectoryPlane(directions, apart @ unit.T, np.maximum(values[order], 0.0) / total)


def build_grid(low: Sequence[float], high: Sequence[float], points: int) -> Floats:
    """points x points places [P, 2] over a rectangle, the first coordinate the slower; what is 0 is so exactly."""
    lines = [(np.linspace(a, b, points), b - a) for a, b in zip(low, high, strict=True)]
    axes = [np.where(np.abs(line) < 1e-12 * side, 0.0, line) for line, side in lines]
    return np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], -1)


def bounding_box(points: Floats) -> tuple[list[float], list[float]]:
    """The corners of a rectangle around places [T, 2] and (0, 0), with a margin of a quarter of each side.

    No side is shorter than a quarter of the longer one: a straight way has a valley beside it, too.
    """
    low, high = np.minimum(points.min(0), 0.0), np.maximum(points.max(0), 0.0)
    sides = np.maximum(high - low, (high - low).max() / 4)
    middle, reach = (low + high) / 2, sides * 0.75
    return (middle - reach).tolist(), (middle + reach).tolist()


def connecting_direction(first: Any, second: Any) -> Any:
    """The direction [1] that leads from one place to another."""
    return jax.tree.map(lambda a, b: jnp.asarray(b - a)[None], first, second)


@cache
def build_mean_loss(plan: NetworkProgram) -> Callable[[Any, tuple[Any, NetworkHyper, EvaluationSets]], Array]:
    """The function of parameters whose gradient and curvature are asked for: the mean over the first set of examples.

    The second argument is (rest, hyper, ground); the same plan gives the same function, so that it is compiled once.
    """

    def mean(parameters: Any, given: tuple[Any, NetworkHyper, EvaluationSets]) -> Array:
        rest, hyper, on = given
        first = jax.tree.map(lambda leaf: leaf[0], on)
        return compute_example_losses(
            plan, hyper, (parameters, rest), compute_final_coefficients(plan, hyper), first
        ).mean()

    return mean
