"""How many cases a long test tries: `make test-all` a tenth, `make test-long` all of them."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, seed, settings

COUNT_VARIABLE = "THALWEG_CASES"
"""Environment variable with a number of cases that replaces every other."""
SEED_VARIABLE = "THALWEG_SEED"
"""Environment variable with the seed that cases are drawn from; 0 by default."""
SHARE = 10
"""A slow test tries one of so many cases."""


@dataclass(frozen=True)
class Size:
    """How many cases to try, and the seed that they are drawn from."""

    count: int
    seed: int

    def __str__(self) -> str:
        return f"{self.count} cases, seed {self.seed}"

    def start_draws(self) -> random.Random:
        return random.Random(self.seed)

    def draw_with_hypothesis(self, test: Callable[..., None]) -> Callable[..., None]:
        """Let Hypothesis draw the cases of a test that `given` made."""
        unhurried = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]
        sized = settings(max_examples=self.count, database=None, suppress_health_check=unhurried)
        return seed(self.seed)(sized(test))


def sized(count: int, fast: int = 0, slow: int | None = None) -> pytest.MarkDecorator:
    """Run a test with `size`: `count` cases if long, `slow` of them (a tenth) if slow, and `fast` of them in each run.

    0 cases are no run. The test's name shows the size.
    """
    tenth = max(count // SHARE, 1) if slow is None else slow
    marks = [(fast, []), (tenth, [pytest.mark.slow]), (count, [pytest.mark.long])]
    sizes = [(_read_size(number), mark) for number, mark in marks if number]
    return pytest.mark.parametrize("size", [pytest.param(size, marks=mark, id=f"{size}") for size, mark in sizes])


def _read_size(count: int) -> Size:
    return Size(int(os.environ.get(COUNT_VARIABLE, count)), int(os.environ.get(SEED_VARIABLE, "0")))
