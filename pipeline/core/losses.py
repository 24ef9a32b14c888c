"""Losses: the cost of each predicted value. `apply_loss` averages them to one value an example [B].

Losses of images compare several values at a time and return one value an example themselves.
A new loss is one function and its name in `FAMILIES`. Its keyword-only parameters are its numbers: traced scalars, each
with its bounds. A user's own loss has its dotted path as its name.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from thalweg.core.hyperparameters import NonNegative, Op, Positive, Share, apply_member
from thalweg.core.own_functions import Protocol, load_function, number_member, require_floats
from thalweg.core.ssim import ssim as structural_similarity
from thalweg.core.types import Term
from thalweg.system.members import is_dotted

Loss = Callable[[Array, Array], Array]
"""(prediction [B, ...], target [B, ...]) -> cost of each value [B, ...] or of each image [B]; numbers have defaults."""

MIN_POISSON_RATE = 0.01  # below it `poisson` follows its tangent: log(rate) would be infinite at 0


def l1(prediction: Array, target: Array) -> Array:
    """Absolute error |e|: [B, ...], [B, ...] -> [B, ...]."""
    return jnp.abs(prediction - target)


def l2(prediction: Array, target: Array) -> Array:
    """Squared error e^2, not halved: [B, ...], [B, ...] -> [B, ...]."""
    error: Array = optax.squared_error(prediction, target)
    return error


def huber(prediction: Array, target: Array, *, delta: Positive = 1.0) -> Array:
    """e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2): [B, ...], [B, ...] -> [B, ...].

    `delta` has the unit of the target. Huber, "Robust estimation of a location parameter", 1964.
    """
    error: Array = optax.huber_loss(prediction, target, delta=delta)
    return error


def log_cosh(prediction: Array, target: Array) -> Array:
    """log(cosh(e)): about e^2 / 2 near 0 and |e| - log 2 far from it: [B, ...], [B, ...] -> [B, ...]."""
    error: Array = optax.log_cosh(prediction, target)
    return error


def poisson(prediction: Array, target: Array) -> Array:
    """Negative log-likelihood of counts under a Poisson law, up to a constant: rate - target * log(rate).

    [B, ...], [B, ...] -> [B, ...]; the prediction is the rate, the target >= 0. The minimum is at equality, but is not
    0. Below `MIN_POISSON_RATE` the loss follows its tangent: a rate of 0 or less has a finite cost, and a finite
    gradient raises it. For a target below that rate the tangent falls instead, and the loss is constant below 0.
    """
    rate = jnp.maximum(prediction, MIN_POISSON_RATE)
    slope = target / MIN_POISSON_RATE - 1.0
    below = MIN_POISSON_RATE - jnp.where(slope < 0, jnp.maximum(prediction, 0.0), prediction)
    return rate - target * jnp.log(rate) + slope * jnp.maximum(below, 0.0)


def charbonnier(prediction: Array, target: Array, *, epsilon: Positive = 1e-3) -> Array:
    """sqrt(e^2 + epsilon^2) - epsilon: |e| with a round tip, [B, ...], [B, ...] -> [B, ...].

    `epsilon` has the unit of the target. Charbonnier et al., "Two deterministic half-quadratic regularization
    algorithms for computed imaging", 1994.
    """
    return jnp.sqrt((prediction - target) ** 2 + epsilon**2) - epsilon


def cross_entropy(logits: Array, label: Array, *, smoothing: Share = 0.0) -> Array:
    """-sum_k q_k log softmax(logits)_k: logits [B, ..., K], label int [B, ...] -> [B, ...], in nats.

    q is the label with the share `smoothing` spread evenly over all K classes (Szegedy et al. 2016).
    """
    truth = jax.nn.one_hot(label, logits.shape[-1], dtype=logits.dtype)
    loss: Array = optax.softmax_cross_entropy(logits, optax.smooth_labels(truth, smoothing))
    return loss


def focal(logits: Array, label: Array, *, gamma: NonNegative = 2.0) -> Array:
    """-(1 - p)^gamma log p with p the probability of the label: [B, ..., K], int [B, ...] -> [B, ...], in nats.

    A gamma of 0 is cross-entropy. Lin et al., "Focal loss for dense object detection", 2017, equation 4.
    """
    loss: Array = optax.softmax_cross_entropy_with_integer_labels(logits, label)
    # 1 - p = -expm1(-loss) is precise near p = 1; at 0 itself the slope of a power below 1 would be infinite
    return jnp.maximum(-jnp.expm1(-loss), 1e-7) ** gamma * loss


def binary_cross_entropy(logits: Array, truth: Array) -> Array:
    """-truth log p - (1 - truth) log(1 - p), p = sigmoid(logits): [B, ...], [B, ...] in 0..1 -> [B, ...], in nats."""
    loss: Array = optax.sigmoid_binary_cross_entropy(logits, truth)
    return loss


def binary_focal(logits: Array, truth: Array, *, gamma: NonNegative = 2.0) -> Array:
    """|truth - p|^gamma times `binary_cross_entropy`: [B, ...], [B, ...] in 0..1 -> [B, ...], in nats.

    A gamma of 0 is cross-entropy. For a truth of 0 or 1 it is equation 4 of Lin et al. 2017, as in `focal`; between
    them it is equation 4 of Li et al., "Generalized focal loss", 2020.
    """
    # truth - p, in a form that is precise near certainty
    away = jnp.abs(truth * jax.nn.sigmoid(-logits) - (1.0 - truth) * jax.nn.sigmoid(logits))
    return jnp.maximum(away, 1e-7) ** gamma * binary_cross_entropy(logits, truth)


def ssim(prediction: Array, target: Array) -> Array:
    """1 - structural similarity: images [B, H, W, C], [B, H, W, C], target images in 0..1 -> [B]."""
    return 1.0 - structural_similarity(prediction, target)


def gradient_difference(prediction: Array, target: Array) -> Array:
    """Mean |difference of slopes| from each pixel to its neighbours: images [B, H, W, C], [B, H, W, C] -> [B].

    Mathieu et al., "Deep multi-scale video prediction beyond mean square error", 2016, equation 6 with alpha = 1.
    Unlike there, slopes keep their signs: a slope up differs from the same slope down.
    """
    error = prediction - target
    down, across = (jnp.abs(jnp.diff(error, axis=axis)).reshape(len(error), -1).mean(1) for axis in (1, 2))
    return (down + across) / 2


FAMILIES: dict[str, tuple[Loss, ...]] = {
    "regression": (l1, l2, huber, log_cosh, poisson, charbonnier),
    "signed": (l1, l2, huber, log_cosh, charbonnier),
    "classification": (cross_entropy, focal),
    "binary": (binary_cross_entropy, binary_focal),
    "image": (ssim, gradient_difference),
}


def list_losses(family: str) -> tuple[str, ...]:
    """List the losses of a family."""
    return tuple(member.__name__ for member in FAMILIES[family])


def _check_costs(costs: Any, prediction: Array, target: Array) -> Array:
    shapes = (target.shape, target.shape[:1])
    what = f"the cost of each value, {list(shapes[0])}, or of each image, {list(shapes[1])}"
    floats: Array = require_floats(costs, shapes, what).astype(prediction.dtype)
    return floats


OWN = Protocol("a loss", ("prediction", "target"), _check_costs, taken=("kind", "weight", "schedule", "phases"))


def find_loss(family: str, name: str) -> Op:
    """Find a loss of a family by its name: one of ours, or a user's. Raises `MemberError`."""
    if not is_dotted(name):
        return next(member for member in FAMILIES[family] if member.__name__ == name)
    return _fit_to_family(family, load_function(name, OWN))


def number_loss(family: str, name: str) -> int:
    """Return the number of a loss in a compiled program, its `kind`."""
    return number_member(list_losses(family), name)


def _fit_to_family(family: str, loss: Op) -> Op:
    """Make a loss give a cost of each image [B] in the family `image`, else of each value, as its branches must."""

    @wraps(loss)
    def compute_costs(prediction: Array, target: Array, **numbers: Any) -> Array:
        costs = loss(prediction, target, **numbers)
        if family == "image":
            each_image: Array = costs.reshape(len(costs), -1).mean(1)
            return each_image
        return jnp.broadcast_to(costs.reshape(*costs.shape, *(1,) * (target.ndim - costs.ndim)), target.shape)

    return compute_costs


def apply_loss(
    family: str, kind: Array, numbers: Mapping[str, Array], term: Term, names: Sequence[str] | None = None
) -> Array:
    """Compute loss number `kind` (int32, traced) of a family: each example's weighted mean over its values [B].

    The loss must be one of `names` (None: any of ours); only these are compiled. `numbers` may hold the numbers
    of the whole family and more. An example without any weight costs 0.
    """
    members = {number_loss(family, name): find_loss(family, name) for name in names or list_losses(family)}
    loss = apply_member(members, kind, numbers, term.prediction, term.truth)
    values = loss.reshape(len(loss), -1)
    if term.weight is None:
        return values.mean(axis=1)
    weight = term.weight.reshape(values.shape)
    return (values * weight).sum(axis=1) / jnp.maximum(weight.sum(axis=1), 1e-6)


BALANCES = ("none", "uncertainty", "gradient_norm")
"""Methods of balancing terms; a method's index here is its number.

- `uncertainty`: divide each term by its running value. Kendall et al. ("Multi-task learning using uncertainty to weigh
  losses", 2018) learn s in exp(-s) loss + s, whose minimum is at s = log(loss); the balance here follows log(loss).
- `gradient_norm`: make the gradients of all terms, before their weights, equally long. Chen et al. ("GradNorm", 2018)
  with one training rate for all tasks.
"""
