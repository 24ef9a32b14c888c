"""The winners of two studies on the same examples: B less A, with the interval that the report has, too."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from thalweg.artifacts.judged import Floats, JudgedWinner, SeedValues
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import compare_with_zero, independent_seeds_interval, two_way_interval

Verdict = Literal["better", "worse", "unclear", "incomparable"]
MIN_SHARED_SEEDS = 2


@dataclass(frozen=True)
class Difference:
    """The objective of the winner of B less that of A, with its 95 % interval for fresh seeds and groups of examples.

    `seeds` have both studies, if they are `paired`: then each pair shares a seed. Else A has `seeds_a` of its own, and
    B `seeds_b`. `corrected` says whether it is without the luck of choosing the winners, as in summary.json;
    `uncorrected` has that luck.
    """

    mean: float
    low: float
    high: float
    paired: bool
    seeds_a: int
    seeds_b: int
    groups: int
    examples: int
    corrected: bool
    uncorrected: float


def find_obstacles(a: JudgedWinner, b: JudgedWinner) -> list[str]:
    """Say why two winners cannot be compared, each reason as a sentence; none: they can be."""
    return list(_list_obstacles(a, b))


def _list_obstacles(a: JudgedWinner, b: JudgedWinner) -> Iterator[str]:
    if a.objective != b.objective:
        yield f"A was judged by {a.objective}, B by {b.objective}."
    if a.task.get("kind") != b.task.get("kind"):
        yield f"A has the task {a.task.get('kind')}, B {b.task.get('kind')}."
    elif a.task != b.task:
        names = [f"task.{name}" for name in {**a.task, **b.task} if a.task.get(name) != b.task.get(name)]
        yield f"They differ in what is measured: {', '.join(names)}."
    if a.part != b.part:
        yield f"A was judged on a {a.part} set, B on a {b.part} set."
    elif a.sha256 != b.sha256:
        sizes = [f"{count:,}" for count in (a.examples, b.examples)]
        size = f"{sizes[0]} in A and {sizes[1]} in B" if len({*sizes}) > 1 else f"{sizes[0]} in each"
        yield (
            f"The {a.part} sets hold other images or labels ({size}). Both studies need the same ones: the same data, "
            "`seed` and `data.split`, or sets that the data name."
        )
    sides = (("A", a), ("B", b))
    failed = [name for name, side in sides if None in side.values.by_seed]
    if failed:
        yield f"The winner of {' and that of '.join(failed)} has no value on some seed."
    gaps = [name for name, side in sides if name not in failed and _has_gap(side)]
    if gaps:
        yield (
            f"The winner of {' and that of '.join(gaps)} has no {a.objective} without some group of examples, so its "
            "interval is not known: the test set needs more groups or examples."
        )


def _has_gap(judged: JudgedWinner) -> bool:
    """Say if a value without some block is not known; a single block does not count."""
    return len(judged.block_sizes) > 1 and any(None in row for row in judged.values.without_block)


def judge_winners(a: JudgedWinner, b: JudgedWinner) -> tuple[Verdict, Difference]:
    """Judge two winners that can be compared.

    Seeds that both studies have are pairs. Without two of them, the seeds of both count on their own.
    """
    shared = [seed for seed in a.seeds if seed in b.seeds]
    is_paired = len(shared) >= MIN_SHARED_SEEDS
    plain, fair = (
        _compute_interval(a, b, one, other, shared if is_paired else [])
        for one, other in ((a.values, b.values), (a.corrected, b.corrected))
    )
    is_corrected = bool(np.isfinite([fair.low, fair.high]).all())
    interval = fair.span_both(plain) if is_corrected else plain
    counts = (len(shared), len(shared)) if is_paired else (len(a.seeds), len(b.seeds))
    ends = interval.mean, interval.low, interval.high
    verdict = compare_with_zero(interval, a.sign)
    difference = Difference(*ends, is_paired, *counts, a.groups, a.examples, is_corrected, plain.mean)
    return "unclear" if verdict == "same" else verdict, difference


def _compute_interval(
    a: JudgedWinner, b: JudgedWinner, one: SeedValues, other: SeedValues, shared: list[int]
) -> Interval:
    """Compute B less A from their values; over pairs where they share seeds."""
    sizes, first, second = np.array(a.block_sizes, np.intp), one.to_arrays(), other.to_arrays()
    if not shared:
        return independent_seeds_interval(second, first, sizes)
    (by_seed_a, left_out_a), (by_seed_b, left_out_b) = (
        _select_seeds(values, judged.seeds, shared) for values, judged in ((first, a), (second, b))
    )
    return two_way_interval(by_seed_b - by_seed_a, left_out_b - left_out_a, sizes)


def _select_seeds(values: tuple[Floats, Floats], seeds: tuple[int, ...], shared: list[int]) -> tuple[Floats, Floats]:
    rows = [seeds.index(seed) for seed in shared]
    return values[0][rows], values[1][rows]
