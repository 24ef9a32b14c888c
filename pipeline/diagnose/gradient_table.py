"""The winner's backpropagation against numerical derivatives, on a mini-batch as it is trained on."""

from functools import partial

import jax
import jax.numpy as jnp
import pandas as pd
from jax import Array

from thalweg.artifacts.prepared import Prepared
from thalweg.artifacts.weights import Weights
from thalweg.config.experiment import Config
from thalweg.config.spaces import Values
from thalweg.confirm import candidates
from thalweg.core import losses, rng
from thalweg.core.types import Tree
from thalweg.diagnose import batch_loss, gradient_check
from thalweg.training import batches, build, composite_loss
from thalweg.training.plan import Data, Hyper
from thalweg.training.program import NetworkProgram

COLUMNS = ("term", "kind", "direction", "step", "analytic", "numerical", "error", "verdict")


def check(config: Config, loaded: Prepared, data: Data, values: Values, weights: Weights | None) -> pd.DataFrame:
    """The winner's gradient at its trained `weights` (parameters, rest), a row for each loss, direction and step.

    The mini-batch is the first of its first confirmed seed, augmented; coefficients are those of the last update, terms
    not balanced. The network is in training mode (`thalweg.diagnose.batch_loss`). Columns are `COLUMNS`: `kind` is the
    term's loss, and the rest is `gradient_check.SlopeCheck`'s. Without weights there are no rows.
    """
    if weights is None:
        return pd.DataFrame(columns=list(COLUMNS))
    chosen = candidates.with_values(config, values)
    plan = build.build_plan(chosen, build.data_spec(loaded.examples), data, searched=True)
    hyper = build.build_hyper(chosen)
    inputs, truth = jax.jit(partial(first_batch, plan))(hyper, data, jnp.int32(candidates.seeds(config)[0]))
    last = jnp.int32(plan.steps * plan.epochs - 1)
    coefficient = composite_loss.coefficients(plan, hyper, jnp.zeros(len(composite_loss.names(plan))), last)
    directions, found = batch_loss.follow(plan, hyper, weights, inputs, truth, coefficient)
    kinds = {name: losses.names(family)[int(hyper.loss[name]["kind"])] for name, family in plan.task.families.items()}
    rows = [
        {
            "term": term,
            "kind": kinds.get(term, ""),
            "direction": direction,
            "step": step,
            "analytic": check.analytic,
            "numerical": check.numerical[i],
            "error": check.error[i],
            "verdict": check.verdict,
        }
        for direction, checks in zip(directions, gradient_check.judge(found), strict=True)
        for term, check in zip(batch_loss.names(plan), checks, strict=True)
        for i, step in enumerate(gradient_check.STEPS)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def first_batch(plan: NetworkProgram, hyper: Hyper, data: Data, seed: Array) -> tuple[Array, Tree]:
    """Inputs and targets of the first mini-batch that a lane of this seed sees, on the first fold."""
    start = jnp.int32(0)
    rows = batches.batches(plan, data, seed, start, start)[0]
    return batches.augmented(plan, hyper.augment, data, rows, rng.key(seed, "augment", start))
