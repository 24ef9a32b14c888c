"""Run A and B in pairs of the same seed until their difference is clear."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from thalweg.duel.ledger import Ledger, add_record
from thalweg.duel.runs import Run, RunOptions, find_value, run_side
from thalweg.duel.side import Side
from thalweg.stats.sequential import PairedResult, judge_pairs
from thalweg.system.files import UserError

Floats = NDArray[np.float64]

FIRST_RUNS = 3
"""Runs of a program after which a fault that they all have is the program's."""


@dataclass(frozen=True)
class Question:
    """What is asked: a metric, its better direction, the smallest effect that counts, and the level (`sequential`)."""

    metric: str
    minimize: bool
    smallest: float | None
    seeds: Sequence[int]
    alpha: float


@dataclass(frozen=True)
class Pair:
    """The runs of A and B with one seed."""

    a: Run
    b: Run


def judge_runs(question: Question, pairs: Sequence[Pair]) -> PairedResult:
    """Judge B - A over the pairs so far."""
    return judge_pairs(compute_differences(question, pairs), len(question.seeds), question.smallest, question.alpha)


def compute_differences(question: Question, pairs: Sequence[Pair]) -> Floats:
    """Compute B - A of each pair. A failed run counts as the worst value seen, and as much worse again.

    As much: the range of all values. So a program that fails is clearly worse than one that does not.
    """
    values = np.array([[_read_value(run, question.metric) for run in (pair.a, pair.b)] for pair in pairs]).reshape(
        -1, 2
    )
    known = values[np.isfinite(values)]
    sign = 1 if question.minimize else -1
    worst = sign * (2 * (sign * known).max() - (sign * known).min()) if len(known) else 0.0
    filled = np.where(np.isfinite(values), values, worst)
    if len(known) and np.ptp(known) == 0:  # all runs that ended have one value
        filled = np.where(np.isfinite(values), values, worst + sign)
    differences: Floats = filled[:, 1] - filled[:, 0]
    return differences


def _read_value(run: Run, metric: str) -> float:
    value = find_value(run, metric)
    return np.nan if value is None else value


def list_runs(a: Side, b: Side, seeds: Sequence[int]) -> Iterator[tuple[Side, int]]:
    """List the runs in order: pair by pair, and the first of a pair alternates, so that no drift favours one side."""
    pairs = (((a, seed), (b, seed)) if number % 2 == 0 else ((b, seed), (a, seed)) for number, seed in enumerate(seeds))
    return chain.from_iterable(pairs)


def run_contest(
    question: Question,
    sides: tuple[Side, Side],
    ledger: Ledger,
    options: RunOptions,
    jobs: int,
    report: Callable[[Pair, PairedResult], None],
    *,
    retry_failed: bool = False,
) -> tuple[list[Pair], PairedResult]:
    """Run what the ledger lacks, `jobs` runs at once, until the question is settled or all seeds are used.

    Pairs are judged in the order of the seeds, so the result does not depend on `jobs`. `report` gets each pair and
    the result after it.
    """
    known = {
        (side.key, seed): run
        for side in sides
        for seed in question.seeds
        if (run := ledger.find_run(side.key, seed)) and not (retry_failed and run.failed)
    }
    pairs, result = list[Pair](), judge_runs(question, [])
    waiting = list_runs(*sides, question.seeds)
    is_over = threading.Event()
    with ThreadPoolExecutor(jobs) as pool:
        running = set[Future[Run | None]]()
        try:
            while True:
                _require_sense(question, sides, known)
                result = _judge_known(question, sides, known, pairs, report)
                if result.verdict != "open" or len(pairs) == len(question.seeds):
                    return pairs, result
                for side, seed in waiting:
                    if (side.key, seed) not in known:
                        running.add(pool.submit(run_side, side, seed, options, is_over))
                    if len(running) == jobs:
                        break
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for run in (future.result() for future in ended):
                    if run is not None:
                        known[run.key, run.seed] = run
                        add_record(ledger.path, run)
        finally:
            is_over.set()


def _require_sense(question: Question, sides: tuple[Side, Side], known: Mapping[tuple[str, int], Run]) -> None:
    """Raise `UserError` where more runs would be in vain.

    A run lacks the metric; a program has failed in all of its first runs; or the seed changes nothing in both.
    """
    values = dict[str, list[float | None]]()
    for side in sides:
        runs = [run for seed in question.seeds if (run := known.get((side.key, seed)))]
        for run in runs:
            if not run.failed and question.metric not in run.metrics:
                listed = ", ".join(sorted(run.metrics))
                raise UserError(
                    f"--metric: {side.name} with seed {run.seed} has no '{question.metric}'; it has {listed}"
                )
        if len(runs) >= FIRST_RUNS and all(run.failed for run in runs):
            fault = f"{side.name} has failed in all of its {len(runs)} runs: {runs[-1].failed}"
            raise UserError(f"{fault}\nCorrect the program, or run it again with --retry-failed")
        values[side.name] = [find_value(run, question.metric) for run in runs]
    if all(len(found) >= FIRST_RUNS and len({*found}) == 1 for found in values.values()):
        shown = " and ".join(f"{name} {found[0]:.6g}" for name, found in values.items())
        raise UserError(f"{shown} with every seed: the seed changes nothing, so there is no noise to judge by")


def _judge_known(
    question: Question,
    sides: tuple[Side, Side],
    known: dict[tuple[str, int], Run],
    pairs: list[Pair],
    report: Callable[[Pair, PairedResult], None],
) -> PairedResult:
    """Add the pairs that are complete, in the order of the seeds, until the result is not open; return the result."""
    result = judge_runs(question, pairs)
    for seed in question.seeds[len(pairs) :]:
        runs = [known.get((side.key, seed)) for side in sides]
        if result.verdict != "open" or None in runs:
            break
        pairs.append(Pair(*runs))  # type: ignore[arg-type]
        result = judge_runs(question, pairs)
        report(pairs[-1], result)
    return result
