"""Whether two parameters hang together: whether the best of one depends on the other."""

from collections.abc import Sequence

import numpy as np

from thalweg.reporting.analysis.equal_training import Levels
from thalweg.reporting.analysis.surface import both, surface_of
from thalweg.reporting.finding import Finding
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, many, number, percent
from thalweg.stats.surface import best_along, moved, product

LEVEL = 0.05
"""False findings."""
MOVED = 0.1
"""How far a best place must move, as a share of the range."""

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
    first, second = (code(one.name) for one in pair)
    few, much = np.quantile(at[:, 1], [0.2, 0.8]).tolist()
    evidence = (
        f"Over {many(int(known.sum()), 'trial')} the product of the two tells of their values what neither tells "
        f"alone; by chance it would in {percent(chance)} of cases."
    )
    places = [best_along(surface, share, tables.sign) for share in (few, much)]
    low, high = moved(surface, few, much, tables.sign)
    if abs(places[0] - places[1]) > MOVED and (low > 0 or high < 0):
        least, most = sorted((abs(low), abs(high)))
        verdict = f"The best {first} depends on {second}."
        where = [
            f"near {number(pair[0].value_at(place), 2)} where {second} is {number(pair[1].value_at(share), 2)}"
            for place, share in zip(places, (few, much), strict=True)
        ]
        evidence += (
            f" Smoothed, the best {first} is {where[0]}, and {where[1]}: it moves by {number(100 * least, 2)} to "
            f"{number(100 * most, 2)} % of its range in 95 % of redraws of the trials."
        )
    else:
        verdict = f"How much {first} matters depends on {second}."
    return [Finding(verdict, evidence, f"Change {first} and {second} together, never one after the other.")]
