"""Is a gradient that of its function? Differences along directions at many step sizes, and what they say.

With f(t) the function along a direction, the central difference (f(h) - f(-h)) / 2h is off by f'''(0) h^2 / 6 and by
rounding, about eps |f| / h (Nocedal and Wright, "Numerical optimization", section 8.1): as h shrinks the error falls
with slope 2, then rises with slope -1. Where f has a kink at 0, the differences to either side never agree. A network
of rectifiers has as many kinks as units times examples, some within all but the smallest steps: there the error falls
more slowly, and a gradient that is off by less than `FALLS` may pass for a right one. Meant for float64
(`jax.enable_x64`, around all of it): float32 leaves three digits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from thalweg.core import rng

STEPS = tuple(float(f"{digit}e-{decade}") for decade in range(1, 11) for digit in (3.1623, 1.0))
"""From 0.3 to 1e-10, by half decades."""
TOLERANCE = 1e-6
"""Relative to the slope: a gradient that is further off is wrong."""
FALLS = 1e-3
FALLING = 0.3
"""Unless it is so close, and this much closer than at steps ten times as large or more."""
ROUNDING = 16 * np.finfo(np.float64).eps
"""Of the function's size: what a value is uncertain by, which a sum over a batch and layers of sums leaves."""
SMALL = 1e-3
"""A slope is not asked to be exact to more than the tolerance of this share of the steepest one."""
EACH = 64
"""A point of so many parameters or fewer has each nudged alone."""
WHOLE = 4
"""Random directions of all parameters together, beside one of each array."""

Verdict = Literal["right", "kink", "wrong", "unknown"]
Function = Callable[[Any], Array]
"""A tree of parameters -> K values."""


class Slopes(NamedTuple):
    """What there is to judge K functions by along D directions, at H steps.

    `value` [K] at the point; `steepest` [K] the slope in the steepest direction as long as the others; `analytic`
    [D, K] the gradient's slopes; `ahead` and `behind` [D, H, K] the functions at a step to either side.
    """

    value: Array
    steepest: Array
    analytic: Array
    ahead: Array
    behind: Array


def slopes(
    function: Function, gradient: Any, point: Any, along: Callable[[Array], Any], count: int, steps: ArrayLike = STEPS
) -> Slopes:
    """Follow K functions from `point` along each of `count` directions; `along` makes one, a tree, from its number.

    `gradient` is a tree as `point` with a leading axis [K].
    """
    sizes = jnp.asarray(steps)

    def one(number: Array) -> tuple[Array, Array, Array]:
        direction = along(number)
        moved = jax.lax.map(
            lambda size: function(jax.tree.map(lambda leaf, d: leaf + size * d, point, direction)),
            jnp.concatenate([sizes, -sizes, jnp.zeros(1)]),
        )
        return _slope(gradient, direction), moved, _square(direction)

    analytic, moved, square = jax.lax.map(one, jnp.arange(count))
    steepest = jnp.sqrt(_total(jax.tree.map(_norms, gradient)) * square.max())
    return Slopes(moved[0, -1], steepest, analytic, moved[:, : len(sizes)], moved[:, len(sizes) : -1])


def _slope(gradient: Any, direction: Any) -> Array:
    return _total(jax.tree.map(lambda g, d: (g * d).reshape(len(g), -1).sum(1), gradient, direction))


def _norms(gradient: Array) -> Array:
    return jnp.square(gradient).reshape(len(gradient), -1).sum(1)


def _square(direction: Any) -> Array:
    return _total(jax.tree.map(lambda leaf: jnp.square(leaf).sum(), direction))


def _total(parts: Any) -> Array:
    return jnp.stack(jax.tree.leaves(parts)).sum(0)


def directions(point: Any) -> tuple[tuple[str, ...], Callable[[Array], Any]]:
    """The directions that a tree of parameters is checked along: their names, and what makes one from its number.

    Of few parameters each alone. Of many, for each array all of its entries up or down by chance, and then all arrays
    at once: a step is how far every parameter moves that moves.
    """
    leaves, structure = jax.tree.flatten(point)
    names = [_name(path) for path, _ in jax.tree.leaves_with_path(point)]
    first = np.cumsum([0, *(leaf.size for leaf in leaves)])
    places = jnp.arange(first[-1])

    def unflat(values: Array) -> Any:
        parts = [values[at : at + leaf.size].reshape(leaf.shape) for at, leaf in zip(first, leaves, strict=False)]
        return jax.tree.unflatten(structure, parts)

    if first[-1] <= EACH:
        alone = [
            f"{name}{list(place) if place else ''}"
            for name, leaf in zip(names, leaves, strict=True)
            for place in np.ndindex(leaf.shape)
        ]
        return tuple(alone), lambda number: unflat((places == number).astype(leaves[0].dtype))

    def chance(number: Array) -> Any:
        # one draw for all arrays: the generator is long to compile
        signs = jax.random.rademacher(rng.key(0, "directions", number), places.shape, leaves[0].dtype)
        array = jnp.searchsorted(first, places, side="right") - 1
        return unflat(jnp.where((number == array) | (number >= len(leaves)), signs, 0))

    return (*names, *(f"all, {i + 1}" for i in range(WHOLE))), chance


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")


@dataclass(frozen=True)
class Check:
    """What differences say of one slope.

    `numerical` [H] are central differences, `error` [H] how far they are from the `analytic` slope, as a share of the
    larger of the two, or of `SMALL` of the steepest slope where both are less; `floor` [H] is what of that may be
    rounding. `verdict`: `kink` where the sides never agree and the gradient lies between them, `unknown` where
    something is not finite.
    """

    analytic: float
    numerical: NDArray[np.float64]
    error: NDArray[np.float64]
    floor: NDArray[np.float64]
    verdict: Verdict


def judged(found: Slopes, steps: ArrayLike = STEPS) -> list[list[Check]]:
    """A check for each direction and function, [D][K]."""
    sizes = np.asarray(steps, np.float64)
    value, steepest, analytic, ahead, behind = (np.asarray(part, np.float64) for part in found)
    return [
        [
            _check(sizes, value[k], steepest[k], analytic[d, k], ahead[d, :, k], behind[d, :, k])
            for k in range(len(value))
        ]
        for d in range(len(analytic))
    ]


def _check(
    sizes: NDArray[np.float64],
    value: float,
    steepest: float,
    analytic: float,
    ahead: NDArray[np.float64],
    behind: NDArray[np.float64],
) -> Check:
    numerical = (ahead - behind) / (2 * sizes)
    sides = (ahead - value) / sizes, (value - behind) / sizes
    scale = np.maximum(np.maximum(np.abs(numerical), abs(analytic)), SMALL * steepest)
    rounding = ROUNDING * np.maximum(np.maximum(np.abs(ahead), np.abs(behind)), abs(value)) / sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(numerical == analytic, 0.0, np.abs(numerical - analytic) / scale)
        floor = np.where(rounding == 0, 0.0, rounding / scale)
    return Check(float(analytic), numerical, error, floor, _verdict(sizes, analytic, sides, scale, rounding, error))


def _verdict(
    sizes: NDArray[np.float64],
    analytic: float,
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    scale: NDArray[np.float64],
    rounding: NDArray[np.float64],
    error: NDArray[np.float64],
) -> Verdict:
    wide = np.maximum(scale, np.maximum(np.abs(sides[0]), np.abs(sides[1])))
    # with digits enough left to tell a wrong slope by; where everything is rounding, there is no slope
    known = np.isfinite(wide) & (rounding <= 10 * TOLERANCE * wide)
    if not math.isfinite(analytic) or not np.isfinite(wide).any():
        return "unknown"
    if not known.any():
        return "right" if (error * scale <= rounding)[np.isfinite(wide)].all() else "wrong"
    if (jump := _jump(sizes, sides, wide, known)) is not None:
        low, high = sorted(side[jump] for side in sides)
        slack = 10 * TOLERANCE * wide[jump] + rounding[jump]
        return "kink" if low - slack <= analytic <= high + slack else "wrong"
    agree = (error * scale <= TOLERANCE * scale + rounding)[known].any()
    return "right" if agree or _falls(sizes, error, known) else "wrong"


def _falls(sizes: NDArray[np.float64], error: NDArray[np.float64], known: NDArray[np.bool_]) -> bool:
    """Whether a small error would be less at still smaller steps, were there digits for them."""
    least, larger = _ends(sizes, known)
    return bool(larger.any() and error[least] <= min(FALLS, FALLING * float(np.median(error[larger]))))


def _ends(sizes: NDArray[np.float64], known: NDArray[np.bool_]) -> tuple[int, NDArray[np.bool_]]:
    """The place of the smallest known step, and those of known steps ten to a hundred times as large."""
    least = int(np.flatnonzero(known)[sizes[known].argmin()])
    return least, known & (sizes >= 9 * sizes[least]) & (sizes <= 101 * sizes[least])


def _jump(
    sizes: NDArray[np.float64],
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    wide: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> int | None:
    """The place of the smallest known step, if the two sides disagree there as much as at steps ten times as large.

    Of a smooth function they would disagree a tenth as much.
    """
    least, larger = _ends(sizes, known)
    apart = np.abs(sides[0] - sides[1])
    if apart[least] <= 100 * TOLERANCE * wide[least] or not larger.any():
        return None
    return least if apart[least] > 0.5 * np.median(apart[larger]) else None
