"""How often `thalweg compare` errs, and how many runs it saves: `python -m benchmarks.duels`, minutes on two cores.

Duels of simulated runs go through the product's own judgement, pair by pair. The design effect is the one that a duel
finds in POWER of cases. A fixed design is the usual t-test of so many pairs that it has the same power at this effect.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, t

from benchmarks.calibration.table import format_share
from thalweg.duel.contest import Pair, Question, judge_runs
from thalweg.duel.runs import Run
from thalweg.stats.sequential import ALPHA, FIRST_LOOK

POWER = 0.95
NOISES = ("normal", "skewed", "failing", "B skewed")
PLANS = (12, 16, 24)
FAILING = 0.1
STEPS = 12
"""Bisections to find the design effect."""
DUELS = 2000


@dataclass(frozen=True)
class Duel:
    """A kind of duel: the noise of both programs, the most pairs, how much better B is, and what does not count.

    Effects are in standard deviations of the difference of a pair.
    """

    noise: str
    planned: int
    effect: float = 0.0
    smallest: float | None = None


def draw_runs(noise: str, draw: np.random.Generator, count: int, shift: float) -> list[Run]:
    """Draw the runs of one program."""
    values = draw.standard_normal(count)
    if noise == "skewed":
        values = (np.exp(values) - np.exp(0.5)) / np.sqrt(np.exp(2) - np.exp(1))
    failed = draw.random(count) < (FAILING if noise == "failing" else 0.0)
    return [
        Run("", seed, {} if fails else {"loss": float(value - shift)}, "failed" if fails else "")
        for seed, (value, fails) in enumerate(zip(values, failed, strict=True))
    ]


def simulate_duel(duel: Duel, seed: int) -> tuple[str, int]:
    """Simulate one duel; return its verdict, and the pairs that it took."""
    draw = np.random.default_rng([seed, duel.planned, NOISES.index(duel.noise)])
    noises = ("normal", "skewed") if duel.noise == "B skewed" else (duel.noise, duel.noise)
    shifts = 0.0, duel.effect * np.sqrt(2)
    runs = [draw_runs(noise, draw, duel.planned, shift) for noise, shift in zip(noises, shifts, strict=True)]
    pairs = [Pair(a, b) for a, b in zip(*runs, strict=True)]
    smallest = None if duel.smallest is None else duel.smallest * float(np.sqrt(2))
    question = Question("loss", minimize=True, smallest=smallest, seeds=range(duel.planned), alpha=ALPHA)
    for count in range(FIRST_LOOK, duel.planned + 1):
        result = judge_runs(question, pairs[:count])
        if result.verdict != "open":
            break
    return {"lower": "better", "higher": "worse"}.get(result.verdict, result.verdict), result.pairs


def simulate_duels(pool: ProcessPoolExecutor, duel: Duel, duels: int) -> tuple[Counter[str], float]:
    """Simulate duels; return the counts of their verdicts, and the mean number of pairs."""
    ended = list(pool.map(partial(simulate_duel, duel), range(duels), chunksize=50))
    return Counter(verdict for verdict, _ in ended), float(np.mean([pairs for _, pairs in ended]))


def find_design_effect(pool: ProcessPoolExecutor, planned: int, duels: int) -> float:
    """Find the effect that a duel finds in POWER of cases."""
    low, high = 0.1, 5.0
    for _ in range(STEPS):
        effect = (low + high) / 2
        counts, _ = simulate_duels(pool, Duel("normal", planned, effect), duels)
        low, high = (low, effect) if counts["better"] >= POWER * duels else (effect, high)
    return (low + high) / 2


def compute_fixed_pairs(effect: float) -> float:
    """Compute the pairs of the usual t-test that finds an effect in POWER of cases; parts of a pair count."""

    def excess(count: float) -> float:
        return float(nct.sf(t.ppf(1 - ALPHA / 2, count - 1), count - 1, effect * np.sqrt(count))) - POWER

    return float(brentq(excess, 2.05, 1000.0))


def list_lines(duels: int) -> Iterator[str]:
    """Yield the tables line by line."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield "| equal programs | pairs at most | better [%] | worse [%] | mean pairs |\n| --- |" + " ---: |" * 4 + "\n"
        for noise in NOISES:
            for planned in PLANS:
                counts, mean = simulate_duels(pool, Duel(noise, planned), duels)
                shares = (format_share(counts[verdict], duels) for verdict in ("better", "worse"))
                yield f"| {noise} | {planned} | {' | '.join(shares)} | {mean:.1f} |\n"
        yield "\n| pairs at most | design effect | fixed design | mean pairs, of it | at 1.5 times the effect |\n"
        yield "|" + " ---: |" * 5 + "\n"
        for planned in PLANS:
            effect = find_design_effect(pool, planned, duels)
            fixed = compute_fixed_pairs(effect)
            means = [simulate_duels(pool, Duel("normal", planned, scale * effect), duels)[1] for scale in (1.0, 1.5)]
            cells = (f"{mean:.1f} ({100 * mean / fixed:.0f} %)" for mean in means)
            yield f"| {planned} | {effect:.2f} | {fixed:.1f} | {' | '.join(cells)} |\n"
        yield "\n| smallest effect | true effect | no difference [%] | mean pairs of 24 |\n|" + " ---: |" * 4 + "\n"
        for smallest, effect in ((1.0, 0.0), (1.0, 1.0), (2.0, 0.0), (2.0, 2.0)):
            counts, mean = simulate_duels(pool, Duel("normal", 24, effect, smallest), duels)
            yield f"| {smallest:g} | {effect:g} | {format_share(counts['same'], duels)} | {mean:.1f} |\n"


def main() -> None:
    """Print the tables. Effects are in standard deviations of the difference of a pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duels", type=int, default=DUELS)
    for line in list_lines(parser.parse_args().duels):
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
