"""A loss of several terms: their coefficients at each step, their gradients, and their balance.

A term's coefficient is its weight (changed by its phases) times its schedule's factor times its balance. All are
traced: other numbers, phases or balancing methods need no other program.
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
"""The share of its error that a balance makes up in a step (uncertainty) or in a validation (gradient_norm)."""
MIN_MAGNITUDE = 1e-9  # of a loss or norm, so that its logarithm or inverse is finite
MAX_BALANCE_FACTOR = 1e3  # by which balancing raises or lowers a term, at most


def list_terms(plan: Plan) -> tuple[str, ...]:
    return tuple(plan.task.loss_families)


def is_composite(plan: Plan) -> bool:
    return len(plan.task.loss_families) > 1


def list_term_curves(plan: Plan) -> tuple[str, ...]:
    """List the curves of the terms that each validation records; none for a single term."""
    if not is_composite(plan):
        return ()
    single = [f"term.{name}.{curve}" for name in list_terms(plan) for curve in ("loss", "coefficient", "gradient")]
    return (*single, *(f"terms.{a}.{b}.cosine" for a, b in combinations(list_terms(plan), 2)))


def compute_term_losses(plan: Plan, hyper: NetworkHyper, outputs: Array, truth: Tree) -> Array:
    """Compute every term for every example, before its coefficient [K, B]."""
    terms, families = plan.task.build_loss_terms(outputs, truth), plan.task.loss_families
    names = plan.loss_names or (None,) * len(families)
    return jnp.stack(
        [
            losses.apply_loss(family, hyper.loss[name]["kind"], hyper.loss[name], terms[name], allowed)
            for (name, family), allowed in zip(families.items(), names, strict=True)
        ]
    )


def compute_coefficients(plan: Plan, hyper: NetworkHyper, balance: Array, step: Array) -> Array:
    """Compute each term's coefficient in update number `step` [K]; `balance` [K] are logarithms."""
    weights = jnp.stack([_scheduled_weight(hyper.loss[name], step, plan) for name in list_terms(plan)])
    return weights * jnp.exp(balance) if is_composite(plan) else weights


def _scheduled_weight(numbers: dict[str, Any], step: Array, plan: Plan) -> Array:
    """Compute a term's weight at a step; each phase moves it from its value before to the phase's weight."""
    weight = numbers["weight"]
    progress = step / jnp.float32(plan.steps_per_epoch * plan.epochs)
    for phase in numbers.get("phases", {}).values():
        ramp = jnp.clip((progress - phase["start"]) / jnp.maximum(phase["ramp"], 1e-9), 0.0, 1.0)
        share = jnp.where(progress >= phase["start"], jnp.where(phase["ramp"] > 0, ramp, 1.0), 0.0)
        weight = weight + (phase["weight"] - weight) * share
    if "schedule" in numbers:
        weight = weight * schedule_factor(plan, numbers["schedule"], step)
    return jnp.asarray(weight, jnp.float32)


def schedule_factor(plan: Plan, numbers: dict[str, Any], step: Array) -> Array:
    """Compute the factor of a schedule with these numbers at a step."""
    names = plan.schedule_names or None
    return schedules.schedule_factor(numbers["kind"], numbers, step, plan.steps_per_epoch, plan.epochs, names)


def weighted_sum(term_losses: Array, coefficients: Array) -> Array:
    """Sum terms [K, B], each times its coefficient [K]: [B]."""
    weighted = term_losses * coefficients[:, None]
    return sum(weighted[1:], weighted[0])


def update_uncertainty_balance(plan: Plan, hyper: NetworkHyper, balance: Array, term_losses: Array) -> Array:
    """Compute the balance [K] after a mini-batch with `term_losses` [K, B]."""
    if not is_composite(plan):
        return balance
    target = -jnp.log(jnp.maximum(term_losses.mean(1), MIN_MAGNITUDE))
    return _move_balance(hyper, "uncertainty", balance, target)


def update_gradient_norm_balance(hyper: NetworkHyper, balance: Array, norms: Array) -> Array:
    """Compute the balance [K] after a validation, from the norms [K] of the terms' gradients before coefficients."""
    logs = jnp.log(jnp.maximum(norms, MIN_MAGNITUDE))
    return _move_balance(hyper, "gradient_norm", balance, logs.mean() - logs)


def _move_balance(hyper: NetworkHyper, method: str, balance: Array, target: Array) -> Array:
    rate = BALANCE_RATES[method] * (hyper.balance == BALANCES.index(method))
    bound = jnp.log(MAX_BALANCE_FACTOR)
    moved = balance + rate * (jnp.clip(target, -bound, bound) - balance)
    return jnp.where(jnp.isfinite(target) & (rate > 0), moved, balance)


def gradient_gram_matrix(
    plan: Plan, hyper: NetworkHyper, weights: tuple[Any, Any], inputs: Array, truth: Tree
) -> Array:
    """Compute inner products of the terms' gradients for the parameters [K, K], before coefficients.

    The diagonal holds the squared norms. The network is in training mode.
    """
    parameters, model_state = weights

    def run_network(parameters: Any) -> Array:
        return plan.network.apply(parameters, model_state, inputs, train=True)[0]

    outputs, pull_back = jax.vjp(run_network, parameters)
    slopes = jax.jacrev(lambda out: compute_term_losses(plan, hyper, out, truth).mean(1))(outputs)  # [K, *outputs]
    gradients = jax.lax.map(lambda slope: pull_back(slope)[0], slopes)
    flat = [leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(gradients)]
    products: Array = sum((leaf @ leaf.T for leaf in flat[1:]), flat[0] @ flat[0].T)
    return products


def compute_term_metrics(plan: Plan, term_losses: Array, coefficients: Array, gram_matrix: Array) -> Tree:
    """Compute the values of `list_term_curves` at a validation.

    `term_losses` [K] are means over the validation set; gradients are of the training loss, with coefficients.
    """
    norms = jnp.sqrt(jnp.diagonal(gram_matrix))
    single = {
        f"term.{name}.{curve}": values[index]
        for index, name in enumerate(list_terms(plan))
        for curve, values in (("loss", term_losses), ("coefficient", coefficients), ("gradient", coefficients * norms))
    }
    cosine = gram_matrix / jnp.maximum(norms[:, None] * norms[None, :], MIN_MAGNITUDE)
    pairs = combinations(range(len(list_terms(plan))), 2)
    cosines = [name for name in list_term_curves(plan) if name.endswith(".cosine")]
    return single | {name: cosine[pair] for name, pair in zip(cosines, pairs, strict=True)}
