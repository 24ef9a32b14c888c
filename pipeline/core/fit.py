"""Training as a pure function of (Plan, Hyper, State, data).

`Plan` is static and shapes the compiled program; every number of a trial is in `Hyper`, traced; `State` is all that
changes. One lane is one call of `fit`; `pipeline.core.population` runs many.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from pipeline import keys
from pipeline.core import augment, losses, optimizers, schedules
from pipeline.core.network import Network
from pipeline.tasks.task import Spec, Task, Tree


@dataclass(frozen=True)
class Plan:
    """All that shapes the program.

    `steps` mini-batches an epoch, `epochs` in all, a validation every `every` of them; `patience` validations without
    a better `objective` stop a lane (0: never). `augment` names the augmentations that are ever on: what is not named
    costs nothing. `keep` says which weights are the result: the best on validation, or the last.
    """

    task: Task
    spec: Spec
    network: Network
    optimizer: str
    clip: bool
    augment: tuple[str, ...]
    batch_size: int
    steps: int
    epochs: int
    every: int
    patience: int
    objective: str
    keep: str = "best"

    @property
    def validations(self) -> int:
        return self.epochs // self.every


Leaf = Any
"""An array, on the host or on the device."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Hyper:
    """All that is only numbers, each a scalar: one trial's, or with a leading axis those of many lanes.

    `loss` and `schedule` hold a `kind` beside their numbers, an index into the family's tuple.
    """

    learning_rate: Leaf
    clip: Leaf
    optimizer: dict[str, Leaf]
    schedule: dict[str, Leaf]
    loss: dict[str, dict[str, Leaf]]
    augment: dict[str, Leaf]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """All that changes while a lane trains.

    `seed` and `fold` say which lane this is; `step` counts updates; `parameters` are trained, `rest` is what else the
    network carries (running means, dropout's keys); `bad_step` is the first step whose loss was not finite (-1: none);
    `stale` the validations since the best one; `curves` a value per validation, NaN where none has been yet.
    """

    seed: Array
    fold: Array
    step: Array
    parameters: Any
    rest: Any
    optimizer: Any
    best: Any
    best_value: Array
    best_epoch: Array
    stale: Array
    bad_step: Array
    curves: Tree


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Data:
    """Everything a lane reads, on the device.

    `images` uint8 [N, H, W, C] and `labels` [N, ...] of all examples; `scene` int32 [N] which of `backgrounds` uint8
    [S, H, W, C] is behind each (S is 0 where none are known); `mean` and `scale` [channels] normalise inputs; `train`
    int32 [folds, n] the rows to train on, the first `train_size` [folds] of them real; `validation` int32 [folds, m]
    with `validation_weight` [folds, m], 0 for padding.
    """

    images: Leaf
    labels: dict[str, Leaf]
    scene: Leaf
    backgrounds: Leaf
    mean: Leaf
    scale: Leaf
    train: Leaf
    train_size: Leaf
    validation: Leaf
    validation_weight: Leaf


def init(plan: Plan, seed: Array, fold: Array) -> State:
    """A lane before its first step: weights from the seed alone, so that trials of one seed start alike."""
    parameters, rest = plan.network.init(keys.stream(seed, "weights"))
    numbers = {name: jnp.float32(value) for name, value in optimizers.numbers_of(plan.optimizer).items()}
    optimizer = optimizers.transform(plan.optimizer, numbers, jnp.float32(0), _clip(plan, jnp.float32(1)))
    names = ("train_loss", "train_spread", "val_loss", "learning_rate", *plan.task.METRICS)
    direction = plan.task.METRICS[plan.objective]
    return State(
        seed=seed,
        fold=fold,
        step=jnp.int32(0),
        parameters=parameters,
        rest=rest,
        optimizer=optimizer.init(parameters),
        best=(parameters, rest),
        best_value=jnp.float32(jnp.inf if direction == "min" else -jnp.inf),
        best_epoch=jnp.int32(0),
        stale=jnp.int32(0),
        bad_step=jnp.int32(-1),
        curves={name: jnp.full(plan.validations, jnp.nan, jnp.float32) for name in names},
    )


def fit(plan: Plan, hyper: Hyper, state: State, data: Data, until: Array) -> State:
    """Advance a lane to epoch `until`, or to where it stops by itself; a lane that has stopped stays as it is."""
    return jax.lax.while_loop(
        lambda now: alive(plan, now) & (now.step < until * plan.steps),
        lambda now: _period(plan, hyper, now, data),
        state,
    )


def alive(plan: Plan, state: State) -> Array:
    """Whether a lane has more to do: neither at its end, nor diverged, nor out of patience."""
    patient = state.stale < plan.patience if plan.patience else jnp.bool_(True)
    return (state.step < plan.epochs * plan.steps) & (state.bad_step < 0) & patient


def forward(network: Network, weights: tuple[Any, Any], data: Data, rows: Array, size: int) -> Array:
    """What the network gives in inference mode for examples `rows` [M], `size` at a time: [M, *outputs]."""
    size = min(size, len(rows))
    padded = jnp.pad(rows, (0, -len(rows) % size), mode="edge").reshape(-1, size)

    def piece(batch: Array) -> Array:
        return network.apply(*weights, _inputs(data, batch, images(data, batch)), train=False)[0]

    outputs: Array = jax.lax.map(piece, padded)
    return outputs.reshape(-1, *outputs.shape[2:])[: len(rows)]


def targets(plan: Plan, data: Data, rows: Array) -> Tree:
    """The targets of examples `rows` [M], as they are without augmentation."""
    return plan.task.targets({name: values[rows] for name, values in data.labels.items()}, plan.spec)


def _period(plan: Plan, hyper: Hyper, state: State, data: Data) -> State:
    """The epochs up to the next validation, and the validation."""
    first = state.step // plan.steps
    state, losses_seen = jax.lax.scan(
        lambda now, epoch: _epoch(plan, hyper, now, data, epoch), state, first + jnp.arange(plan.every)
    )
    return _validate(plan, hyper, state, data, losses_seen[-1])


def _epoch(plan: Plan, hyper: Hyper, state: State, data: Data, epoch: Array) -> tuple[State, Array]:
    """Every training example once, in an order of its own; what does not fill a last batch waits for the next."""
    rows, size = data.train[state.fold], data.train_size[state.fold]
    draws = jax.random.uniform(keys.stream(state.seed, "shuffle", epoch), rows.shape)
    order = jnp.argsort(jnp.where(jnp.arange(len(rows)) < size, draws, 2.0))
    batches = rows[order[: plan.steps * plan.batch_size]].reshape(plan.steps, plan.batch_size)
    return jax.lax.scan(lambda now, batch: _step(plan, hyper, now, data, batch), state, batches)


def _step(plan: Plan, hyper: Hyper, state: State, data: Data, batch: Array) -> tuple[State, Array]:
    """One update from one mini-batch of rows [B]."""
    inputs, truth = _augmented(plan, hyper, data, batch, keys.stream(state.seed, "augment", state.step))

    def loss(parameters: Any) -> tuple[Array, Any]:
        outputs, rest = plan.network.apply(parameters, state.rest, inputs, train=True)
        return _loss(plan, hyper, outputs, truth).mean(), rest

    (value, rest), gradient = jax.value_and_grad(loss, has_aux=True)(state.parameters)
    optimizer = optimizers.transform(
        plan.optimizer, hyper.optimizer, learning_rate(plan, hyper, state.step), _clip(plan, hyper.clip)
    )
    updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.parameters)
    bad = (state.bad_step < 0) & ~jnp.isfinite(value)
    return replace(
        state,
        step=state.step + 1,
        parameters=optax.apply_updates(state.parameters, updates),
        rest=rest,
        optimizer=optimizer_state,
        bad_step=jnp.where(bad, state.step, state.bad_step),
    ), value


def _validate(plan: Plan, hyper: Hyper, state: State, data: Data, epoch_losses: Array) -> State:
    """Measure without updating, note it in the curves, keep the weights where they are the best so far."""
    rows, weight = data.validation[state.fold], data.validation_weight[state.fold]
    outputs = forward(plan.network, (state.parameters, state.rest), data, rows, plan.batch_size)
    truth = targets(plan, data, rows)
    measured = plan.task.metrics(plan.task.predictions(outputs), truth, weight)
    each = _loss(plan, hyper, outputs, truth)
    seen = measured | {
        "train_loss": epoch_losses.mean(),
        "train_spread": epoch_losses.std(),
        "val_loss": jnp.where(weight > 0, each * weight, 0.0).sum() / weight.sum(),
        "learning_rate": learning_rate(plan, hyper, state.step - 1),
    }
    value = measured[plan.objective]
    # the loss too: some metrics are finite where the outputs are not (the likeliest of NaNs is the first class)
    finite = jnp.isfinite(value) & jnp.isfinite(seen["val_loss"])
    bad = (state.bad_step < 0) & ~finite
    minimise = plan.task.METRICS[plan.objective] == "min"
    better = (value < state.best_value) if minimise else (value > state.best_value)
    better = (better | (plan.keep == "last")) & finite & (state.bad_step < 0)
    epoch = state.step // plan.steps
    return replace(
        state,
        best=jax.tree.map(lambda new, old: jnp.where(better, new, old), (state.parameters, state.rest), state.best),
        best_value=jnp.where(better, value, state.best_value),
        best_epoch=jnp.where(better, epoch, state.best_epoch),
        stale=jnp.where(better, 0, state.stale + 1),
        bad_step=jnp.where(bad, state.step - 1, state.bad_step),
        curves={name: curve.at[epoch // plan.every - 1].set(seen[name]) for name, curve in state.curves.items()},
    )


def images(data: Data, rows: Array) -> Array:
    """Images of examples `rows`, float32 in 0..1."""
    image: Array = data.images[rows].astype(jnp.float32) / 255
    return image


def _inputs(data: Data, rows: Array, image: Array) -> Array:
    """What the network sees of `image` [B, H, W, C]: beside it, if known, its difference to the background; normal."""
    if len(data.backgrounds):
        image = jnp.concatenate([image, image - data.backgrounds[data.scene[rows]].astype(jnp.float32) / 255], -1)
    normal: Array = (image - data.mean) * data.scale
    return normal


def _augmented(plan: Plan, hyper: Hyper, data: Data, rows: Array, key: Array) -> tuple[Array, Tree]:
    """Inputs and targets of examples `rows`, each made different by chance.

    Light changes before the background is taken off, as it would in front of a camera; what moves, moves both.
    """
    sample = {name: values[rows] for name, values in data.labels.items()} | {"image": images(data, rows)}
    sample = augment.apply(_of(plan, augment.PHOTOMETRIC), key, sample, hyper.augment)
    sample["image"] = _inputs(data, rows, sample["image"])
    sample = augment.apply(_of(plan, augment.GEOMETRIC), key, sample, hyper.augment)
    inputs = sample.pop("image")
    return inputs, plan.task.targets(sample, plan.spec)


def _of(plan: Plan, family: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(member.__name__ for member in family if member.__name__ in plan.augment)


def _loss(plan: Plan, hyper: Hyper, outputs: Array, truth: Tree) -> Array:
    """The weighted sum of the task's terms for each example [B]."""
    total = jnp.zeros(len(outputs))
    for name, (prediction, wanted) in plan.task.terms(outputs, truth).items():
        numbers = hyper.loss[name]
        family = plan.task.families[name]
        total += numbers["weight"] * losses.apply(family, numbers["kind"], numbers, prediction, wanted)
    return total


def learning_rate(plan: Plan, hyper: Hyper, step: Array) -> Array:
    """The rate of update number `step`, counted from 0."""
    numbers = hyper.schedule
    rate: Array = hyper.learning_rate * schedules.factor(numbers["kind"], numbers, step, plan.steps, plan.epochs)
    return rate


def _clip(plan: Plan, clip: Array) -> Array | None:
    return clip if plan.clip else None
