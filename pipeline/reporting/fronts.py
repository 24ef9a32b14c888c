"""Several objectives at once: who is beaten by no one, and how much of the space of outcomes they cover together."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def front(costs: ArrayLike) -> NDArray[np.bool_]:
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
    points = np.unique(points[front(points)], axis=0)
    if len(worst) == 2:
        heights = np.concatenate([worst[1:], points[:-1, 1]]) - points[:, 1] if len(points) else np.zeros(0)
        return float(((worst[0] - points[:, 0]) * heights).sum())
    return sum(_added(points[place], points[place + 1 :], worst) for place in range(len(points)))


def _added(point: Array, others: Array, worst: Array) -> float:
    """What a point dominates that none of the others does."""
    alone = float(np.prod(worst - point))
    return alone - hypervolume(np.maximum(others, point), worst) if len(others) else alone


def grown(costs: ArrayLike, reference: ArrayLike) -> Array:
    """The hypervolume of the first 1, 2 … n points [n, objectives], where a row may be missing (NaN): [n]."""
    points, worst = np.asarray(costs, np.float64), np.asarray(reference, np.float64)
    known, total, volumes = np.empty((0, len(worst))), 0.0, np.zeros(len(points))
    for place, point in enumerate(points):
        if np.isfinite(point).all() and (point < worst).all() and not (known <= point).all(1).any():
            total += _added(point, known, worst)
            known = np.vstack([known[~(point <= known).all(1)], point])
        volumes[place] = total
    return volumes


def unit(costs: pd.DataFrame) -> tuple[Array, Array]:
    """Costs [n, objectives] with 0 the best of each objective and 1 the worst; and the size of each range."""
    values = costs.to_numpy(np.float64)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return (values - low) / np.where(high > low, high - low, 1.0), high - low
