"""Whether two parameters hang together: whether the best of one depends on the other."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thalweg.reporting.analysis.equal_training import Levels
from thalweg.reporting.analysis.surface import both, surface_of
from thalweg.reporting.finding import Finding
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, many, number, percent
from thalweg.stats.surface import Surface, product

LEVEL = 0.05
"""False findings."""
MOVED = 0.1
"""How far a best place must move, as a share of the range."""
REDRAWN = 200
"""How often trials are drawn again."""

Pair = tuple[SearchedParameter, SearchedParameter]


def together(tables: StudyTables, found: Levels, pairs: Sequence[Pair]) -> list[Finding]:
    """A finding for each pair of numeric parameters that hang together."""
    return [told for pair in pairs for told in _told(tables, found, pair, LEVEL / len(pairs))]


def _told(tables: StudyTables, found: Levels, pair: Pair, level: float) -> list[Finding]:
    _, at, values = both(tables, found, *pair)
    known = np.isfinite(values)
    surface = surface_of(tables, found, *pair)
    if surface is None:
        return []
    # in the scale that the map is drawn in: what is a factor everywhere is no product there
    chance = product(at[known], np.log(values[known]) if surface.log else values[known])
    if chance is None or chance > level:
        return []
    (first, second), (few, much) = (one.name for one in pair), np.quantile(at[:, 1], [0.2, 0.8])
    evidence = (
        f"Over {many(int(known.sum()), 'trial')} the product of the two tells of their values what neither tells "
    )
    evidence += f"alone; by chance it would in {percent(chance)} of cases."
    places = [_best(surface, float(share), tables.sign) for share in (few, much)]
    low, high = moved(surface, float(few), float(much), tables.sign)
    if abs(places[0] - places[1]) > MOVED and (low > 0 or high < 0):
        verdict = f"The best {code(first)} depends on {code(second)}."
        where = [
            f"near {number(pair[0].value_at(place), 2)} where {code(second)} is {number(pair[1].value_at(share), 2)}"
            for place, share in zip(places, (float(few), float(much)), strict=True)
        ]
        evidence += f" Smoothed, the best {code(first)} is {where[0]}, and {where[1]}: it moves "
        evidence += (
            f"by {number(100 * min(abs(low), abs(high)), 2)} to {number(100 * max(abs(low), abs(high)), 2)} % of "
        )
        evidence += "its range in 95 % of redraws of the trials."
    else:
        verdict = f"How much {code(first)} matters depends on {code(second)}."
    step = f"Change {code(first)} and {code(second)} together, never one after the other."
    return [Finding(verdict, evidence, step)]


def _best(surface: Surface, share: float, sign: int) -> float:
    """Where along the first parameter the surface is best, the second at a share of its range."""
    line = np.linspace(0, 1, 101)
    places = np.stack([line, np.full_like(line, share)], 1)
    values = np.where(surface.near(places), surface(places) * sign, np.inf)
    return float(line[int(np.argmin(values))])


def moved(surface: Surface, few: float, much: float, sign: int) -> tuple[float, float]:
    """By how much of its range the best of the first parameter moves, from few of the second to much: 95 % of redraws.

    The trials are drawn again with replacement, the window is kept; always the same draws.
    """
    draw, count, moves = np.random.default_rng(0), len(surface.values), []
    for _ in range(REDRAWN):
        again = draw.integers(0, count, count)
        other = replace(surface, at=surface.at[again], values=surface.values[again])
        moves.append(_best(other, much, sign) - _best(other, few, sign))
    low, high = np.quantile(moves, [0.025, 0.975])
    return float(low), float(high)
