"""A program that is no network: gradient descent on parabolas, whose every step is known, trained as a study's lanes.

With f(w) = (w - target)^2 / 2 and a rate r, n steps from w0 lead to target + (1 - r)^n (w0 - target).
"""

from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fleet import Fleet, train_to_end
from thalweg.engine.program import LaneLoop, Program
from thalweg.engine.results import LaneSeed
from thalweg.engine.state_folder import Journal

Tree = dict[str, Array]


@dataclass(frozen=True)
class Descent:
    """Each fold has a target; a lane starts at its seed. `target` of the data [folds], `rate` of the numbers."""

    steps_per_epoch: int = 3
    epochs: int = 4
    validate_every: int = 2
    patience: int = 0
    objective: str = "distance"
    objective_sign: int = 1
    keep: str = "best"
    shares_batches: bool = True
    curve_names: tuple[str, ...] = ("val_loss", "distance")

    def init_learner(self, seed: Array, fold: Array) -> Array:  # noqa: ARG002
        return seed.astype(jnp.float32)

    def scale_learner(self, hyper: Tree, learner: Array) -> Array:  # noqa: ARG002
        return learner

    def select_weights(self, learner: Array) -> Array:
        return learner

    def draw_rows(self, data: Tree, seed: Array, fold: Array, epoch: Array) -> Array:  # noqa: ARG002
        return jnp.full(self.steps_per_epoch, fold)

    def gather_batch(self, hyper: Tree, data: Tree, rows: Array, seed: Array, step: Array) -> Array:  # noqa: ARG002
        return data["target"][rows]

    def train_step(self, hyper: Tree, learner: Array, batch: Array, step: Array) -> tuple[Array, Array]:  # noqa: ARG002
        return learner - hyper["rate"] * (learner - batch), (learner - batch) ** 2 / 2

    def evaluate_lanes(
        self,
        for_each: LaneLoop,  # noqa: ARG002
        hypers: Tree,  # noqa: ARG002
        learners: Array,
        data: Tree,
        fold: Array,
        updates: Array,  # noqa: ARG002
    ) -> tuple[Array, Tree]:
        gap = learners - data["target"][fold]
        return learners, {"val_loss": gap**2 / 2, "distance": jnp.abs(gap)}


PROGRAM: Program = Descent()
TARGETS = np.array([10.0, -2.0], np.float32)
LANES: list[LaneSeed] = [(1, 0), (3, 0), (3, 1)]
RATES = (0.1, 0.5, 1.5)
STEPS = np.arange(1 + PROGRAM.epochs * PROGRAM.steps_per_epoch)
VALIDATED = np.array([6, 12])
"""The steps at which lanes are validated: each second epoch of three."""


def compute_gaps(rate: float, lane: LaneSeed) -> np.ndarray:
    """Compute w - target before the first step, and after each."""
    seed, fold = lane
    return (1 - rate) ** STEPS * (seed - float(TARGETS[fold]))


def train_to_epoch(fleet: Fleet, trials: list[int], epoch: int) -> None:
    fleet.set_target(trials, epoch)
    while fleet.run_segment():
        pass


def test_lanes_follow_the_closed_form(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, copy_to_devices({"target": TARGETS}), Journal(tmp_path))
    for trial, rate in enumerate(RATES):
        fleet.add_trial(trial, PROGRAM, {"rate": np.float32(rate)}, LANES)
    # as in a study: all train to a rung, one trial stops there, and the others go on
    train_to_epoch(fleet, [0, 1, 2], 2)
    fleet.stop_trials([1])
    train_to_epoch(fleet, [0, 2], 4)
    for trial, rate in enumerate(RATES):
        lanes = fleet.find_results(trial)
        assert lanes is not None
        assert [(seed, fold) for seed, fold, _ in lanes] == LANES
        reached = VALIDATED[: 1 if trial == 1 else 2]
        for lane, (*_, result) in zip(LANES, lanes, strict=True):
            gaps = compute_gaps(rate, lane)
            losses = gaps[reached[:, None] - [3, 2, 1]] ** 2 / 2  # before each of the last epoch's steps
            wanted = {
                "distance": np.abs(gaps[reached]),
                "val_loss": gaps[reached] ** 2 / 2,
                "first_loss": gaps[reached - VALIDATED[0]] ** 2 / 2,
                "train_loss": losses.mean(1),
                "train_spread": losses.std(1),
            }
            assert (result.epochs, result.diverged_step) == (reached[-1] // 3, None)
            assert result.curves.keys() == wanted.keys()
            for name, curve in wanted.items():
                np.testing.assert_allclose(result.get_curve(name)[: len(reached)], curve, rtol=1e-4, atol=1e-6)


def test_best_weights_and_divergence_are_found(tmp_path: Path) -> None:
    """A gap that grows keeps the first validation's weights; one whose square is no float32 ends the lane."""
    rates = {0: 0.5, 1: 2.1, 2: 1e20, 3: 1495.0}
    numbers = {trial: {"rate": np.float32(rate)} for trial, rate in rates.items()}
    trials = {trial: (PROGRAM, hyper, LANES[:1]) for trial, hyper in numbers.items()}
    ends = {trial: state for trial, (state,) in train_to_end(tmp_path, {"target": TARGETS}, trials, "training").items()}
    for trial, epoch in ((0, 4), (1, 2)):
        gap = compute_gaps(rates[trial], LANES[0])[3 * epoch]
        assert int(ends[trial].best_epoch) == epoch
        assert float(ends[trial].best_weights) == pytest.approx(TARGETS[0] + gap, rel=1e-5)
        assert float(ends[trial].best_value) == pytest.approx(abs(gap), rel=1e-3)
    # gaps of 9e20 before step 1; of 7e16 before step 5, and after it of 1e20: its objective is finite, its loss is not
    for trial, step in ((2, 1), (3, 5)):
        assert int(ends[trial].diverged_step) == step
        assert int(ends[trial].best_epoch) == 0
        assert float(ends[trial].best_weights) == LANES[0][0]
