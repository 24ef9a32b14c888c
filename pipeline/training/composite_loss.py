"""A loss of several terms: what each counts for at a step, what it pulls at, and how terms are balanced.

A term's coefficient is its weight, as its phases have moved it, times the factor of its schedule, times what balancing
makes of it. All of them are traced: other numbers, other phases, another way of balancing make no other program.
"""

from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from thalweg.core import losses, schedules
from thalweg.core.losses import BALANCES
from thalweg.core.types import Tree
from thalweg.training.plan import NetworkHyper, Plan

BALANCE_RATES = {"uncertainty": 0.02, "gradient_norm": 0.3}
"""The share of the way that a balance goes in a step, or in a validation, to where it should be."""
MIN_MAGNITUDE = 1e-9
MAX_BALANCE_FACTOR = 1e3
"""What a loss or norm counts for at least, and by how many times balancing raises or lowers a term at most."""


def list_terms(plan: Plan) -> tuple[str, ...]:
    return tuple(plan.task.loss_families)


def is_composite(plan: Plan) -> bool:
    """Whether there is anything to balance and to compare."""
    return len(plan.task.loss_families) > 1


def list_term_curves(plan: Plan) -> tuple[str, ...]:
    """What is noted of the terms at a validation: nothing where there is one alone."""
    if not is_composite(plan):
        return ()
    of_each = [f"term.{name}.{what}" for name in list_terms(plan) for what in ("loss", "coefficient", "gradient")]
    return (*of_each, *(f"terms.{a}.{b}.cosine" for a, b in combinations(list_terms(plan), 2)))


def compute_term_losses(plan: Plan, hyper: NetworkHyper, outputs: Array, truth: Tree) -> Array:
    """Every term for every example, before its coefficient [K, B]."""
    terms, numbers = plan.task.build_loss_terms(outputs, truth), hyper.loss
    return jnp.stack(
        [
            losses.apply_loss(of, numbers[name]["kind"], numbers[name], terms[name])
            for name, of in plan.task.loss_families.items()
        ]
    )


def compute_coefficients(plan: Plan, hyper: NetworkHyper, balance: Array, step: Array) -> Array:
    """What each term counts for in update number `step` [K]; `balance` [K] are logarithms."""
    given = jnp.stack([_scheduled_weight(hyper.loss[name], step, plan) for name in list_terms(plan)])
    return given * jnp.exp(balance) if is_composite(plan) else given


def _scheduled_weight(numbers: dict[str, Any], step: Array, plan: Plan) -> Array:
    """A term's own coefficient at a step: each phase takes over from what there was before it."""
    weight = numbers["weight"]
    done = step / jnp.float32(plan.steps_per_epoch * plan.epochs)
    for phase in numbers.get("phases", {}).values():
        ramp = jnp.clip((done - phase["start"]) / jnp.maximum(phase["ramp"], 1e-9), 0.0, 1.0)
        share = jnp.where(done >= phase["start"], jnp.where(phase["ramp"] > 0, ramp, 1.0), 0.0)
        weight = weight + (phase["weight"] - weight) * share
    if "schedule" in numbers:
        schedule = numbers["schedule"]
        weight = weight * schedules.schedule_factor(schedule["kind"], schedule, step, plan.steps_per_epoch, plan.epochs)
    return jnp.asarray(weight, jnp.float32)


def weighted_sum(term_losses: Array, coefficients: Array) -> Array:
    """The weighted sum of terms [K, B] by their coefficients [K]: [B]."""
    weighted = term_losses * coefficients[:, None]
    return sum(weighted[1:], weighted[0])


def update_uncertainty_balance(plan: Plan, hyper: NetworkHyper, balance: Array, term_losses: Array) -> Array:
    """The balance [K] after a mini-batch whose terms were `term_losses` [K, B]."""
    if not is_composite(plan):
        return balance
    wanted = -jnp.log(jnp.maximum(term_losses.mean(1), MIN_MAGNITUDE))
    return _move_balance(
        balance, wanted, BALANCE_RATES["uncertainty"] * (hyper.balance == BALANCES.index("uncertainty"))
    )


def update_gradient_norm_balance(hyper: NetworkHyper, balance: Array, norms: Array) -> Array:
    """The balance [K] after a validation at which the terms' gradients had these norms [K], coefficients aside."""
    logs = jnp.log(jnp.maximum(norms, MIN_MAGNITUDE))
    return _move_balance(
        balance, logs.mean() - logs, BALANCE_RATES["gradient_norm"] * (hyper.balance == BALANCES.index("gradient_norm"))
    )


def _move_balance(balance: Array, wanted: Array, pace: Array) -> Array:
    bound = jnp.log(MAX_BALANCE_FACTOR)
    moved = balance + pace * (jnp.clip(wanted, -bound, bound) - balance)
    return jnp.where(jnp.isfinite(wanted) & (pace > 0), moved, balance)


def gradient_gram_matrix(
    plan: Plan, hyper: NetworkHyper, weights: tuple[Any, Any], inputs: Array, truth: Tree
) -> Array:
    """Products of every two terms' gradients for the parameters [K, K], coefficients aside: on its diagonal their
    squared norms. The network is in training mode, as when it learns.
    """
    parameters, rest = weights

    def outputs(parameters: Any) -> Array:
        return plan.network.apply(parameters, rest, inputs, train=True)[0]

    given, pull = jax.vjp(outputs, parameters)
    slopes = jax.jacrev(lambda given: compute_term_losses(plan, hyper, given, truth).mean(1))(given)  # [K, *outputs]
    gradients = jax.lax.map(lambda slope: pull(slope)[0], slopes)
    flat = [leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(gradients)]
    of_leaves: Array = sum((leaf @ leaf.T for leaf in flat[1:]), flat[0] @ flat[0].T)
    return of_leaves


def compute_term_metrics(plan: Plan, term_losses: Array, coefficients: Array, gram_matrix: Array) -> Tree:
    """What a validation notes of the terms, by the names of `curves`.

    `term_losses` [K] are their means over validation; gradients are of the training loss, with their coefficients.
    """
    norms = jnp.sqrt(jnp.diagonal(gram_matrix))
    of_each = {
        f"term.{name}.{what}": values[place]
        for place, name in enumerate(list_terms(plan))
        for what, values in (("loss", term_losses), ("coefficient", coefficients), ("gradient", coefficients * norms))
    }
    cosine = gram_matrix / jnp.maximum(norms[:, None] * norms[None, :], MIN_MAGNITUDE)
    pairs = combinations(range(len(list_terms(plan))), 2)
    between = [name for name in list_term_curves(plan) if name.endswith(".cosine")]
    return of_each | {name: cosine[pair] for name, pair in zip(between, pairs, strict=True)}
