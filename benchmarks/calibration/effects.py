"""How often the report's claims on effects of settings are right: `python -m benchmarks.calibration.effects`.

Each row is one world, searched by one sampler. The truth of an effect is a sum over the whole space, cut where the
report cuts the values of that study. The interval of levels at their best other values has no such truth, so it is not
judged.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from benchmarks.calibration.simulate import Simulation, build_config
from benchmarks.calibration.worlds import KIND, LOSSES, MOMENTUM, RATE, World
from thalweg.reporting.advice import next_space
from thalweg.reporting.analysis.importance import Importance, describe_level, rank_importances
from thalweg.reporting.tables import StudyTables

Floats = NDArray[np.float64]

IDLE = "schedule.final"
POINTS = 48
"""Values of each range that a truth is summed over."""
SPACE: dict[str, Any] = {
    KIND: {"choices": list(LOSSES)},
    RATE: {"low": 1e-4, "high": 1.0, "log": True},
    MOMENTUM: {"low": 0.0, "high": 0.95},
    IDLE: {"low": 0.0, "high": 0.5},
}
STEPS = tuple(1.5 + 0.1 * step for step in range(5))
FLAT = World(widths=(0.0,) * 5, diverges=np.inf)


@dataclass(frozen=True)
class Row:
    """A world, what its settings should be called, and the changes of params.yaml."""

    name: str
    world: World
    deciding: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)


ROWS = [
    *(
        Row(f"each loss 2 deviations behind, {sampler}", World(heights=STEPS), (KIND, RATE), {"study.sampler": sampler})
        for sampler in ("tpe", "random", "quasi_random")
    ),
    *(Row(f"noise alone, {sampler}", FLAT, (), {"study.sampler": sampler}) for sampler in ("tpe", "random")),
    Row("steps of 4 deviations, tpe", World(heights=tuple(1.5 + 0.2 * step for step in range(5))), (KIND, RATE)),
    Row("two losses 4 deviations apart, tpe", World(heights=(1.5, 1.7, 1.7, 1.7, 1.7)), (KIND, RATE)),
    Row("each loss with its own best pace, tpe", World(paces=(-2.6, -2.3, -2.0, -1.7, -1.4)), (RATE,)),
    Row("optimum at the edge, tpe", World(paces=(0.0,) * 5), (RATE,)),
]


def tabulate_errors(world: World) -> Floats:
    """Tabulate true errors [kinds, rates, momenta]; infinite where training diverges."""
    shares = (np.arange(POINTS) + 0.5) / POINTS
    table = np.empty((len(LOSSES), POINTS, POINTS))
    for index in np.ndindex(*table.shape):
        kind, rate, momentum = index
        setting = {KIND: LOSSES[kind], RATE: 10 ** (4 * shares[rate] - 4), MOMENTUM: 0.95 * shares[momentum]}
        table[index] = np.inf if world.has_diverged(setting) else world.compute_error(setting)
    return table


def compute_truth(errors: Floats, tables: StudyTables, importance: Importance, worst_value: float) -> float:
    """Return the true difference of the two levels that the report names, of errors cut at `worst_value`."""
    if importance.name == IDLE:
        return 0.0
    cut = np.minimum(errors, worst_value)
    axis = (KIND, RATE, MOMENTUM).index(importance.name)
    means = cut.mean(axis=tuple(other for other in range(3) if other != axis))
    if axis:
        means = means.reshape(3, -1).mean(1)
    parameter = next(parameter for parameter in tables.parameters if parameter.name == importance.name)
    values = tables.trials[importance.name]
    labels = [describe_level(parameter, level, values) for level in range(len(means))]
    return float(means[labels.index(importance.worst)] - means[labels.index(importance.best)])


def measure_row(row: Row, studies: int, first: int = 0) -> dict[str, Counter[str]]:
    """Count, for each setting, in how many studies the interval holds, and what the report says of it."""
    errors, counts = tabulate_errors(row.world), {name: Counter[str]() for name in SPACE}
    for seed in range(first, first + studies):
        config = build_config(seed, {"study.space": SPACE, **row.changes})
        tables = Simulation(row.world, config).run()
        ranking = rank_importances(tables)
        if ranking is None:
            continue
        worst_value = ranking.worst_value or float(ranking.equal_training.values.max())
        for importance in ranking.parameters:
            truth = compute_truth(errors, tables, importance, worst_value)
            is_held = importance.low <= truth <= importance.high
            moved = next_space.find_moved_ends(tables, importance.name)
            said = {
                "told": True,
                "averaged": not importance.is_tuned,
                "holds": is_held and not importance.is_tuned,
                "mattered": importance.is_important,
                "little": importance.is_minor,
                "widened": "out" in moved.values(),
                "narrowed": "in" in moved.values(),
            }
            counts[importance.name].update(name for name, is_said in said.items() if is_said)
    return counts


def format_share(count: int, total: int) -> str:
    """Format a share with its exact 95 % bounds (Clopper and Pearson 1934)."""
    low = betaincinv(count, total - count + 1, 0.025) if count else 0.0
    high = betaincinv(count + 1, total - count, 0.975) if count < total else 1.0
    return f"{100 * count / total:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def main() -> None:
    """Print a table of all rows, or of those whose name contains a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="seed of the first study")
    parser.add_argument("--only", default="", help="part of a row's name")
    options = parser.parse_args()
    claims = ("holds", "mattered", "little", "widened", "narrowed")
    sys.stdout.write(f"| world | setting | {' | '.join(f'{claim} [%]' for claim in claims)} |\n")
    sys.stdout.write(f"|{' --- |' * (len(claims) + 2)}\n")
    for row in ROWS:
        if options.only not in row.name:
            continue
        for name, counts in measure_row(row, options.studies, options.first).items():
            totals = {claim: counts["averaged" if claim == "holds" else "told"] for claim in claims}
            shares = [format_share(counts[claim], total) if total else "–" for claim, total in totals.items()]
            note = " (decides)" if name in row.deciding else ""
            sys.stdout.write(f"| {row.name} | `{name}`{note} | {' | '.join(shares)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
