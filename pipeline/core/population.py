"""Many lanes through one compiled program, spread over the devices."""

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from pipeline.core import compiles, fit
from pipeline.core.fit import Data, Hyper, Plan, State
from pipeline.core.network import Network
from pipeline.tasks.task import Task, Tree

PIECE = 256
"""Examples that go through a network at once where nothing is trained."""

Program = Callable[[State, Hyper, Data, Array], State]
_programs: dict[tuple[Plan, Any], Program] = {}


@cache
def mesh() -> jax.sharding.Mesh:
    return jax.make_mesh((jax.device_count(),), ("lanes",), axis_types=(AxisType.Auto,))


def place(data: Data) -> Data:
    """Data copied to every device, once."""
    placed: Data = jax.device_put(data, NamedSharding(mesh(), PartitionSpec()))  # type: ignore[no-untyped-call]
    return placed


def init(plan: Plan, seed: int, fold: int) -> State:
    """A lane before its first step, on the host."""
    state: State = jax.device_get(_init(plan)(jnp.int32(seed), jnp.int32(fold)))
    return state


def train(
    plan: Plan,
    hypers: Sequence[Hyper],
    states: Sequence[State],
    data: Data,
    finished: Callable[[int, State], None] = lambda _index, _state: None,
) -> list[State]:
    """Train lanes, each from its state to its end; states on the host, in order.

    As many lanes as there are devices go through the program at once, so it is compiled once whatever their number;
    an odd last lane is accompanied by a dead one. `finished` hears of each lane as it ends.
    """
    ended: list[State] = []
    width = jax.device_count()
    for start in range(0, len(hypers), width):
        real = min(width, len(hypers) - start)
        chosen = [min(start + lane, len(hypers) - 1) for lane in range(width)]
        until = jnp.array([plan.epochs] * real + [0] * (width - real), jnp.int32)
        chunk = stack([states[i] for i in chosen]), stack([hypers[i] for i in chosen]), data, until
        for state in unstack(jax.device_get(_program(plan, chunk)(*chunk)))[:real]:
            ended.append(state)
            finished(len(ended) - 1, state)
    return ended


def predict(plan: Plan, members: Sequence[Any], data: Data, rows: NDArray[Any]) -> NDArray[Any]:
    """Predictions of several networks (parameters, rest) for examples `rows` [M]: [members, M, ...]."""
    run = forward(plan.network, plan.task)
    return np.stack([np.asarray(run(weights, data, jnp.asarray(rows, jnp.int32))) for weights in members])


@cache
def forward(network: Network, task: Task) -> Callable[[Any, Data, Array], Array]:
    """The compiled function (weights, data, rows [M]) -> predictions [M, ...]."""

    def run(weights: tuple[Any, Any], data: Data, rows: Array) -> Array:
        return task.predictions(fit.forward(network, weights, data, rows, PIECE))

    return jax.jit(run)


def metrics(plan: Plan, predictions: NDArray[Any], data: Data, rows: NDArray[Any], weight: NDArray[Any]) -> Tree:
    """Metrics of predictions [M, ...] on examples `rows` [M] under each of several weights [W, M]: [W] by name."""
    measured: Tree = _metrics(plan)(
        jnp.asarray(predictions), data, jnp.asarray(rows, jnp.int32), jnp.asarray(weight, jnp.float32)
    )
    return measured


def stack(trees: Sequence[Any]) -> Any:
    """Trees of one shape as one tree with a leading axis of lanes."""
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *trees)


def unstack(tree: Any) -> list[Any]:
    """The inverse of `stack`."""
    lanes = len(jax.tree.leaves(tree)[0])
    return [jax.tree.map(lambda leaf, i=i: np.asarray(leaf)[i], tree) for i in range(lanes)]


@cache
def _init(plan: Plan) -> Callable[[Array, Array], State]:
    return jax.jit(partial(fit.init, plan))


@cache
def _metrics(plan: Plan) -> Callable[[Array, Data, Array, Array], Tree]:
    def run(predictions: Array, data: Data, rows: Array, weight: Array) -> Tree:
        truth = fit.targets(plan, data, rows)
        measured: Tree = jax.lax.map(lambda one: plan.task.metrics(predictions, truth, one), weight)
        return measured

    return jax.jit(run)


def _program(plan: Plan, chunk: tuple[State, Hyper, Data, Array]) -> Program:
    """The compiled program of a plan for arguments of these shapes."""
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), chunk)
    key = plan, (jax.tree.structure(shapes), tuple(jax.tree.leaves(shapes)))
    if key not in _programs:
        lanes, whole = PartitionSpec("lanes"), PartitionSpec()  # type: ignore[no-untyped-call]
        began = time.perf_counter()
        sharded = jax.shard_map(
            partial(_advance, plan),
            mesh=mesh(),
            in_specs=(lanes, lanes, whole, lanes),
            out_specs=lanes,
            check_vma=False,
        )
        _programs[key] = jax.jit(sharded).lower(*chunk).compile()
        compiles.SECONDS.append(time.perf_counter() - began)
    return _programs[key]


def _advance(plan: Plan, states: State, hypers: Hyper, data: Data, until: Array) -> State:
    """One device's lanes, each advanced to its `until`."""

    def lane(one: tuple[State, Hyper, Array]) -> State:
        state, hyper, end = one
        return fit.fit(plan, hyper, state, data, end)

    each = (states, hypers, until)
    # on CPU one lane after another is as fast as side by side, and gives the bits of a lone run
    return jax.lax.map(lane, each) if jax.default_backend() == "cpu" else jax.vmap(lane)(each)
