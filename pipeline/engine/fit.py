"""Training as a pure function of (Program, Hyper, LaneState, Data).

`advance_block` trains lanes that share a seed, a fold and a step, so each mini-batch is gathered and augmented once for
all of them. Everything else differs between lanes. `thalweg.engine.population` makes the blocks.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.engine.lane_map import LaneMap, put_at, take_at
from thalweg.engine.program import Batch, Data, Hyper, Learner, Program

CHUNK_BYTES = 2**22  # of the batches that are made at once: about a processor's cache

Carry = tuple[Learner, Array]
"""A learner, and the first step whose loss was not finite (-1: none)."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LaneState:
    """Everything that changes while a lane trains; for many lanes each leaf has a leading axis.

    `seed` and `fold` identify the lane; `step` counts updates; the program defines `learner`; `diverged_step` is the
    first step whose loss was not finite (-1: none); `curves` [validations, curves] are NaN until a validation happens.
    They are one array, in the order of `list_curves`, because XLA compiles some kernels for each array of a state.
    """

    seed: Array
    fold: Array
    step: Array
    learner: Any
    best_weights: Any
    best_value: Array
    best_epoch: Array
    validations_since_best: Array
    diverged_step: Array
    curves: Array


def init_state(program: Program, seed: Array, fold: Array) -> LaneState:
    """Make a lane before its first step."""
    learner = program.init_learner(seed, fold)
    return LaneState(
        seed=seed,
        fold=fold,
        step=jnp.int32(0),
        learner=learner,
        best_weights=program.select_weights(learner),
        best_value=jnp.float32(program.objective_sign * jnp.inf),
        best_epoch=jnp.int32(0),
        validations_since_best=jnp.int32(0),
        diverged_step=jnp.int32(-1),
        curves=jnp.full((program.epochs // program.validate_every, len(list_curves(program))), jnp.nan, jnp.float32),
    )


def list_curves(program: Program) -> tuple[str, ...]:
    """List the names of a lane's curves, in the order of `LaneState.curves`.

    `first_loss` is the loss of the first batch since the validation before: at the first one, the loss before training.
    """
    return tuple(sorted(("first_loss", "train_loss", "train_spread", *program.curve_names)))


def name_curves(program: Program, state: LaneState) -> dict[str, Any]:
    """Return each curve [validations] of a lane by its name."""
    return dict(zip(list_curves(program), state.curves.T, strict=True))


def advance_block(
    program: Program, each: LaneMap, hypers: Hyper, states: LaneState, data: Data, target_epochs: Array
) -> LaneState:
    """Advance each lane of a block [L] to its epoch `target_epochs` [L], or to where it stops by itself.

    All unfinished lanes must share seed, fold and step. Finished lanes pass through unchanged and may be any.
    """

    def is_active(states: LaneState) -> Array:
        return is_training(program, states) & (states.step < target_epochs * program.steps_per_epoch)

    after: LaneState = jax.lax.while_loop(
        lambda states: is_active(states).any(),
        lambda states: _train_and_validate(program, each, hypers, states, data, is_active(states)),
        states,
    )
    return after


def is_training(program: Program, state: LaneState) -> Array:
    """Say whether a lane, or each of many, still trains: not ended, not diverged, not out of patience."""
    patient = state.validations_since_best < program.patience if program.patience else True
    return (state.step < program.epochs * program.steps_per_epoch) & (state.diverged_step < 0) & patient


def _train_and_validate(
    program: Program, each: LaneMap, hypers: Hyper, states: LaneState, data: Data, active: Array
) -> LaneState:
    """Train the `active` lanes [L] up to the next validation, and validate them."""
    first = jnp.argmax(active)
    seed, fold = states.seed[first], states.fold[first]
    start = _count_epochs(program, states.step[first])

    def train_epoch(carry: Carry, epoch: Array) -> tuple[Carry, Array]:
        return _train_epoch(program, each, hypers, carry, data, active, (seed, fold, epoch))

    carry = states.learner, states.diverged_step
    (learners, diverged_step), losses = jax.lax.scan(train_epoch, carry, start + jnp.arange(program.validate_every))
    step = jnp.where(active, states.step + program.validate_every * program.steps_per_epoch, states.step)
    learners, measured = program.evaluate_lanes(
        lambda function, values, inputs: each(function, active, values, inputs), hypers, learners, data, fold, step
    )
    states = replace(states, step=step, learner=learners, diverged_step=diverged_step)
    last = losses[-1]
    measured |= {"first_loss": losses[0, :, 0], "train_loss": last.mean(1), "train_spread": last.std(1)}
    return _record_validation(program, states, measured, active, _count_epochs(program, step[first]))


def _train_epoch(
    program: Program, each: LaneMap, hypers: Hyper, carry: Carry, data: Data, active: Array, clock: tuple[Array, ...]
) -> tuple[Carry, Array]:
    """Train lanes of one clock (seed, fold, epoch) for that epoch. Returns the losses of its batches [L, steps], too.

    In chunks: make a few batches, then train each lane on all of them, so that its weights stay in the cache.
    """
    seed, fold, epoch = clock
    first_hyper = jax.tree.map(lambda leaf: leaf[jnp.argmax(active)], hypers)
    rows = program.draw_rows(data, seed, fold, epoch)

    def make_batch(row: tuple[Array, Array], hyper: Hyper) -> Batch:
        return program.gather_batch(hyper, data, row[0], seed, row[1])

    length = _count_chunk_steps(program, jax.eval_shape(make_batch, (rows[0], epoch), first_hyper))
    chunks = -(-program.steps_per_epoch // length)

    def train_chunk(carry: Carry, inputs: tuple[Array, Array]) -> tuple[Carry, Array]:
        steps = inputs[1]
        shared = jax.lax.map(lambda row: make_batch(row, first_hyper), inputs) if program.shares_batches else None

        def train_lane(lane: tuple[Carry, Array], hyper: Hyper) -> tuple[Carry, Array]:
            def take_step(index: Array, lane: tuple[Carry, Array]) -> tuple[Carry, Array]:
                (learner, diverged_step), losses = lane
                selected = jax.tree.map(lambda leaf: take_at(leaf, index), inputs if shared is None else shared)
                batch = make_batch(selected, hyper) if shared is None else selected
                learner, loss = program.train_step(hyper, learner, batch, steps[index])
                diverges = (diverged_step < 0) & ~jnp.isfinite(loss)
                diverged_step = jnp.where(diverges, steps[index], diverged_step)
                return (learner, diverged_step), put_at(losses, index, loss)

            # a last chunk may be shorter than the others
            count = jnp.minimum(length, (epoch + 1) * program.steps_per_epoch - steps[0])
            after: tuple[Carry, Array] = jax.lax.fori_loop(0, count, take_step, lane)
            return after

        after: tuple[Carry, Array] = each(train_lane, active, (carry, jnp.zeros((len(active), length))), hypers)
        return after

    missing = chunks * length - program.steps_per_epoch
    rows = jnp.pad(rows, ((0, missing), *[(0, 0)] * (rows.ndim - 1)), mode="edge")
    steps = epoch * program.steps_per_epoch + jnp.arange(chunks * length)
    chunked = rows.reshape(chunks, length, *rows.shape[1:]), steps.reshape(chunks, length)
    carry, losses = jax.lax.scan(train_chunk, carry, chunked)
    return carry, jnp.swapaxes(losses, 0, 1).reshape(len(active), -1)[:, : program.steps_per_epoch]


def _count_chunk_steps(program: Program, batch: Any) -> int:
    """Count the steps that a lane takes before the next lane's turn: as many as have their batches in a cache."""
    bytes_of_batch: int = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(batch))
    chunks = -(-program.steps_per_epoch * bytes_of_batch // CHUNK_BYTES)
    return -(-program.steps_per_epoch // min(program.steps_per_epoch, chunks))


def _count_epochs(program: Program, step: Array) -> Array:
    """Count the complete epochs at a step, in one operation (`//` takes a dozen, for negative numbers)."""
    return jax.lax.div(step, jnp.int32(program.steps_per_epoch))


def _record_validation(
    program: Program, states: LaneState, measured: dict[str, Array], active: Array, epoch: Array
) -> LaneState:
    """Write a validation of the active lanes [L] into their curves, and keep their weights if they are the best."""
    value = measured[program.objective]
    # the loss too: some metrics are finite though the outputs are not (argmax of NaNs is the first class)
    finite = jnp.isfinite(value) & jnp.isfinite(measured["val_loss"])
    diverges = active & (states.diverged_step < 0) & ~finite
    better = program.objective_sign * value < program.objective_sign * states.best_value
    better = active & (better | (program.keep == "last")) & finite & (states.diverged_step < 0)
    index = jax.lax.div(epoch, jnp.int32(program.validate_every)) - 1
    weights = program.select_weights(states.learner)

    def keep_better(new: Array, old: Array) -> Array:
        return jnp.where(better.reshape(-1, *[1] * (old.ndim - 1)), new, old)

    values = jnp.stack([measured[name] for name in list_curves(program)], 1)
    is_new = active[:, None] & (jnp.arange(states.curves.shape[1]) == index)
    since = jnp.where(active, states.validations_since_best + 1, states.validations_since_best)
    return replace(
        states,
        best_weights=jax.tree.map(keep_better, weights, states.best_weights),
        best_value=keep_better(value, states.best_value),
        best_epoch=keep_better(epoch, states.best_epoch),
        validations_since_best=keep_better(jnp.int32(0), since),
        diverged_step=jnp.where(diverges, states.step - 1, states.diverged_step),
        curves=jnp.where(is_new[:, :, None], values[:, None], states.curves),
    )
