"""A check of gradients against differences along directions, at many step sizes.

With f(t) the function along a direction, the central difference (f(h) - f(-h)) / 2h is off by f'''(0) h^2 / 6 and by
rounding, about eps |f| / h (Nocedal and Wright, "Numerical optimization", section 8.1). A step between these is exact
to many digits. At a kink, the one-sided slopes differ at every step. Meant for float64 (`jax.enable_x64`, around all
of it): float32 leaves three digits.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from thalweg.core import rng

STEP_SIZES = tuple(float(f"{digit}e-{decade}") for decade in range(1, 11) for digit in (3.1623, 1.0))
"""From 0.3 to 1e-10, in half decades."""
MAX_SLOPE_ERROR = 1e-6
"""Of the slope: a gradient with a larger error at its best step is wrong."""
MIN_KINK = 1e-4
"""Of the slope: where one-sided slopes differ less, the function is smooth."""
ROUNDING_SHARE = 16 * np.finfo(np.float64).eps
"""Of the function's value: its rounding, as a sum over a batch through layers of sums."""
MIN_SLOPE_SHARE = 1e-3
"""Of the steepest slope: smaller slopes are checked relative to this size."""
MAX_SINGLE_PARAMETERS = 64
"""Up to this number of parameters, each is moved alone."""
RANDOM_DIRECTIONS = 4
"""Random directions of all parameters together, beside one for each array."""

Floats = NDArray[np.float64]


class DirectionalDerivatives(NamedTuple):
    """Values of K functions along D directions at H steps.

    `value` [K] at the point; `steepest` [K] the slope in the steepest direction of the same length; `analytic` [D, K]
    the gradient's slopes; `ahead` and `behind` [D, H, K] the functions one step to either side.
    """

    value: Array
    steepest: Array
    analytic: Array
    ahead: Array
    behind: Array


class SlopeCheck(NamedTuple):
    """The comparison of one slope with differences.

    `numerical` [H] are central differences. `error` [H] is their distance from the `analytic` slope, as a share of the
    larger of the two, or of `MIN_SLOPE_SHARE` of the steepest slope where both are smaller. `verdict` is `kink` where
    the one-sided slopes differ and the gradient lies between them, `unknown` where no step is finite.
    """

    analytic: float
    numerical: Floats
    error: Floats
    verdict: Literal["right", "kink", "wrong", "unknown"]


def follow_directions(
    function: Callable[[Any], Array], gradient: Any, point: Any, build_direction: Callable[[Array], Any], count: int
) -> DirectionalDerivatives:
    """Follow K values of `function`, of a tree, from `point` along `count` directions.

    `build_direction` makes one, a tree, from its number; `gradient` is a tree like `point` with a leading axis [K].
    """
    sizes = jnp.asarray(STEP_SIZES)
    rows = jax.vmap(lambda tree: ravel_pytree(tree)[0])(gradient)

    def follow_direction(number: Array) -> tuple[Array, Array, Array]:
        direction = build_direction(number)
        values = jax.lax.map(
            lambda size: function(jax.tree.map(lambda leaf, d: leaf + size * d, point, direction)),
            jnp.concatenate([sizes, -sizes, jnp.zeros(1)]),
        )
        flat = ravel_pytree(direction)[0]
        return rows @ flat, values, flat @ flat

    analytic, values, squares = jax.lax.map(follow_direction, jnp.arange(count))
    steepest = jnp.linalg.norm(rows, axis=1) * jnp.sqrt(squares.max())
    return DirectionalDerivatives(values[0, -1], steepest, analytic, *jnp.split(values[:, :-1], 2, axis=1))


def build_directions(point: Any) -> tuple[tuple[str, ...], Callable[[Array], Any]]:
    """Return the names of the directions to check a tree of parameters along, and a function from a number to one.

    Of few parameters, each moves alone. Of many, all entries of one array move up or down at random, then those of all
    arrays together. A step is the distance that each moving parameter moves.
    """
    flat, unflatten = ravel_pytree(point)
    indices = jnp.arange(len(flat))
    arrays = {
        jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value"): leaf.shape
        for path, leaf in jax.tree.leaves_with_path(point)
    }
    if len(flat) <= MAX_SINGLE_PARAMETERS:
        names = [f"{name}{list(at) if at else ''}" for name, shape in arrays.items() for at in np.ndindex(shape)]
        return tuple(names), lambda number: unflatten((indices == number).astype(flat.dtype))
    ends = jnp.cumsum(jnp.array([np.prod(shape, dtype=int) for shape in arrays.values()]))

    def build_random_direction(number: Array) -> Any:
        # one draw for all arrays, because the generator compiles slowly
        signs = jax.random.rademacher(rng.derive_key(0, "directions", number), flat.shape, flat.dtype)
        array = jnp.searchsorted(ends, indices, side="right")
        return unflatten(jnp.where((number == array) | (number >= len(arrays)), signs, 0))

    return (*arrays, *(f"all, {i + 1}" for i in range(RANDOM_DIRECTIONS))), build_random_direction


def judge_slopes(derivatives: DirectionalDerivatives) -> list[list[SlopeCheck]]:
    """Return a check for each direction and function, [D][K]."""
    value, steepest, analytic, ahead, behind = (np.asarray(values, np.float64) for values in derivatives)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [
            [_check_slope(value[k], steepest[k], slope[k], forth[:, k], back[:, k]) for k in range(len(value))]
            for slope, forth, back in zip(analytic, ahead, behind, strict=True)
        ]


def _check_slope(value: float, steepest: float, analytic: float, ahead: Floats, behind: Floats) -> SlopeCheck:
    steps = np.array(STEP_SIZES)
    numerical = (ahead - behind) / (2 * steps)
    distance = np.abs(numerical - analytic)
    scale = np.maximum(np.abs(numerical), np.maximum(abs(analytic), MIN_SLOPE_SHARE * steepest))
    check = partial(SlopeCheck, float(analytic), numerical, np.where(distance == 0, 0.0, distance / scale))
    low, high = np.sort([(ahead - value) / steps, (value - behind) / steps], axis=0)
    size = np.abs([scale, low, high]).max(0)
    rounding = ROUNDING_SHARE * np.abs([ahead, behind, np.full_like(ahead, value)]).max(0) / steps
    finite = np.isfinite(size)
    if not finite.any():
        return check("unknown")
    precise = np.flatnonzero(finite & (rounding <= 10 * MAX_SLOPE_ERROR * size))  # steps with enough digits
    if not len(precise):  # the function is flat
        return check("right" if (distance <= rounding)[finite].all() else "wrong")
    gap, last = high - low, precise[-1]
    # for a smooth function, a tenth of the step gives a tenth of the gap
    if len(precise) > 2 and gap[last] > max(MIN_KINK * size[last], gap[precise[-3]] / 2):
        slack = 10 * MAX_SLOPE_ERROR * size[last] + rounding[last]
        return check("kink" if low[last] - slack <= analytic <= high[last] + slack else "wrong")
    return check("right" if (distance <= MAX_SLOPE_ERROR * scale)[finite].any() else "wrong")
