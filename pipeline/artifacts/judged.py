"""The winner's values by seed and without each block of examples: what it takes to compare it with another winner."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeedValues:
    """A metric by seed [seeds], and the same without each block of examples [seeds, blocks]; None: no value."""

    by_seed: tuple[float | None, ...]
    without_block: tuple[tuple[float | None, ...], ...]

    def to_arrays(self) -> tuple[Floats, Floats]:
        """Return both as arrays, with NaN for no value."""
        return np.array(self.by_seed, np.float64), np.array(self.without_block, np.float64)


@dataclass(frozen=True)
class JudgedWinner:
    """artifacts/confirm/judged.json: the objective of the confirmed winner on fresh seeds, and what it was judged on.

    `sign` is 1 if less is better, -1 if more is. `task` has its kind and the options that say what is measured.
    `sha256` is of the judged examples: equal ones have equal images, groups and labels in one order. Their blocks have
    `block_sizes` (`thalweg.stats.intervals.assign_blocks`). `corrected` are the values without the luck of the choice
    (`thalweg.confirm.compare`).
    """

    task: dict[str, Any]
    objective: str
    sign: Literal[1, -1]
    part: Literal["test", "validation"]
    sha256: str
    examples: int
    groups: int
    block_sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    values: SeedValues
    corrected: SeedValues


def build_seed_values(by_seed: Floats, without_block: Floats) -> SeedValues:
    """Build values from arrays; what is not finite is no value."""
    return SeedValues(tuple(_drop_infinite(by_seed)), tuple(tuple(_drop_infinite(row)) for row in without_block))


def _drop_infinite(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def parse_judged(content: bytes) -> JudgedWinner:
    """Parse the content of the file. Raises `ValidationError`, a `ValueError`."""
    return TypeAdapter(JudgedWinner).validate_json(content)
