"""Is a gradient that of its function? Compare it with differences along directions at many step sizes.

With f(t) the function along a direction, the central difference (f(h) - f(-h)) / 2h is off by f'''(0) h^2 / 6 and by
rounding, about eps |f| / h (Nocedal and Wright, "Numerical optimization", section 8.1). Some step between is exact to
many digits. At a kink the slopes to the two sides differ at every step. Meant for float64 (`jax.enable_x64`, around all
of it): float32 leaves three digits.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from thalweg.core import rng

STEPS = tuple(float(f"{digit}e-{decade}") for decade in range(1, 11) for digit in (3.1623, 1.0))
"""From 0.3 to 1e-10, by half decades."""
TOLERANCE = 1e-6
"""Of the slope: a gradient that is further off at its best step is wrong."""
KINK = 1e-4
"""Of the slope: one-sided slopes that differ less are those of a smooth function."""
ROUNDING = 16 * np.finfo(np.float64).eps
"""Of the function's size: the rounding of a value that is a sum over a batch, through layers of sums."""
SMALL = 1e-3
"""A slope need not be exact to more than the tolerance of this share of the steepest one."""
EACH = 64
"""A point of so many parameters or fewer has each nudged alone."""
WHOLE = 4
"""Random directions of all parameters together, beside one of each array."""

Verdict = Literal["right", "kink", "wrong", "unknown"]
Floats = NDArray[np.float64]


class DirectionalDerivatives(NamedTuple):
    """Values of K functions along D directions at H steps.

    `value` [K] at the point; `steepest` [K] the slope in the steepest direction as long as the others; `analytic`
    [D, K] the gradient's slopes; `ahead` and `behind` [D, H, K] the functions at a step to either side.
    """

    value: Array
    steepest: Array
    analytic: Array
    ahead: Array
    behind: Array


class SlopeCheck(NamedTuple):
    """What differences say of one slope.

    `numerical` [H] are central differences. `error` [H] is their distance from the `analytic` slope, as a share of the
    larger of the two, or of `SMALL` of the steepest slope where both are less. `verdict` is `kink` where the one-sided
    slopes differ and the gradient lies between them, `unknown` where something is not finite.
    """

    analytic: float
    numerical: Floats
    error: Floats
    verdict: Verdict


def slopes(
    function: Callable[[Any], Array], gradient: Any, point: Any, along: Callable[[Array], Any], count: int
) -> DirectionalDerivatives:
    """Follow K values of `function`, of a tree, from `point` along `count` directions.

    `along` makes a direction, a tree, from its number; `gradient` is a tree as `point` with a leading axis [K].
    """
    sizes = jnp.asarray(STEPS)

    def follow(number: Array) -> tuple[Array, Array, Array]:
        direction = along(number)
        values = jax.lax.map(
            lambda size: function(jax.tree.map(lambda leaf, d: leaf + size * d, point, direction)),
            jnp.concatenate([sizes, -sizes, jnp.zeros(1)]),
        )
        slope = jax.tree.map(lambda g, d: (g * d).reshape(len(g), -1).sum(1), gradient, direction)
        return _total(slope), values, _total(jax.tree.map(lambda d: jnp.square(d).sum(), direction))

    analytic, values, squares = jax.lax.map(follow, jnp.arange(count))
    norms = _total(jax.tree.map(lambda g: jnp.square(g).reshape(len(g), -1).sum(1), gradient))
    steepest = jnp.sqrt(norms * squares.max())
    ahead, behind = values[:, : len(sizes)], values[:, len(sizes) : -1]
    return DirectionalDerivatives(values[0, -1], steepest, analytic, ahead, behind)


def _total(tree: Any) -> Array:
    return jnp.stack(jax.tree.leaves(tree)).sum(0)


def directions(point: Any) -> tuple[tuple[str, ...], Callable[[Array], Any]]:
    """Return the names of the directions to check a tree of parameters along, and a function from a number to one.

    Of few parameters each moves alone. Of many, all entries of one array move up or down by chance, and then those of
    all arrays at once. A step is how far every parameter moves that moves.
    """
    leaves, structure = jax.tree.flatten(point)
    names = [
        jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")
        for path, _ in jax.tree.leaves_with_path(point)
    ]
    first = np.cumsum([0, *(leaf.size for leaf in leaves)])
    places = jnp.arange(first[-1])

    def unflatten(values: Array) -> Any:
        parts = [values[at : at + leaf.size].reshape(leaf.shape) for at, leaf in zip(first, leaves, strict=False)]
        return jax.tree.unflatten(structure, parts)

    if first[-1] <= EACH:
        alone = [
            f"{name}{list(place) if place else ''}"
            for name, leaf in zip(names, leaves, strict=True)
            for place in np.ndindex(leaf.shape)
        ]
        return tuple(alone), lambda number: unflatten((places == number).astype(leaves[0].dtype))

    def random(number: Array) -> Any:
        # one draw for all arrays: the generator is long to compile
        signs = jax.random.rademacher(rng.key(0, "directions", number), places.shape, leaves[0].dtype)
        array = jnp.searchsorted(first, places, side="right") - 1
        return unflatten(jnp.where((number == array) | (number >= len(leaves)), signs, 0))

    return (*names, *(f"all, {i + 1}" for i in range(WHOLE))), random


def judge(found: DirectionalDerivatives) -> list[list[SlopeCheck]]:
    """Return a check for each direction and function, [D][K]."""
    value, steepest, analytic, ahead, behind = (np.asarray(part, np.float64) for part in found)
    return [
        [_check(value[k], steepest[k], slope[k], forth[:, k], back[:, k]) for k in range(len(value))]
        for slope, forth, back in zip(analytic, ahead, behind, strict=True)
    ]


def _check(value: float, steepest: float, analytic: float, ahead: Floats, behind: Floats) -> SlopeCheck:
    sizes = np.array(STEPS)
    numerical = (ahead - behind) / (2 * sizes)
    scale = np.maximum(np.maximum(np.abs(numerical), abs(analytic)), SMALL * steepest)
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(numerical - analytic)
        error = np.where(off == 0, 0.0, off / scale)
    sides = np.sort([(ahead - value) / sizes, (value - behind) / sizes], axis=0)
    rounding = ROUNDING * np.abs([ahead, behind, np.full_like(ahead, value)]).max(0) / sizes
    return SlopeCheck(float(analytic), numerical, error, _verdict(float(analytic), sides, scale, rounding, off))


def _verdict(analytic: float, sides: Floats, scale: Floats, rounding: Floats, off: Floats) -> Verdict:
    """Judge a slope by its one-sided slopes [2, H], low and high, and by how far the central one is `off` [H]."""
    wide = np.maximum(scale, np.abs(sides).max(0))
    finite = np.isfinite(wide)
    if not np.isfinite(analytic) or not finite.any():
        return "unknown"
    exact = np.flatnonzero(finite & (rounding <= 10 * TOLERANCE * wide))  # steps with digits to tell a slope by
    if not len(exact):
        return "right" if (off <= rounding)[finite].all() else "wrong"  # the function is flat
    apart, smallest = sides[1] - sides[0], exact[-1]
    # the sides of a smooth function differ a tenth as much at a step a tenth as large
    if len(exact) > 2 and apart[smallest] > max(KINK * wide[smallest], apart[exact[-3]] / 2):
        slack = 10 * TOLERANCE * wide[smallest] + rounding[smallest]
        return "kink" if sides[0, smallest] - slack <= analytic <= sides[1, smallest] + slack else "wrong"
    return "right" if (off <= TOLERANCE * scale)[finite].any() else "wrong"
