"""A comparison of pairs that may stop after each pair: a group-sequential t-test.

After each pair from the fifth on, the mean difference is judged by Student's t at a level that is lower than the
level of the whole comparison. The levels have the shape of Wang and Tsiatis 1987 ("Approximately optimal one-parameter
boundaries for group sequential trials"). Under the null hypothesis the values of t after each pair have one joint
distribution, whatever the noise's size, so simulated draws give the levels. The intervals are repeated confidence
intervals (Jennison and Turnbull 1989): all hold together, so the last one is valid whenever the comparison stopped.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]
Verdict = Literal["lower", "higher", "same", "open"]

FIRST_LOOK = 5
"""The pairs before the first decision: with fewer, a false decision costs too much of what is allowed."""
ALPHA = 0.05
"""How often a comparison of equals may end with a difference, in either direction; and how often one of two that differ
by the smallest effect may end without one."""
SHAPE = 0.25
"""The exponent by which the levels rise. 0 stops earliest, but finds less (Pocock 1977)."""
DRAWS = 60_000
CHUNK = 5_000
MAX_PAIRS = 1_000
"""The largest number of pairs worth naming."""
LEVEL_DECAY = 0.5
"""The level of a comparison falls at most by this power of its pairs (0.0155 for 12, 0.0053 for 200)."""


@dataclass(frozen=True)
class PairedResult:
    """The state of a comparison after `pairs` pairs.

    - `verdict`: of the differences. They are surely `lower` than 0, or `higher`. `same`: surely closer to 0 than the
      smallest effect. `open`: not clear yet.
    - `mean`, `low` to `high`: of the differences, with the interval that is valid whenever the comparison stops. It is
      infinite before FIRST_LOOK.
    """

    verdict: Verdict
    pairs: int
    mean: float
    low: float
    high: float


def judge_pairs(
    differences: ArrayLike, planned: int, smallest: float | None = None, alpha: float = ALPHA
) -> PairedResult:
    """Judge differences [pairs] after the last one, in a comparison of at most `planned` pairs.

    `smallest` is the smallest effect that counts; None: no difference is too small.
    """
    values = np.asarray(differences, np.float64)
    count = len(values)
    mean = float(values.mean()) if count else 0.0
    if count < FIRST_LOOK:
        return PairedResult("open", count, mean, -math.inf, math.inf)
    error = float(values.std(ddof=1)) / math.sqrt(count)
    low, high = (mean + sign * _compute_quantile(count, planned, alpha) * error for sign in (-1, 1))
    reach = abs(mean) + _compute_quantile(count, planned, 2 * alpha) * error
    verdict: Verdict = "lower" if high < 0 else "higher" if low > 0 else "open"
    if smallest is not None and reach < smallest:
        verdict = "same"
    return PairedResult(verdict, count, mean, low, high)


def count_pairs_needed(
    result: PairedResult, deviation: float, planned: int, smallest: float | None, alpha: float
) -> int | None:
    """Count roughly the pairs that would settle an open comparison of `planned` pairs if the mean stayed as it is.

    `deviation` is the standard deviation of the differences. None: more than MAX_PAIRS. The level of a longer
    comparison is not simulated but set a little too low.
    """
    for count in range(planned + 1, MAX_PAIRS + 1):
        error, scale = deviation / math.sqrt(count), (planned / count) ** LEVEL_DECAY
        clear, alike = (
            float(stdtrit(count - 1, 1 - scale * compute_level(planned, each) / 2)) * error
            for each in (alpha, 2 * alpha)
        )
        if abs(result.mean) > clear or (smallest is not None and abs(result.mean) + alike < smallest):
            return count
    return None


def _compute_quantile(count: int, planned: int, alpha: float) -> float:
    """Return the two-sided quantile of Student's t at the level of the look after `count` pairs."""
    level = compute_level(planned, alpha) * (count / planned) ** SHAPE
    return float(stdtrit(count - 1, 1 - level / 2))


@cache
def compute_level(planned: int, alpha: float) -> float:
    """Return the two-sided level of the last look, with which `alpha` of comparisons of equals end with a difference.

    It is simulated, with a relative error of about 2 %.
    """
    draw = np.random.default_rng(planned)
    counts = np.arange(FIRST_LOOK, planned + 1)
    lowest = [_draw_lowest(draw, counts) for _ in range(DRAWS // CHUNK)]
    return float(np.quantile(np.concatenate(lowest), alpha))


def _draw_lowest(draw: np.random.Generator, counts: NDArray[np.intp]) -> Floats:
    """Draw comparisons of equals; return the least p-value of each over its looks, beside the levels' shape [CHUNK]."""
    values = draw.standard_normal((CHUNK, counts[-1]))
    means = np.cumsum(values, 1)[:, FIRST_LOOK - 1 :] / counts
    squares = np.cumsum(values**2, 1)[:, FIRST_LOOK - 1 :]
    t = means * np.sqrt(counts * (counts - 1) / (squares - counts * means**2))
    chances = 2 * stdtr(counts - 1, -np.abs(t)) / (counts / counts[-1]) ** SHAPE
    lowest: Floats = chances.min(1)
    return lowest
