"""What it costs to ask about a setting: `python -m benchmarks.calibration.price`, a quarter of an hour on two cores.

A setting with `role: scientific` gets equally many trials of each value, each value with a sampler of its own. Each
world is searched with the role and without, by the same seeds. The price is how much worse the true error of the winner
is with the role, in standard deviations over seeds.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.rows import APART, EQUAL, FLAT, Row, shift_first
from benchmarks.calibration.simulate import Simulation, build_config
from benchmarks.calibration.worlds import KIND

STUDIES = 100
ROWS = (
    Row("four equal losses", EQUAL),
    Row("the first better by 2 deviations", shift_first(2)),
    Row("the first better by 4, and narrow", shift_first(4, widths=(0.8, 0.25, 0.25, 0.25, 0.25))),
    Row("best paces at the range's end", replace(EQUAL, paces=tuple(pace + 1.8 for pace in APART))),
    Row("noise alone", FLAT),
)


def find_winner_error(row: Row, seed: int, *, is_asked: bool) -> float:
    """Return the true error of a study's winner, with the losses as the question or as settings like others."""
    changes = row.build_changes()
    if not is_asked:
        changes["study.space"] = changes["study.space"] | {KIND: {"choices": changes["study.space"][KIND]["choices"]}}
    simulation = Simulation(row.world, build_config(seed, changes))
    simulation.search()
    return row.world.compute_error(simulation.confirm().ranked[0].values)


def measure_prices(pool: ProcessPoolExecutor, row: Row, seeds: range) -> NDArray[np.float64]:
    """Return the price in each study [studies], in standard deviations over seeds."""
    asked, free = (list(pool.map(partial(find_winner_error, row, is_asked=asks), seeds)) for asks in (True, False))
    prices: NDArray[np.float64] = np.subtract(asked, free) / row.world.seed_noise
    return prices


def format_prices(name: str, prices: NDArray[np.float64]) -> str:
    """Return a row of the table: the median with its 95 % interval by bootstrap over studies, and the mean."""
    draw = np.random.default_rng(0)
    medians = np.median(draw.choice(prices, (2000, len(prices))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return f"| {name} | {np.median(prices):+.2f} ({low:+.2f} to {high:+.2f}) | {prices.mean():+.2f} |\n"


def list_lines(studies: int, first: int) -> Iterator[str]:
    yield "| world | median price [deviations] | mean |\n| --- | --- | ---: |\n"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for row in ROWS:
            yield format_prices(row.name, measure_prices(pool, row, range(first, first + studies)))


def main() -> None:
    """Print a table of all worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--first", type=int, default=0, help="seed of the first study")
    options = parser.parse_args()
    for line in list_lines(options.studies, options.first):
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
