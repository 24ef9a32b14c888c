"""The training of a network on examples, as a program for the engine."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from thalweg.core import initial_weights, optimizers, rng
from thalweg.core.types import Tree
from thalweg.engine.program import LaneLoop
from thalweg.training import batches, composite_loss
from thalweg.training.plan import NetworkHyper, Plan, TrainingData


class NetworkLearner(NamedTuple):
    """Everything that a step changes.

    `parameters` are trained; `model_state` is the network's other state (running means, dropout's keys); `balance` [K]
    is the logarithm of the factor by which balancing multiplies each loss term.
    """

    parameters: Any
    model_state: Any
    optimizer: Any
    balance: Array


@dataclass(frozen=True)
class NetworkProgram(Plan):
    """A Plan with the functions that the engine calls (`thalweg.engine.program.Program`)."""

    @property
    def objective_sign(self) -> int:
        return self.task.cost_sign(self.objective)

    @property
    def shares_batches(self) -> bool:
        return not self.augmentation_searched

    @property
    def curve_names(self) -> tuple[str, ...]:
        return ("val_loss", "learning_rate", *self.task.metric_directions, *composite_loss.list_term_curves(self))

    def init_learner(self, seed: Array, fold: Array) -> NetworkLearner:  # noqa: ARG002
        """Make a learner whose weights depend on the seed alone, so that trials of one seed start alike."""
        parameters, model_state = self.network.init(rng.derive_key(seed, "weights"))
        kind, clip = self.optimizer_kind, self._choose_clip(jnp.float32(1))
        numbers = {name: jnp.float32(value) for name, value in optimizers.list_optimizer_defaults(kind).items()}
        optimizer = optimizers.build_optimizer(kind, numbers, jnp.float32(0), clip)
        balance = jnp.zeros(len(composite_loss.list_terms(self)))
        return NetworkLearner(parameters, model_state, optimizer.init(parameters), balance)

    def scale_learner(self, hyper: NetworkHyper, learner: NetworkLearner) -> NetworkLearner:
        # every optimizer's first state is free of the weights
        parameters = initial_weights.scale_kernels(learner.parameters, hyper.gain, hyper.last_gain)
        return learner._replace(parameters=parameters)

    def select_weights(self, learner: NetworkLearner) -> tuple[Any, Any]:
        return learner.parameters, learner.model_state

    def draw_rows(self, data: TrainingData, seed: Array, fold: Array, epoch: Array) -> Array:
        return batches.draw_batches(self, data, seed, fold, epoch)

    def gather_batch(
        self, hyper: NetworkHyper, data: TrainingData, rows: Array, seed: Array, step: Array
    ) -> tuple[Array, Tree]:
        return batches.augment_batch(self, hyper.augment, data, rows, rng.derive_key(seed, "augment", step))

    def train_step(
        self, hyper: NetworkHyper, learner: NetworkLearner, batch: tuple[Array, Tree], step: Array
    ) -> tuple[NetworkLearner, Array]:
        inputs, truth = batch
        coefficients = composite_loss.compute_coefficients(self, hyper, learner.balance, step)

        def compute_loss(parameters: Any) -> tuple[Array, tuple[Any, Array]]:
            outputs, model_state = self.network.apply(parameters, learner.model_state, inputs, train=True)
            terms = composite_loss.compute_term_losses(self, hyper, outputs, truth)
            return composite_loss.weighted_sum(terms, coefficients).mean(), (model_state, terms)

        (value, (model_state, terms)), gradient = jax.value_and_grad(compute_loss, has_aux=True)(learner.parameters)
        rate, clip = compute_learning_rate(self, hyper, step), self._choose_clip(hyper.clip)
        optimizer = optimizers.build_optimizer(self.optimizer_kind, hyper.optimizer, rate, clip)
        updates, state = optimizer.update(gradient, learner.optimizer, learner.parameters)
        parameters = optax.apply_updates(learner.parameters, updates)
        balance = composite_loss.update_uncertainty_balance(self, hyper, learner.balance, terms)
        return NetworkLearner(parameters, model_state, state, balance), value

    def evaluate_lanes(
        self,
        for_each: LaneLoop,
        hypers: NetworkHyper,
        learners: NetworkLearner,
        data: TrainingData,
        fold: Array,
        updates: Array,
    ) -> tuple[NetworkLearner, dict[str, Array]]:
        rows, weight = data.validation_rows[fold], data.validation_weights[fold]
        lanes = len(hypers.learning_rate)
        truth = batches.gather_targets(self, data, rows)

        def run_chunk(batch: Array) -> Array:
            inputs = batches.gather_network_inputs(self.task, data, batch)

            def run_lane(_old: Array, weights: tuple[Any, Any]) -> Array:
                return self.network.apply(*weights, inputs, train=False)[0]

            blank = jnp.zeros((lanes, len(batch), *self.network.outputs))
            return jnp.swapaxes(for_each(run_lane, blank, self.select_weights(learners)), 0, 1)

        chunks = jax.lax.map(run_chunk, batches.split_chunks(rows, self.batch_size))
        outputs = jnp.swapaxes(batches.join_chunks(chunks, len(rows)), 0, 1)  # [L, M, *outputs]
        probe = batches.gather_probe(self, data, fold) if composite_loss.is_composite(self) else ()

        def measure_lane(
            lane: tuple[Array, Array], inputs: tuple[NetworkHyper, tuple[Any, Any], Array, Array]
        ) -> tuple[Array, Array]:
            (balance, _), (hyper, weights, outputs, updates) = lane, inputs
            step = updates - 1
            measured = self.task.measure_predictions(self.task.decode_outputs(outputs), truth, weight)
            coefficients = composite_loss.compute_coefficients(self, hyper, balance, step)
            terms = composite_loss.compute_term_losses(self, hyper, outputs, truth)
            losses = composite_loss.weighted_sum(terms, coefficients)
            measured |= {
                "val_loss": jnp.where(weight > 0, losses * weight, 0.0).sum() / weight.sum(),
                "learning_rate": compute_learning_rate(self, hyper, step),
            }
            if composite_loss.is_composite(self):
                gram_matrix = composite_loss.gradient_gram_matrix(self, hyper, weights, *probe)
                means = jnp.where(weight > 0, terms * weight, 0.0).sum(1) / weight.sum()
                measured |= composite_loss.compute_term_metrics(self, means, coefficients, gram_matrix)
                norms = jnp.sqrt(jnp.diagonal(gram_matrix))
                balance = composite_loss.update_gradient_norm_balance(hyper, balance, norms)
            return balance, jnp.stack([measured[name] for name in self.curve_names])

        blank = jnp.zeros((lanes, len(self.curve_names)))
        balance, measured = for_each(
            measure_lane, (learners.balance, blank), (hypers, self.select_weights(learners), outputs, updates)
        )
        return learners._replace(balance=balance), dict(zip(self.curve_names, measured.T, strict=True))

    def _choose_clip(self, clip: Array) -> Array | None:
        return clip if self.clips_gradient else None


def compute_learning_rate(plan: Plan, hyper: NetworkHyper, step: Array) -> Array:
    """Compute the rate of update number `step`, counted from 0."""
    rate: Array = hyper.learning_rate * composite_loss.schedule_factor(plan, hyper.schedule, step)
    return rate
