"""The winner's backpropagation against numerical derivatives, on a mini-batch of its training."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pandas as pd
from jax import Array

from thalweg.artifacts.prepared import PreparedData
from thalweg.artifacts.weights import Weights
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.confirm import candidates
from thalweg.core import rng
from thalweg.core.types import Tree
from thalweg.diagnose import gradient_check
from thalweg.diagnose.gradient_check import DirectionalDerivatives
from thalweg.training import batches, build, composite_loss
from thalweg.training.plan import NetworkHyper, Plan, TrainingData
from thalweg.training.program import NetworkProgram

GRADIENT_COLUMNS = ("term", "kind", "direction", "step", "analytic", "numerical", "error", "verdict")


def build_gradient_table(
    config: Config, loaded: PreparedData, data: TrainingData, values: Setting, weights: Weights | None
) -> pd.DataFrame:
    """Check the winner's gradient at its trained `weights` (parameters, model state): a row a loss, direction and step.

    The mini-batch is the first of its first confirmed seed, augmented. Coefficients are those of the last update, not
    balanced. Columns are `GRADIENT_COLUMNS`: `kind` is the term's loss, the others are those of `SlopeCheck`. Without
    weights there are no rows.
    """
    if weights is None:
        return pd.DataFrame(columns=list(GRADIENT_COLUMNS))
    winner_config = candidates.apply_trial_values(config, values)
    plan = build.build_plan(winner_config, build.build_data_spec(loaded.examples), data, searched=True)
    hyper = build.build_hyper(winner_config)
    inputs, targets = jax.jit(partial(draw_first_batch, plan))(
        hyper, data, jnp.int32(candidates.list_confirm_seeds(config)[0])
    )
    last = jnp.int32(plan.steps_per_epoch * plan.epochs - 1)
    coefficients = composite_loss.compute_coefficients(
        plan, hyper, jnp.zeros(len(composite_loss.list_terms(plan))), last
    )
    names, derivatives = follow_batch_losses(plan, hyper, weights, inputs, targets, coefficients)
    kinds = {name: term.kind for name, term in winner_config.loss.terms.items()}
    tables = [
        pd.DataFrame(
            {
                "term": term,
                "kind": kinds.get(term, ""),
                "direction": name,
                "step": gradient_check.STEP_SIZES,
                **slope._asdict(),
            }
        )
        for name, checks in zip(names, gradient_check.judge_slopes(derivatives), strict=True)
        for term, slope in zip(list_loss_names(plan), checks, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def draw_first_batch(plan: NetworkProgram, hyper: NetworkHyper, data: TrainingData, seed: Array) -> tuple[Array, Tree]:
    """Return inputs and targets of the first mini-batch that a lane of this seed sees, on the first fold."""
    start = jnp.int32(0)
    rows = batches.draw_batches(plan, data, seed, start, start)[0]
    return batches.augment_batch(plan, hyper.augment, data, rows, rng.derive_key(seed, "augment", start))


def list_loss_names(plan: Plan) -> tuple[str, ...]:
    """Return the names of the losses of `build_batch_losses`, in order."""
    return (*composite_loss.list_terms(plan), *(("all terms",) if composite_loss.is_composite(plan) else ()))


def build_batch_losses(
    plan: Plan, hyper: NetworkHyper, model_state: Any, inputs: Array, targets: Tree, coefficients: Array
) -> Callable[[Any], Array]:
    """Build the function from parameters to a mini-batch's loss terms and, if there are several, the whole loss: [K].

    It runs in training mode, as `thalweg.engine.fit` does: batch normalisation uses the batch's own means, and dropout
    is drawn by `model_state`, the same at every call. Only the whole loss is weighted with `coefficients` [K].
    """

    def compute_losses(parameters: Any) -> Array:
        outputs, _ = plan.network.apply(parameters, model_state, inputs, train=True)
        terms = composite_loss.compute_term_losses(plan, hyper, outputs, targets)
        if not composite_loss.is_composite(plan):
            return terms.mean(1)
        return jnp.append(terms.mean(1), composite_loss.weighted_sum(terms, coefficients).mean())

    return compute_losses


def follow_batch_losses(
    plan: Plan, hyper: NetworkHyper, weights: Weights, inputs: Array, targets: Tree, coefficients: Array, **options: Any
) -> tuple[tuple[str, ...], DirectionalDerivatives]:
    """Follow every loss of a mini-batch along every direction, in float64; return the directions' names and the values.

    It compiles once for a plan, with `options` of XLA: the kind of loss is a number, not part of the program.
    """
    follow = jax.jit(_follow_directions, static_argnums=0, compiler_options=options)
    with jax.enable_x64(True):
        doubles = jax.tree.map(_to_float64, (*weights, inputs, targets, coefficients))
        return gradient_check.build_directions(doubles[0])[0], jax.device_get(follow(plan, hyper, *doubles))


def _follow_directions(plan: Plan, hyper: NetworkHyper, parameters: Any, *batch: Any) -> DirectionalDerivatives:
    function = build_batch_losses(plan, hyper, *batch)
    names, build = gradient_check.build_directions(parameters)
    return gradient_check.follow_directions(function, jax.jacrev(function)(parameters), parameters, build, len(names))


def _to_float64(leaf: Any) -> Array:
    return jnp.asarray(leaf, jnp.float64 if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) else None)
