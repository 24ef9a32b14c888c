"""The winner's backpropagation against numerical derivatives, on a mini-batch as it is trained on."""

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
from thalweg.core import losses, rng
from thalweg.core.types import Tree
from thalweg.diagnose.gradient_check import (
    STEP_SIZES,
    DirectionalDerivatives,
    build_directions,
    follow_directions,
    judge_slopes,
)
from thalweg.training import batches, build, composite_loss
from thalweg.training.plan import NetworkHyper, Plan, TrainingData
from thalweg.training.program import NetworkProgram

GRADIENT_COLUMNS = ("term", "kind", "direction", "step", "analytic", "numerical", "error", "verdict")


def build_gradient_table(
    config: Config, loaded: PreparedData, data: TrainingData, values: Setting, weights: Weights | None
) -> pd.DataFrame:
    """The winner's gradient at its trained `weights` (parameters, rest), a row for each loss, direction and step.

    The mini-batch is the first of its first confirmed seed, augmented; coefficients are those of the last update, terms
    not balanced. Columns are `COLUMNS`: `kind` is the term's loss, and the rest is `gradient_check.SlopeCheck`'s.
    Without weights there are no rows.
    """
    if weights is None:
        return pd.DataFrame(columns=list(GRADIENT_COLUMNS))
    chosen = candidates.apply_trial_values(config, values)
    plan = build.build_plan(chosen, build.build_data_spec(loaded.examples), data, searched=True)
    hyper = build.build_hyper(chosen)
    inputs, truth = jax.jit(partial(draw_first_batch, plan))(
        hyper, data, jnp.int32(candidates.list_confirm_seeds(config)[0])
    )
    last = jnp.int32(plan.steps_per_epoch * plan.epochs - 1)
    coefficient = composite_loss.compute_coefficients(
        plan, hyper, jnp.zeros(len(composite_loss.list_terms(plan))), last
    )
    names, found = follow_batch_losses(plan, hyper, weights, inputs, truth, coefficient)
    kinds = {
        name: losses.list_losses(family)[int(hyper.loss[name]["kind"])]
        for name, family in plan.task.loss_families.items()
    }
    tables = [
        pd.DataFrame(
            {"term": term, "kind": kinds.get(term, ""), "direction": name, "step": STEP_SIZES, **slope._asdict()}
        )
        for name, checks in zip(names, judge_slopes(found), strict=True)
        for term, slope in zip(loss_names(plan), checks, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def draw_first_batch(plan: NetworkProgram, hyper: NetworkHyper, data: TrainingData, seed: Array) -> tuple[Array, Tree]:
    """Inputs and targets of the first mini-batch that a lane of this seed sees, on the first fold."""
    start = jnp.int32(0)
    rows = batches.draw_batches(plan, data, seed, start, start)[0]
    return batches.augment_batch(plan, hyper.augment, data, rows, rng.derive_key(seed, "augment", start))


def loss_names(plan: Plan) -> tuple[str, ...]:
    """The losses of `batch_losses`, in order."""
    return (*composite_loss.list_terms(plan), *(("all terms",) if composite_loss.is_composite(plan) else ()))


def batch_losses(
    plan: Plan, hyper: NetworkHyper, rest: Any, inputs: Array, truth: Tree, coefficient: Array
) -> Callable[[Any], Array]:
    """Parameters -> the terms of a mini-batch's loss, and last, where there are several, the whole loss: [K].

    In training mode, as `thalweg.engine.fit` takes its gradient: batch normalisation by the batch's own means, dropout
    as `rest` draws it, which is the same at every call. Terms are before their `coefficient` [K], the whole is with it.
    """

    def run(parameters: Any) -> Array:
        outputs, _ = plan.network.apply(parameters, rest, inputs, train=True)
        parts = composite_loss.compute_term_losses(plan, hyper, outputs, truth)
        if not composite_loss.is_composite(plan):
            return parts.mean(1)
        return jnp.append(parts.mean(1), composite_loss.weighted_sum(parts, coefficient).mean())

    return run


def follow_batch_losses(
    plan: Plan, hyper: NetworkHyper, weights: Weights, inputs: Array, truth: Tree, coefficient: Array, **options: Any
) -> tuple[tuple[str, ...], DirectionalDerivatives]:
    """Every loss of a mini-batch along every direction, in float64 whatever came in: the directions' names, and these.

    Compiled once for a plan, with `options` of XLA's: another kind of loss is another number.
    """
    run = jax.jit(_follow, static_argnums=0, compiler_options=options)
    with jax.enable_x64(True):
        doubles = jax.tree.map(_double, (*weights, inputs, truth, coefficient))
        return build_directions(doubles[0])[0], jax.device_get(run(plan, hyper, *doubles))


def _follow(plan: Plan, hyper: NetworkHyper, parameters: Any, *batch: Any) -> DirectionalDerivatives:
    function = batch_losses(plan, hyper, *batch)
    names, along = build_directions(parameters)
    return follow_directions(function, jax.jacrev(function)(parameters), parameters, along, len(names))


def _double(leaf: Any) -> Array:
    return jnp.asarray(leaf, jnp.float64 if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) else None)
