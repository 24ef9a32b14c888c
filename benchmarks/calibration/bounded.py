"""Whether intervals hold near the bounds of a metric: accuracy and average precision near 1, PSNR near its largest.

Each network judges the same examples, in groups. Some examples are difficult for all networks alike, so eight seeds
without an error do not show that there is none.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.outcome import Counts
from thalweg.core.metrics import METRICS
from thalweg.stats.intervals import UNBOUNDED, two_way_interval

Floats = NDArray[np.float64]

TRUTH_EXAMPLES = 100_000


@dataclass(frozen=True)
class BoundedRow:
    """Studies with a metric near its bound. `metric` is of `METRICS`.

    `failure`: the share of examples, or of objects, that the average network gets wrong. For PSNR: that of images which
    are not perfect.
    """

    name: str
    metric: str
    failure: float
    groups: int
    group_size: int = 10
    seeds: int = 8
    studies: int = 250


def list_rows() -> list[BoundedRow]:
    """List the rows."""
    return [
        BoundedRow("accuracy 0.99, 60 examples", "accuracy", 0.01, 60, 1),
        BoundedRow("accuracy 0.99, 12 groups of 20", "accuracy", 0.01, 12, 20),
        BoundedRow("accuracy 0.997, 50 groups of 20", "accuracy", 0.003, 50, 20),
        BoundedRow("AP near 0.98, 12 groups of 20", "ap50", 0.02, 12, 20),
        BoundedRow("AP near 0.98, 50 groups of 20", "ap50", 0.02, 50, 20),
        BoundedRow("PSNR near 99 of 100 dB, 12 groups of 20", "psnr", 0.05, 12, 20),
    ]


def draw_examples(row: BoundedRow, draw: np.random.Generator, networks: int, groups: int) -> Floats:
    """Draw what each network makes of each example: [networks, groups x group_size, values].

    Values: for accuracy, whether it is right. For PSNR, the decibels. For AP, the confidence in a true object, and the
    confidence in a false one.
    """
    count = groups * row.group_size
    group = np.repeat(draw.standard_normal(groups), row.group_size)
    example = 0.6 * group + draw.standard_normal(count)
    level = (example + draw.standard_normal((networks, count)) * 0.7) / np.sqrt(1.85)
    limit = _find_quantile(row.failure)
    if row.metric == "accuracy":
        return np.asarray((level > limit)[..., None], np.float64)
    if row.metric == "psnr":
        return np.where(level > limit, 100.0, 80.0 + 5.0 * (level - limit))[..., None]
    false = -1.5 - 0.5 * np.abs(draw.standard_normal((networks, count))) + 0.4 * (level < 2 * limit)
    return np.stack([np.where(level > limit, level, -9.0), false], -1)


@cache
def _find_quantile(share: float) -> float:
    return float(np.quantile(np.random.default_rng(0).standard_normal(1_000_000), share))


def measure(metric: str, examples: Floats) -> float:
    """Compute the metric of one network on examples [n, values]."""
    if metric != "ap50":
        return float(examples.mean())
    found, false = examples.T
    order = np.argsort(-np.concatenate([found[found > -9], false]), kind="stable")
    is_true = order < (found > -9).sum()
    recall, precision = np.cumsum(is_true) / len(found), np.cumsum(is_true) / np.arange(1, len(order) + 1)
    best_later = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best_later * np.diff(recall, prepend=0.0)).sum())


@cache
def compute_truth(row: BoundedRow) -> float:
    """Return the mean metric of networks on many examples."""
    examples = draw_examples(row, np.random.default_rng(1), 3, TRUTH_EXAMPLES // row.group_size)
    return float(np.mean([measure(row.metric, network) for network in examples]))


def count_study(row: BoundedRow, seed: int) -> Counts:
    """Draw a study; return for each interval whether it holds the truth."""
    draw = np.random.default_rng([seed, row.groups, row.group_size])
    examples = draw_examples(row, draw, 2 * row.seeds, row.groups)
    group = np.repeat(np.arange(row.groups), row.group_size)
    whole, left_out = _measure_all(row.metric, examples, group)
    spec, sizes = METRICS[row.metric], np.full(row.groups, row.group_size, np.intp)
    level = two_way_interval(whole[: row.seeds], left_out[: row.seeds], sizes, bounds=(spec.low, spec.high))
    gap, gap_left_out = whole[: row.seeds] - whole[row.seeds :], left_out[: row.seeds] - left_out[row.seeds :]
    difference = two_way_interval(gap, gap_left_out, sizes, bounds=UNBOUNDED)
    truth = compute_truth(row)
    return {
        "the winner's value": [int(level.low <= truth <= level.high), 1],
        "winner - baseline": [int(difference.low <= 0 <= difference.high), 1],
    }


def _measure_all(metric: str, examples: Floats, group: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Measure each network on all examples [networks], and without each group [networks, groups]."""
    whole = np.array([measure(metric, network) for network in examples])
    kept = [group != number for number in range(group.max() + 1)]
    return whole, np.array([[measure(metric, network[rows]) for rows in kept] for network in examples])
