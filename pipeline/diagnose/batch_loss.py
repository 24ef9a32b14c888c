"""The loss of one mini-batch as a function of the parameters, as `thalweg.engine.fit` takes its gradient."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.core.types import Tree
from thalweg.diagnose import gradient_check
from thalweg.diagnose.gradient_check import DirectionalDerivatives
from thalweg.training import composite_loss
from thalweg.training.plan import Hyper, Plan


def losses(
    plan: Plan, hyper: Hyper, rest: Any, inputs: Array, truth: Tree, coefficient: Array
) -> Callable[[Any], Array]:
    """Parameters -> the terms of a mini-batch's loss, and last, where there are several, the whole loss: [K].

    In training mode, as it is learned from: batch normalisation by the batch's own means, dropout as `rest` draws it,
    which is the same at every call. Terms are before their `coefficient` [K], the whole is with it.
    """

    def run(parameters: Any) -> Array:
        outputs, _ = plan.network.apply(parameters, rest, inputs, train=True)
        parts = composite_loss.each(plan, hyper, outputs, truth)
        means = parts.mean(1)
        if not composite_loss.several(plan):
            return means
        return jnp.append(means, composite_loss.total(parts, coefficient).mean())

    return run


def names(plan: Plan) -> tuple[str, ...]:
    """What `losses` gives, by name."""
    return (*composite_loss.names(plan), *(("all terms",) if composite_loss.several(plan) else ()))


def follow(
    plan: Plan, hyper: Hyper, weights: tuple[Any, Any], inputs: Array, truth: Tree, coefficient: Array, **options: Any
) -> tuple[tuple[str, ...], DirectionalDerivatives]:
    """Every loss of a mini-batch along every direction, in float64 whatever came in: the directions' names, and these.

    Compiled once for a plan, with `options` of XLA's: another kind of loss is another number.
    """
    with jax.enable_x64(True):
        parameters, rest, inputs, truth, coefficient = doubled((*weights, inputs, truth, coefficient))
        found = _compiled(plan, tuple(options.items()))(parameters, rest, hyper, inputs, truth, coefficient)
        return gradient_check.directions(parameters)[0], jax.device_get(found)


@cache
def _compiled(plan: Plan, options: tuple[tuple[str, Any], ...]) -> Callable[..., DirectionalDerivatives]:
    def run(
        parameters: Any, rest: Any, hyper: Hyper, inputs: Array, truth: Tree, coefficient: Array
    ) -> DirectionalDerivatives:
        function = losses(plan, hyper, rest, inputs, truth, coefficient)
        known, along = gradient_check.directions(parameters)
        return gradient_check.slopes(function, jax.jacrev(function)(parameters), parameters, along, len(known))

    return jax.jit(run, compiler_options=dict(options))


def doubled(tree: Any) -> Any:
    """A tree with float64 in place of every float; within `jax.enable_x64`."""
    return jax.tree.map(
        lambda leaf: jnp.asarray(leaf, jnp.float64 if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) else None),
        tree,
    )
