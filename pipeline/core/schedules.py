"""Learning-rate schedules: a factor on the peak learning rate at each moment of training.

Each is `(epoch, epochs, *, numbers) -> factor`. `epoch` is the time since warm-up ended, in epochs and fractions of
them; `epochs` is the whole time after warm-up. Both and every number may be traced. A new schedule is one function,
each number with its bounds, and its name in `KINDS`. A user's own schedule has its dotted path as its name. Corner
cases follow Optax's schedules of the same kind.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from thalweg.core.hyperparameters import NonNegative, Number, Op, Positive, Share, apply_member
from thalweg.core.own_functions import Protocol, load_function, number_member, require_floats
from thalweg.system.members import is_dotted

Schedule = Callable[[Array, Array], Array]
"""(epoch, epochs) -> factor on the peak learning rate; numbers have defaults."""

COMMON_DEFAULTS = {"warmup": 0.0}  # of every schedule: epochs of linear warm-up from 0, counted within training


def constant(epoch: Array, _epochs: Array) -> Array:
    """1 at every step."""
    return jnp.ones_like(epoch)


def staircase(epoch: Array, _epochs: Array, *, decay: NonNegative = 0.5, every: Positive = 4.0) -> Array:
    """A factor that is multiplied by `decay` after each `every` epochs, in steps."""
    return jnp.asarray(decay) ** _count_intervals(epoch / every)


def exponential(epoch: Array, _epochs: Array, *, decay: NonNegative = 0.5, every: Positive = 4.0) -> Array:
    """A factor that is multiplied by `decay` over each `every` epochs, smoothly."""
    return jnp.asarray(decay) ** (epoch / every)


def cosine(epoch: Array, epochs: Array, *, final: Share = 0.0) -> Array:
    """Half a cycle of a cosine from 1 to `final` (Loshchilov and Hutter 2017, without restarts)."""
    return _half_cosine(1.0, final, epoch / epochs)


def restarts(epoch: Array, _epochs: Array, *, period: Positive = 5.0, final: Share = 0.0) -> Array:
    """Cosine with warm restarts: from 1 towards `final` over `period` epochs, then again from 1.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5.
    """
    cycles = epoch / period
    return _half_cosine(1.0, final, cycles - _count_intervals(cycles))


def linear(epoch: Array, epochs: Array, *, final: Share = 0.0) -> Array:
    """A straight line from 1 to `final`."""
    return 1.0 + (final - 1.0) * jnp.clip(epoch / epochs, 0.0, 1.0)


def one_cycle(epoch: Array, epochs: Array, *, peak_at: Share = 0.3, start: Share = 0.04, final: Share = 0.0) -> Array:
    """Up from `start` to 1 at the share `peak_at` of the epochs, then down to `final`, both as half cosines.

    Smith and Topin, "Super-convergence", 2018; the shape is Optax's, whose end is a share of the start instead.
    """
    progress = epoch / epochs
    rise = progress / jnp.maximum(peak_at, 1e-9)
    fall = (progress - peak_at) / jnp.maximum(1.0 - peak_at, 1e-9)
    return jnp.where(progress < peak_at, _half_cosine(start, 1.0, rise), _half_cosine(1.0, final, fall))


KINDS: tuple[Schedule, ...] = (constant, staircase, exponential, cosine, restarts, linear, one_cycle)


def list_schedules() -> tuple[str, ...]:
    """List the schedules."""
    return tuple(member.__name__ for member in KINDS)


def _check_factor(factor: Any, epoch: Array, _epochs: Array) -> Array:
    number: Array = require_floats(factor, (epoch.shape,), "one number for an epoch").astype(epoch.dtype)
    return number


OWN = Protocol("a schedule", ("epoch", "epochs"), _check_factor, taken=("kind", "warmup"))


def find_schedule(name: str) -> Op:
    """Find a schedule by its name: one of ours, or a user's. Raises `MemberError`."""
    if not is_dotted(name):
        return next(member for member in KINDS if member.__name__ == name)
    return load_function(name, OWN)


def number_schedule(name: str) -> int:
    """Return the number of a schedule in a compiled program, its `kind`."""
    return number_member(list_schedules(), name)


def schedule_factor(
    kind: Array,
    numbers: Mapping[str, Array],
    step: Array,
    steps_per_epoch: int | Array,
    total_epochs: int | Array,
    names: Sequence[str] | None = None,
) -> Array:
    """Compute the factor (float32) for update number `step`, from 0, of schedule number `kind` (int32, traced).

    The schedule must be one of `names` (None: any of ours); only these are compiled.
    With `numbers["warmup"]` above 0 the factor rises linearly from 0 at step 0 (the first update changes nothing), and
    the schedule spans the remaining epochs.
    """
    warmup = jnp.asarray(numbers.get("warmup", COMMON_DEFAULTS["warmup"]), jnp.float32)
    elapsed = step / jnp.asarray(steps_per_epoch, jnp.float32)
    epoch = jnp.maximum(elapsed - warmup, 0.0)
    epochs = jnp.maximum(total_epochs - warmup, 1e-6)
    members = {number_schedule(name): find_schedule(name) for name in names or list_schedules()}
    after = apply_member(members, kind, numbers, epoch, epochs)
    return jnp.where(elapsed < warmup, elapsed / jnp.maximum(warmup, 1e-6), after)


def _half_cosine(first: Number, last: Number, progress: Array) -> Array:
    return last + (first - last) * 0.5 * (1.0 + jnp.cos(jnp.pi * jnp.clip(progress, 0.0, 1.0)))


def _count_intervals(intervals: Array) -> Array:
    """Count the complete intervals; one that lacks a ten-thousandth counts, because that may be rounding."""
    return jnp.floor(intervals + 1e-4)
