"""Optimizers: each is `(*, learning_rate, numbers) -> optax.GradientTransformation`, built inside the step.

`learning_rate` is the rate of this step, schedule included. It and every number may be traced; none changes the
structure of the state. With gradient g, weights w and momentum m, the three momenta differ in size:

    heavy_ball   v = m v + g             w -= lr v              in a steady slope a step is lr g / (1 - m)
    nesterov     v = m v + g             w -= lr (m v + g)      the same, but it looks one step ahead
    ema          v = m v + (1 - m) g     w -= lr v              in a steady slope a step is lr g

So `ema` at rate lr / (1 - m) is `heavy_ball` at rate lr. In `adam`, `adamw` and `lion`, `momentum` is beta 1, also an
average, so that a study of momentum reads the same for every optimizer.

Weight decay is coupled (its gradient, weight_decay * w, joins g: L2) in the first four and `adam`; decoupled
(w -= lr * weight_decay * w beside the step) in `adamw` and `lion` (Loshchilov and Hutter 2019).

A new optimizer is one function, each number with its bounds, and its name in `KINDS`. A user's own optimizer has its
dotted path as its name.
"""

import math
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import jax
import optax
from jax import Array

from thalweg.core import own_functions
from thalweg.core.hyperparameters import BelowOne, NonNegative, Number, Op, Positive, list_defaults, select_numbers
from thalweg.core.own_functions import describe_type
from thalweg.system.members import MemberError, is_dotted, run_own_code

Transform: TypeAlias = optax.GradientTransformation


class Optimizer(Protocol):
    """A function of the step's learning rate; all its other numbers have defaults."""

    __name__: str

    def __call__(self, *, learning_rate: Number) -> Transform: ...


def gradient_descent(*, learning_rate: Number) -> Transform:
    """w -= lr g: steepest descent and nothing else (Cauchy 1847)."""
    return optax.scale_by_learning_rate(learning_rate)


def heavy_ball(*, learning_rate: Number, momentum: BelowOne = 0.9, weight_decay: NonNegative = 0.0) -> Transform:
    """v = m v + g; w -= lr v (Polyak 1964)."""
    return _scale_by_rate(learning_rate, optax.add_decayed_weights(weight_decay), optax.trace(momentum))


def nesterov(*, learning_rate: Number, momentum: BelowOne = 0.9, weight_decay: NonNegative = 0.0) -> Transform:
    """v = m v + g; w -= lr (m v + g). Nesterov 1983, in the form of Sutskever et al. 2013."""
    return _scale_by_rate(learning_rate, optax.add_decayed_weights(weight_decay), optax.trace(momentum, nesterov=True))


def ema(*, learning_rate: Number, momentum: BelowOne = 0.9, weight_decay: NonNegative = 0.0) -> Transform:
    """v = m v + (1 - m) g; w -= lr v. The average starts at 0 and is not corrected: the first step is lr (1 - m) g."""
    return _scale_by_rate(learning_rate, optax.add_decayed_weights(weight_decay), optax.ema(momentum, debias=False))


def adam(
    *,
    learning_rate: Number,
    momentum: BelowOne = 0.9,
    b2: BelowOne = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 0.0,
) -> Transform:
    """Averages of g and g^2, corrected for their start at 0; w -= lr mean / (sqrt(square) + eps).

    Each step is about lr in size whatever the gradient's. Kingma and Ba 2015, algorithm 1; weight decay as L2.
    """
    return _scale_by_rate(
        learning_rate, optax.add_decayed_weights(weight_decay), optax.scale_by_adam(momentum, b2, eps)
    )


def adamw(
    *,
    learning_rate: Number,
    momentum: BelowOne = 0.9,
    b2: BelowOne = 0.999,
    eps: Positive = 1e-8,
    weight_decay: NonNegative = 1e-4,
) -> Transform:
    """`adam` with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2)."""
    return _scale_by_rate(
        learning_rate, optax.scale_by_adam(momentum, b2, eps), optax.add_decayed_weights(weight_decay)
    )


def lion(
    *, learning_rate: Number, momentum: BelowOne = 0.9, b2: BelowOne = 0.99, weight_decay: NonNegative = 1e-3
) -> Transform:
    """w -= lr (sign(m v + (1 - m) g) + weight_decay w), then v = b2 v + (1 - b2) g.

    Each step is exactly lr for every weight, so its rate is a tenth to a third of Adam's. Chen et al. 2023.
    """
    return _scale_by_rate(learning_rate, optax.scale_by_lion(momentum, b2), optax.add_decayed_weights(weight_decay))


KINDS: tuple[Optimizer, ...] = (gradient_descent, heavy_ball, nesterov, ema, adam, adamw, lion)
_OPTIMIZERS_BY_NAME = {member.__name__: member for member in KINDS}


def list_optimizers() -> tuple[str, ...]:
    return tuple(_OPTIMIZERS_BY_NAME)


def _check_transform(transform: Any) -> Any:
    if not isinstance(transform, optax.GradientTransformation):
        raise ValueError(f"returns {describe_type(transform)}; it must return an optax.GradientTransformation")
    return transform


OWN = own_functions.Protocol(
    "an optimizer", (), _check_transform, keywords=("learning_rate",), taken=("kind", "learning_rate", "clip")
)


def find_optimizer(name: str) -> Op:
    """Find an optimizer by its name: one of ours, or a user's. Raises `MemberError`."""
    return own_functions.load_function(name, OWN) if is_dotted(name) else _OPTIMIZERS_BY_NAME[name]


def _check_steps(path: str, own: Transform) -> Transform:
    """Check that an own optimizer keeps the shapes and types of its state, and gives a step for each weight."""

    def init_state(weights: Any) -> Any:
        return _require_arrays(path, run_own_code(path, own.init, weights))

    def compute_steps(gradient: Any, state: Any, weights: Any = None) -> tuple[Any, Any]:
        result = run_own_code(path, own.update, gradient, state, weights)
        if not isinstance(result, tuple) or len(result) != 2:
            raise MemberError(path, "returns something else from `update` than a pair: steps, and state")
        steps, after = _require_arrays(path, result)
        if _describe_shapes(steps) != _describe_shapes(gradient):
            raise MemberError(path, "gives steps of other shapes or types than the gradient's")
        if _describe_shapes(after) != _describe_shapes(state):
            raise MemberError(path, "changes the shape or type of its state in a step; keep those that `init` makes")
        return steps, after

    return optax.GradientTransformation(init_state, compute_steps)


def _require_arrays(path: str, tree: Any) -> Any:
    """Return a tree of arrays and numbers. Raises `MemberError` if it holds something else."""
    for leaf in jax.tree.leaves(tree):
        if not isinstance(leaf, int | float) and not hasattr(leaf, "dtype"):
            raise MemberError(path, f"keeps {describe_type(leaf)}; its state and steps must be arrays")
    return tree


def _describe_shapes(tree: Any) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(jax.numpy.shape(leaf), jax.numpy.result_type(leaf)) for leaf in leaves]


def list_optimizer_defaults(kind: str) -> dict[str, float]:
    """List the numbers of the optimizer named `kind`, with their defaults."""
    return list_defaults(find_optimizer(kind))


def build_optimizer(kind: str, numbers: Mapping[str, Array], learning_rate: Number, clip: Array | None) -> Transform:
    """Build the optimizer named `kind` (static); `clip`, if any, is the largest norm of a whole gradient.

    It selects its own from `numbers`; missing ones are at their defaults.
    """
    member = find_optimizer(kind)
    optimizer: Transform = member(learning_rate=learning_rate, **select_numbers(member, numbers))
    optimizer = _check_steps(kind, optimizer) if is_dotted(kind) else optimizer
    return optimizer if clip is None else optax.chain(optax.clip_by_global_norm(clip), optimizer)


def stability_limit(kind: str, numbers: Mapping[str, float], learning_rate: float) -> float:
    """Compute the largest curvature of a quadratic valley in which steps at this rate do not grow; NaN if unknown.

    Momentum raises the limit: at the limit a root of the step's recurrence leaves the unit circle at -1. Adaptive
    optimizers scale each weight separately, so no single number bounds them.
    """
    momentum, decay = numbers.get("momentum", 0.0), numbers.get("weight_decay", 0.0)
    if learning_rate <= 0:
        return math.inf
    match kind:
        case "gradient_descent":
            return 2 / learning_rate
        case "heavy_ball":
            return 2 * (1 + momentum) / learning_rate - decay
        case "nesterov":
            return 2 * (1 + momentum) / (1 + 2 * momentum) / learning_rate - decay
        case "ema":
            return 2 * (1 + momentum) / (1 - momentum) / learning_rate - decay
        case _:
            return math.nan


def _scale_by_rate(learning_rate: Number, *transforms: Transform) -> Transform:
    return optax.chain(*transforms, optax.scale_by_learning_rate(learning_rate))
