"""How sure is it: intervals over few seeds and over the groups of the examples that a metric is measured on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

BLOCKS = 100
"""At most so many parts of the examples are left out in turn; more would cost time and tell nothing more."""


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


def blocks(groups: NDArray[np.str_]) -> NDArray[np.intp]:
    """The block of each example [N]: its group, or, where there are more than `BLOCKS`, groups dealt out in turn."""
    _, index = np.unique(groups, return_inverse=True)
    return index % BLOCKS


def leave_out(block: NDArray[np.intp]) -> NDArray[np.float64]:
    """Weights [B, N] that leave out one block of examples each."""
    kept: NDArray[np.bool_] = block[None, :] != np.arange(block.max() + 1)[:, None]
    weights: NDArray[np.float64] = kept.astype(np.float64)
    return weights


def interval(by_seed: NDArray[np.float64], without: NDArray[np.float64], level: float = 0.95) -> Interval:
    """The mean over seeds with an interval for fresh seeds and fresh groups of examples.

    `by_seed` [S] is the metric of each seed's network, or the difference of two that share a seed; `without` [B] the
    mean over seeds where one block of examples is left out. The variance is the sum of the seeds' (s^2 / S) and the
    blocks' (the jackknife's: Efron and Stein 1981); Student's t has the degrees of freedom of Satterthwaite 1946.
    The interaction of the two counts in both, so the interval errs to the wide side. Fewer than two blocks add nothing.
    It is never narrower than for one source alone: beside few seeds, many blocks would lend them freedom.
    """
    mean, parts = float(np.mean(by_seed)), len(without)
    from_blocks = float((parts - 1) / parts * np.sum((without - without.mean()) ** 2)) if parts > 1 else 0.0
    sources = [(float(np.var(by_seed, ddof=1)) / len(by_seed), len(by_seed) - 1), (from_blocks, parts - 1)]
    varying = [(variance, freedom) for variance, freedom in sources if variance > 0]
    if not varying:
        return Interval(mean, mean, mean)
    total = sum(variance for variance, _ in varying)
    together = total**2 / sum(variance**2 / freedom for variance, freedom in varying)
    reach = max(
        np.sqrt(v) * float(stats.t.ppf(0.5 + level / 2, freedom)) for v, freedom in [*varying, (total, together)]
    )
    return Interval(mean, float(mean - reach), float(mean + reach))
