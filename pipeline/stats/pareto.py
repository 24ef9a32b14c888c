"""Several objectives at once: the Pareto front, and the hypervolume that it dominates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
VOLUME_PROBES = 4096  # points at which a volume of more than two dimensions is sampled


def pareto_front(costs: ArrayLike) -> NDArray[np.bool_]:
    """Say which points [n, objectives], less is better, no other dominates (as good in all, better in one)."""
    points = np.asarray(costs, np.float64)
    on_front = np.ones(len(points), bool)
    for index, point in enumerate(points):
        others = points[on_front]
        on_front[index] = not ((others <= point).all(1) & (others < point).any(1)).any()
    return on_front


def hypervolume(costs: ArrayLike, reference: ArrayLike) -> float:
    """Compute the volume that points [n, objectives] dominate below a reference point [objectives]; less is better.

    It is exact: for two objectives a sum of rectangles, for more the sum of each point's addition to those after it
    (WFG: While, Bradstreet and Barone 2012, "A fast way of calculating exact hypervolumes").
    """
    worst = np.asarray(reference, np.float64)
    points = np.asarray(costs, np.float64).reshape(-1, len(worst))
    points = points[(points < worst).all(1)]
    points = np.unique(points[pareto_front(points)], axis=0)
    if len(worst) == 2:
        heights = np.concatenate([worst[1:], points[:-1, 1]]) - points[:, 1] if len(points) else np.zeros(0)
        return float(((worst[0] - points[:, 0]) * heights).sum())
    return sum(_exclusive_volume(points[index], points[index + 1 :], worst) for index in range(len(points)))


def _exclusive_volume(point: Array, others: Array, worst: Array) -> float:
    """Compute the volume that a point dominates and none of the others does."""
    alone = float(np.prod(worst - point))
    return alone - hypervolume(np.maximum(others, point), worst) if len(others) else alone


def hypervolume_history(costs: ArrayLike, reference: ArrayLike) -> Array:
    """Compute the hypervolume of the first 1, 2 … n points [n, objectives]: [n]; a row may be missing (NaN)."""
    points, worst = np.asarray(costs, np.float64), np.asarray(reference, np.float64)
    front, total, volumes = np.empty((0, len(worst))), 0.0, np.zeros(len(points))
    for index, point in enumerate(points):
        if np.isfinite(point).all() and (point < worst).all() and not (front <= point).all(1).any():
            total += _exclusive_volume(point, front, worst)
            front = np.vstack([front[~(point <= front).all(1)], point])
        volumes[index] = total
    return volumes


def front_hypervolumes(fronts: ArrayLike, reference: ArrayLike) -> Array:
    """Compute the hypervolumes [m] of several fronts [m, n, objectives], to compare them.

    They are exact for two objectives. For more, the time of an exact volume grows with a power of n; there it is the
    share of `VOLUME_PROBES` points, the same for all, that a front dominates.
    """
    costs, worst = np.asarray(fronts, np.float64), np.asarray(reference, np.float64)
    if len(worst) == 2:
        return np.array([hypervolume(front, worst) for front in costs])
    from scipy.stats import qmc  # half a second, for three objectives or more

    low = np.minimum(costs.min(axis=(0, 1)), worst)
    probes = low + qmc.Halton(len(worst), scramble=True, rng=0).random(VOLUME_PROBES) * (worst - low)
    shares = [(front <= probes[:, None]).all(2).any(1).mean() for front in costs]
    return np.array(shares) * float(np.prod(worst - low))


def normalise_costs(costs: ArrayLike) -> tuple[Array, Array]:
    """Scale costs [n, objectives] to 0 (best) to 1 (worst) in each objective. Returns them and each range's size."""
    values = np.asarray(costs, np.float64)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return (values - low) / np.where(high > low, high - low, 1.0), high - low
