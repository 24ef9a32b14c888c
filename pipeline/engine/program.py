"""The interface of a program that the engine can train: pure functions of a few pytrees."""

from collections.abc import Callable
from typing import Any, Protocol

from jax import Array

Learner = Any
"""A pytree of all that a step changes in one lane: weights, optimizer state, any other state."""
Hyper = Any
"""A pytree of one lane's numbers, each a scalar; for many lanes with a leading axis."""
Data = Any
"""A pytree of arrays on the device that every lane reads."""
Batch = Any
"""A pytree of one step's examples."""

LaneLoop = Callable[[Callable[[Any, Any], Any], Any, Any], Any]
"""`for_each(function, values, inputs)`: function(value, input) for each active lane; the others keep their value."""


class Program(Protocol):
    """One training run as pure functions of hyperparameters, learner and batch.

    A program is static and hashable: the cache of compiled code uses it as the key. Its lanes differ in seed, fold and
    hyperparameters only. Seeds, folds, epochs and steps arrive as traced integers.
    """

    def __hash__(self) -> int: ...

    @property
    def steps_per_epoch(self) -> int:
        """Mini-batches in an epoch."""

    @property
    def epochs(self) -> int:
        """Epochs in the whole training."""

    @property
    def validate_every(self) -> int:
        """Epochs from one validation to the next; a divisor of `epochs`."""

    @property
    def patience(self) -> int:
        """Validations without an improvement after which a lane stops; 0: never."""

    @property
    def objective(self) -> str:
        """The curve that decides which weights are best."""

    @property
    def objective_sign(self) -> int:
        """1 if a lower objective is better, -1 if a higher one is."""

    @property
    def keep(self) -> str:
        """The weights to return: the `best` on the validation set, or the `last`."""

    @property
    def shares_batches(self) -> bool:
        """True if lanes of one seed, fold and step learn from the same batch, whatever their hyperparameters."""

    @property
    def curve_names(self) -> tuple[str, ...]:
        """The names of the measurements of `evaluate_lanes`, with `val_loss` and the objective."""

    def init_learner(self, seed: Array, fold: Array) -> Learner:
        """Make a learner before its first step."""

    def scale_learner(self, hyper: Hyper, learner: Learner) -> Learner:
        """Change a new learner, on the host, by a trial's numbers; the result is not compiled."""

    def select_weights(self, learner: Learner) -> Any:
        """Select the parts of a learner to keep as its weights."""

    def draw_rows(self, data: Data, seed: Array, fold: Array, epoch: Array) -> Array:
        """Draw the examples of an epoch's mini-batches: [steps, ...]."""

    def gather_batch(self, hyper: Hyper, data: Data, rows: Array, seed: Array, step: Array) -> Batch:
        """Gather and augment the mini-batch of examples `rows`, one entry of `draw_rows`."""

    def train_step(self, hyper: Hyper, learner: Learner, batch: Batch, step: Array) -> tuple[Learner, Array]:
        """Apply update number `step`, counted from 0. Returns the learner and its loss before the update."""

    def evaluate_lanes(
        self, for_each: LaneLoop, hypers: Hyper, learners: Learner, data: Data, fold: Array, updates: Array
    ) -> tuple[Learner, dict[str, Array]]:
        """Measure learners [L], after `updates` [L] steps, on a fold's validation set.

        Returns the learners (they may keep state between validations) and a value [L] for each of `curve_names`.
        Compute work that lanes share once, outside of `for_each`.
        """
