"""Several objectives at once: who is beaten by no one, and how much of the space of outcomes they cover together."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

Array = NDArray[np.float64]
VOLUME_PROBES = 4096
"""Places at which a volume of more than two dimensions is looked at."""


def pareto_front(costs: ArrayLike) -> NDArray[np.bool_]:
    """Which of some points [n, objectives], less is better, no other dominates: is as good in all and better in one."""
    points = np.asarray(costs, np.float64)
    kept = np.ones(len(points), bool)
    for place, point in enumerate(points):
        others = points[kept]
        kept[place] = not ((others <= point).all(1) & (others < point).any(1)).any()
    return kept


def hypervolume(costs: ArrayLike, reference: ArrayLike) -> float:
    """The volume that points [n, objectives] dominate below a reference point [objectives]; less is better.

    Exact: for two objectives a sum of rectangles; for more the sum of what each point adds to those after it (WFG:
    While, Bradstreet and Barone 2012, "A fast way of calculating exact hypervolumes").
    """
    worst = np.asarray(reference, np.float64)
    points = np.asarray(costs, np.float64).reshape(-1, len(worst))
    points = points[(points < worst).all(1)]
    points = np.unique(points[pareto_front(points)], axis=0)
    if len(worst) == 2:
        heights = np.concatenate([worst[1:], points[:-1, 1]]) - points[:, 1] if len(points) else np.zeros(0)
        return float(((worst[0] - points[:, 0]) * heights).sum())
    return sum(_exclusive_volume(points[place], points[place + 1 :], worst) for place in range(len(points)))


def _exclusive_volume(point: Array, others: Array, worst: Array) -> float:
    """What a point dominates that none of the others does."""
    alone = float(np.prod(worst - point))
    return alone - hypervolume(np.maximum(others, point), worst) if len(others) else alone


def hypervolume_history(costs: ArrayLike, reference: ArrayLike) -> Array:
    """The hypervolume of the first 1, 2 … n points [n, objectives], where a row may be missing (NaN): [n]."""
    points, worst = np.asarray(costs, np.float64), np.asarray(reference, np.float64)
    known, total, volumes = np.empty((0, len(worst))), 0.0, np.zeros(len(points))
    for place, point in enumerate(points):
        if np.isfinite(point).all() and (point < worst).all() and not (known <= point).all(1).any():
            total += _exclusive_volume(point, known, worst)
            known = np.vstack([known[~(point <= known).all(1)], point])
        volumes[place] = total
    return volumes


def front_hypervolumes(fronts: ArrayLike, reference: ArrayLike) -> Array:
    """The hypervolumes [m] of several fronts [m, n, objectives], to be held against each other.

    Exact for two objectives. For more the exact volume takes time that grows with a power of n: there it is the share
    of PROBES places, the same for all, that a front dominates.
    """
    known, worst = np.asarray(fronts, np.float64), np.asarray(reference, np.float64)
    if len(worst) == 2:
        return np.array([hypervolume(one, worst) for one in known])
    low = np.minimum(known.min(axis=(0, 1)), worst)
    places = low + qmc.Halton(len(worst), scramble=True, rng=0).random(VOLUME_PROBES) * (worst - low)
    shares = [(one <= places[:, None]).all(2).any(1).mean() for one in known]
    return np.array(shares) * float(np.prod(worst - low))


def normalise_costs(costs: ArrayLike) -> tuple[Array, Array]:
    """Costs [n, objectives] with 0 the best of each objective and 1 the worst; and the size of each range."""
    values = np.asarray(costs, np.float64)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return (values - low) / np.where(high > low, high - low, 1.0), high - low
