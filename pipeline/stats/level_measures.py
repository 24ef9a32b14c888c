"""The levels of a space's dimensions, and the uniform measure of each over the settings that use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from thalweg.stats.response_surface import Measures

Floats = NDArray[np.float64]

RANGE_LEVELS = 3
"""A range is compared by its thirds."""
MIN_LEVEL_TRIALS = 12
"""With fewer trials a level can hardly come to its own best."""
GRID = 24
"""Points of a range over which a mean is taken; a multiple of its levels."""
MAX_BRANCHES = 64
"""Combinations of choices that other parameters depend on; with more, all parameters count as used."""


@dataclass(frozen=True)
class Dimension:
    """A parameter: a range if `choices` is 0, else that many choices.

    `conditions`: the choices (indices) of other dimensions (their index) for which it is used.
    """

    choices: int = 0
    conditions: Mapping[int, frozenset[int]] = field(default_factory=dict)

    @property
    def level_count(self) -> int:
        return self.choices or RANGE_LEVELS

    @property
    def idle_value(self) -> float:
        """What stands for the value of a trial that does not use it."""
        return -1.0 if self.choices else 0.5


def divide_range(low: float, high: float, log: bool, whole: bool) -> list[tuple[float, float]]:
    """Return the ends of each level of a range: its thirds, in the range's scale, or as many of its whole numbers."""
    if whole:
        count = int(high - low) + 1
        levels = min(RANGE_LEVELS, count)
        starts = [low + count * index // levels for index in range(levels + 1)]
        return [(first, last - 1) for first, last in pairwise(starts)]
    shares = [index / RANGE_LEVELS for index in range(1, RANGE_LEVELS)]
    points = [low * (high / low) ** share if log else low + share * (high - low) for share in shares]
    return list(pairwise([low, *points, high]))


def list_branches(dimensions: Sequence[Dimension]) -> list[tuple[float, dict[int, int]]]:
    """List the combinations of choices that other dimensions depend on, each with its share of the space.

    A choice is -1 where it is not used itself.
    """
    branches: list[tuple[float, dict[int, int]]] = [(1.0, {})]
    for index in sorted({parent for dimension in dimensions for parent in dimension.conditions}):
        grown: list[tuple[float, dict[int, int]]] = []
        for share, chosen in branches:
            count = dimensions[index].choices
            if not is_used(dimensions[index], chosen):
                grown.append((share, {**chosen, index: -1}))
                continue
            grown += [(share / count, {**chosen, index: choice}) for choice in range(count)]
        branches = grown
        if len(branches) > MAX_BRANCHES:
            return [(1.0, {})]
    return branches


def is_used(dimension: Dimension, chosen: Mapping[int, int]) -> bool:
    """Return whether a dimension is used with these choices; one that is not among them counts as allowed."""
    return all(parent not in chosen or chosen[parent] in allowed for parent, allowed in dimension.conditions.items())


def build_level_measures(dimensions: Sequence[Dimension]) -> tuple[Measures, NDArray[np.intp]]:
    """Build the uniform measure of each level of each dimension, over all settings that use it; and its dimension."""
    branches = list_branches(dimensions)
    grid = (np.arange(GRID) + 0.5) / GRID
    states = [
        np.arange(-1.0, dimension.choices) if dimension.choices else np.append(grid, dimension.idle_value)
        for dimension in dimensions
    ]
    rows: list[list[Floats]] = []
    shares: list[dict[int, float]] = []
    owners: list[int] = []
    for index, dimension in enumerate(dimensions):
        for level in range(dimension.level_count):
            own: dict[int, float] = {}
            for share, chosen in branches:
                if chosen.get(index, level) != level or not is_used(dimension, chosen):
                    continue
                own[len(rows)] = share
                rows.append(
                    [
                        _weigh_states(other, level if place == index else chosen.get(place), is_used(other, chosen))
                        for place, other in enumerate(dimensions)
                    ]
                )
            shares.append({row: share / sum(own.values()) for row, share in own.items()})
            owners.append(index)
    mixture = np.zeros((len(shares), len(rows)))
    for mean, parts in enumerate(shares):
        mixture[mean, list(parts)] = list(parts.values())
    weights = [np.array([row[place] for row in rows]) for place in range(len(dimensions))]
    return Measures(states, weights, mixture), np.array(owners, np.intp)


def _weigh_states(dimension: Dimension, level: int | None, used: bool) -> Floats:
    """Weigh a dimension's states evenly over one level, or over all; the idle state alone if it is not used."""
    count = dimension.choices or GRID
    idle = np.zeros(count + 1)
    place = 0 if dimension.choices else GRID
    if not used or level == -1:
        idle[place] = 1.0
        return idle
    inside = np.ones(count, bool)
    if level is not None:
        inside = np.arange(count) * dimension.level_count // count == level
    result: Floats = np.insert(inside / inside.sum(), place, 0.0)
    return result
