"""Training as a pure function of (Plan, Hyper, State, Data).

`advance` trains a block of lanes that share a seed, a fold and a step, so that each mini-batch is gathered and
augmented once for all of them; whatever else a lane has is its own. `thalweg.engine.population` makes the blocks.
"""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from thalweg.core import optimizers, rng, schedules
from thalweg.core.types import Tree
from thalweg.engine.lane import Data, Hyper, Plan, State
from thalweg.engine.lane_map import Each, put_at, take_at
from thalweg.training import batches, composite_loss

STRETCH = 2**22
"""Bytes of the batches that are made at once."""


def init(plan: Plan, seed: Array, fold: Array) -> State:
    """A lane before its first step: weights from the seed alone, so that trials of one seed start alike."""
    parameters, rest = plan.network.init(rng.key(seed, "weights"))
    numbers = {name: jnp.float32(value) for name, value in optimizers.numbers_of(plan.optimizer).items()}
    optimizer = optimizers.transform(plan.optimizer, numbers, jnp.float32(0), _clip(plan, jnp.float32(1)))
    names = (
        "train_loss",
        "train_spread",
        "val_loss",
        "learning_rate",
        *plan.task.METRICS,
        *composite_loss.curves(plan),
    )
    return State(
        seed=seed,
        fold=fold,
        step=jnp.int32(0),
        parameters=parameters,
        rest=rest,
        optimizer=optimizer.init(parameters),
        balance=jnp.zeros(len(composite_loss.names(plan))),
        best=(parameters, rest),
        best_value=jnp.float32(plan.task.sign(plan.objective) * jnp.inf),
        best_epoch=jnp.int32(0),
        stale=jnp.int32(0),
        bad_step=jnp.int32(-1),
        curves={name: jnp.full(plan.validations, jnp.nan, jnp.float32) for name in names},
    )


def advance(plan: Plan, each: Each, hypers: Hyper, states: State, data: Data, until: Array) -> State:
    """Advance each lane of a block [L] to its epoch `until` [L], or to where it stops by itself.

    Of the lanes that have some way to go, all must be of one seed and fold and at one step; the others, which stay as
    they are, may be anything.
    """

    def going(states: State) -> Array:
        return alive(plan, states) & (states.step < until * plan.steps)

    after: State = jax.lax.while_loop(
        lambda states: going(states).any(),
        lambda states: _period(plan, each, hypers, states, data, going(states)),
        states,
    )
    return after


def alive(plan: Plan, state: State) -> Array:
    """Whether a lane, or each of many, has more to do: neither at its end, nor diverged, nor out of patience."""
    patient = state.stale < plan.patience if plan.patience else True
    return (state.step < plan.epochs * plan.steps) & (state.bad_step < 0) & patient


class _Learner(NamedTuple):
    """What of a lane changes in every step."""

    parameters: Any
    rest: Any
    optimizer: Any
    balance: Array
    bad_step: Array


def _period(plan: Plan, each: Each, hypers: Hyper, states: State, data: Data, on: Array) -> State:
    """The epochs up to the next validation, and the validation, of those lanes that are `on` [L]."""
    first = jnp.argmax(on)
    seed, fold, begun = states.seed[first], states.fold[first], epochs(plan, states.step[first])

    def epoch(learners: _Learner, number: Array) -> tuple[_Learner, Array]:
        return _epoch(plan, each, hypers, learners, data, on, (seed, fold, number))

    learners = _Learner(states.parameters, states.rest, states.optimizer, states.balance, states.bad_step)
    learners, seen = jax.lax.scan(epoch, learners, begun + jnp.arange(plan.every))
    states = replace(
        states,
        step=jnp.where(on, states.step + plan.every * plan.steps, states.step),
        parameters=learners.parameters,
        rest=learners.rest,
        optimizer=learners.optimizer,
        balance=learners.balance,
        bad_step=learners.bad_step,
    )
    return _validated(plan, each, hypers, states, data, on, fold, seen[-1])


def _epoch(
    plan: Plan, each: Each, hypers: Hyper, learners: _Learner, data: Data, on: Array, clock: tuple[Array, Array, Array]
) -> tuple[_Learner, Array]:
    """One epoch of lanes that share (seed, fold, epoch), and the losses of its batches [L, steps].

    In stretches: a few batches are made, then each lane takes all of them, so that its weights stay near the processor.
    """
    seed, fold, number = clock
    strengths = {name: strength[jnp.argmax(on)] for name, strength in hypers.augment.items()}
    length = _stretch(plan)
    stretches = -(-plan.steps // length)

    def batch(given: tuple[Array, Array], strengths: Tree) -> tuple[Array, Tree]:
        rows, step = given
        return batches.augmented(plan, strengths, data, rows, rng.key(seed, "augment", step))

    def stretch(learners: _Learner, given: tuple[Array, Array]) -> tuple[_Learner, Array]:
        steps = given[1]
        shared = None if plan.tuned else jax.lax.map(lambda one: batch(one, strengths), given)

        def lane(lane: tuple[_Learner, Array], hyper: Hyper) -> tuple[_Learner, Array]:
            def step(place: Array, lane: tuple[_Learner, Array]) -> tuple[_Learner, Array]:
                learner, seen = lane
                of_step = jax.tree.map(lambda leaf: take_at(leaf, place), given if shared is None else shared)
                inputs, truth = batch(of_step, hyper.augment) if shared is None else of_step
                learner, loss = _updated(plan, hyper, learner, steps[place], inputs, truth)
                return learner, put_at(seen, place, loss)

            # a last stretch may be shorter than the others
            left = jnp.minimum(length, (number + 1) * plan.steps - steps[0])
            after: tuple[_Learner, Array] = jax.lax.fori_loop(0, left, step, lane)
            return after

        after: tuple[_Learner, Array] = each(lane, on, (learners, jnp.zeros((len(on), length))), hypers)
        return after

    missing = stretches * length - plan.steps
    rows = jnp.pad(batches.batches(plan, data, seed, fold, number), ((0, missing), (0, 0)), mode="edge")
    steps = number * plan.steps + jnp.arange(stretches * length)
    pieces = rows.reshape(stretches, length, -1), steps.reshape(stretches, length)
    learners, seen = jax.lax.scan(stretch, learners, pieces)
    return learners, jnp.swapaxes(seen, 0, 1).reshape(len(on), -1)[:, : plan.steps]


def _stretch(plan: Plan) -> int:
    """How many steps a lane takes before it is the next one's turn: as many as their batches fill a cache with."""
    bytes_of_batch = 4 * plan.batch_size * math.prod(plan.network.inputs)
    stretches = -(-plan.steps * bytes_of_batch // STRETCH)
    return -(-plan.steps // min(plan.steps, stretches))


def _updated(
    plan: Plan, hyper: Hyper, learner: _Learner, step: Array, inputs: Array, truth: Tree
) -> tuple[_Learner, Array]:
    """A lane after update number `step`, from one mini-batch, whose loss before it comes too."""

    coefficient = composite_loss.coefficients(plan, hyper, learner.balance, step)

    def loss(parameters: Any) -> tuple[Array, tuple[Any, Array]]:
        outputs, rest = plan.network.apply(parameters, learner.rest, inputs, train=True)
        parts = composite_loss.each(plan, hyper, outputs, truth)
        return composite_loss.total(parts, coefficient).mean(), (rest, parts)

    (value, (rest, parts)), gradient = jax.value_and_grad(loss, has_aux=True)(learner.parameters)
    optimizer = optimizers.transform(
        plan.optimizer, hyper.optimizer, learning_rate(plan, hyper, step), _clip(plan, hyper.clip)
    )
    updates, state = optimizer.update(gradient, learner.optimizer, learner.parameters)
    bad = (learner.bad_step < 0) & ~jnp.isfinite(value)
    parameters = optax.apply_updates(learner.parameters, updates)
    balance = composite_loss.after_step(plan, hyper, learner.balance, parts)
    return _Learner(parameters, rest, state, balance, jnp.where(bad, step, learner.bad_step)), value


def _validated(
    plan: Plan, each: Each, hypers: Hyper, states: State, data: Data, on: Array, fold: Array, seen: Array
) -> State:
    """Measure without updating; `seen` [L, steps] are the batch losses of the epoch that has just ended."""
    rows, weight = data.validation[fold], data.validation_weight[fold]
    truth = batches.targets(plan, data, rows)

    def piece(batch: Array) -> Array:
        inputs = batches.seen(plan.task, data, batch)

        def lane(_old: Array, weights: tuple[Any, Any]) -> Array:
            return plan.network.apply(*weights, inputs, train=False)[0]

        nothing = jnp.zeros((len(on), len(batch), *plan.network.outputs))
        outputs: Array = each(lane, on, nothing, (states.parameters, states.rest))
        return jnp.swapaxes(outputs, 0, 1)

    outputs = batches.joined(jax.lax.map(piece, batches.pieces(rows, plan.batch_size)), len(rows))  # [M, L, *outputs]
    probe = batches.probe(plan, data, fold) if composite_loss.several(plan) else ()

    def lane(state: State, given: tuple[Hyper, Array, Array]) -> State:
        hyper, outputs, batch_losses = given
        measured = plan.task.metrics(plan.task.predictions(outputs), truth, weight)
        coefficient = composite_loss.coefficients(plan, hyper, state.balance, state.step - 1)
        parts = composite_loss.each(plan, hyper, outputs, truth)
        losses_now = composite_loss.total(parts, coefficient)
        noted = measured | {
            "train_loss": batch_losses.mean(),
            "train_spread": batch_losses.std(),
            "val_loss": jnp.where(weight > 0, losses_now * weight, 0.0).sum() / weight.sum(),
            "learning_rate": learning_rate(plan, hyper, state.step - 1),
        }
        if composite_loss.several(plan):
            product = composite_loss.products(plan, hyper, (state.parameters, state.rest), *probe)
            means = jnp.where(weight > 0, parts * weight, 0.0).sum(1) / weight.sum()
            noted |= composite_loss.noted(plan, means, coefficient, product)
            norms = jnp.sqrt(jnp.diagonal(product))
            state = replace(state, balance=composite_loss.after_validation(hyper, state.balance, norms))
        return _noted(plan, state, noted)

    after: State = each(lane, on, states, (hypers, jnp.swapaxes(outputs, 0, 1), seen))
    return after


def epochs(plan: Plan, step: Array) -> Array:
    """How many epochs are over at a step; as one operation, where `//` of what may be negative takes a dozen."""
    return jax.lax.div(step, jnp.int32(plan.steps))


def _noted(plan: Plan, state: State, noted: Tree) -> State:
    """A lane after a validation: written into its curves, the weights kept where they are the best so far."""
    value = noted[plan.objective]
    # the loss too: some metrics are finite where the outputs are not (the likeliest of NaNs is the first class)
    finite = jnp.isfinite(value) & jnp.isfinite(noted["val_loss"])
    bad = (state.bad_step < 0) & ~finite
    sign = plan.task.sign(plan.objective)
    better = sign * value < sign * state.best_value
    better = (better | (plan.keep == "last")) & finite & (state.bad_step < 0)
    epoch = epochs(plan, state.step)
    place = jax.lax.div(epoch, jnp.int32(plan.every)) - 1
    return replace(
        state,
        best=jax.tree.map(lambda new, old: jnp.where(better, new, old), (state.parameters, state.rest), state.best),
        best_value=jnp.where(better, value, state.best_value),
        best_epoch=jnp.where(better, epoch, state.best_epoch),
        stale=jnp.where(better, 0, state.stale + 1),
        bad_step=jnp.where(bad, state.step - 1, state.bad_step),
        curves={name: put_at(curve, place, noted[name]) for name, curve in state.curves.items()},
    )


def learning_rate(plan: Plan, hyper: Hyper, step: Array) -> Array:
    """The rate of update number `step`, counted from 0."""
    numbers = hyper.schedule
    rate: Array = hyper.learning_rate * schedules.factor(numbers["kind"], numbers, step, plan.steps, plan.epochs)
    return rate


def _clip(plan: Plan, clip: Array) -> Array | None:
    return clip if plan.clip else None
