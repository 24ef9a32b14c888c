"""How far two measures of the same trials agree on which of two is ahead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

FEWEST = 10
"""Trials (as they count) below which nothing is said."""


@dataclass(frozen=True)
class Order:
    """The share of pairs of trials that are in one order twice, with its 95 % interval, from `n` independent trials."""

    share: float
    low: float
    high: float
    n: float


def order(first: ArrayLike, second: ArrayLike, weights: ArrayLike) -> Order | None:
    """How far two measures [n] of the same trials agree on their order; None for fewer than FEWEST trials.

    The share of pairs in the same order, ties half: (1 + tau) / 2 of Kendall's rank correlation. Each pair counts by
    the product of its `weights` [n] (Horvitz and Thompson 1952), which make n = sum(w)^2 / sum(w^2) trials of them
    (Kish 1965). The interval is that of atanh(tau), whose variance is 0.437 / (n - 4) (Fieller, Hartley and Pearson
    1957); where all pairs agree, as if one did not.
    """
    x, y, w = (np.asarray(values, np.float64) for values in (first, second, weights))
    if not len(w):
        return None
    count = float(w.sum() ** 2 / (w**2).sum())
    if count < FEWEST:
        return None
    signs: NDArray[np.float64] = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    pairs = np.triu(w[:, None] * w, 1)
    tau = float((signs * pairs).sum() / pairs.sum())
    near = 1 - 4 / (count * (count - 1))
    reach = float(ndtri(0.975)) * np.sqrt(0.437 / (count - 4))
    low, high = (float(np.tanh(np.arctanh(np.clip(tau, -near, near)) + way * reach)) for way in (-1, 1))
    return Order((1 + tau) / 2, (1 + min(low, tau)) / 2, (1 + max(high, tau)) / 2, count)
