"""Whether what the report says of each setting's effect is true.

Each row is one world, searched by one sampler. The truth of an effect is a sum over the whole space, cut where the
report cuts the values of that study. The interval of levels at their best other values has no such truth, so it is not
judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.outcome import Counts
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
class EffectRow:
    """Studies of a world that differ in their seed alone. `changes` are of params.yaml.

    `deciding`: the settings that matter. A setting whose true effect is 0 is idle. No claim on another one is judged.
    """

    name: str
    world: World
    deciding: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    studies: int = 40


ROWS = [
    *(
        EffectRow(
            f"effects: each loss 2 deviations behind, {sampler}",
            World(heights=STEPS),
            (KIND, RATE),
            {"study.sampler": sampler},
        )
        for sampler in ("tpe", "random", "quasi_random")
    ),
    *(
        EffectRow(f"effects: noise alone, {sampler}", FLAT, (), {"study.sampler": sampler})
        for sampler in ("tpe", "random")
    ),
    EffectRow(
        "effects: steps of 4 deviations, tpe", World(heights=tuple(1.5 + 0.2 * step for step in range(5))), (KIND, RATE)
    ),
    EffectRow("effects: two losses 4 deviations apart, tpe", World(heights=(1.5, 1.7, 1.7, 1.7, 1.7)), (KIND, RATE)),
    EffectRow("effects: each loss with its own best pace, tpe", World(paces=(-2.6, -2.3, -2.0, -1.7, -1.4)), (RATE,)),
    EffectRow("effects: optimum at the edge, tpe", World(paces=(0.0,) * 5), (RATE,)),
]


@cache
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


def count_study(row: EffectRow, seed: int) -> Counts:
    """Simulate one study; count what its report says of idle and of deciding settings, and which intervals hold."""
    errors = tabulate_errors(row.world)
    tables = Simulation(row.world, build_config(seed, {"study.space": SPACE, **row.changes})).run()
    ranking = rank_importances(tables)
    if ranking is None:
        return {}
    worst_value = ranking.worst_value or float(ranking.equal_training.values.max())
    truths = {
        importance.name: compute_truth(errors, tables, importance, worst_value) for importance in ranking.parameters
    }
    idle = {name for name, truth in truths.items() if truth == 0.0}
    said = {
        "a setting mattered": {importance.name for importance in ranking.parameters if importance.is_important},
        "a setting mattered little": {importance.name for importance in ranking.parameters if importance.is_minor},
        "a range is widened or narrowed": {
            name for name in truths if {"in", "out"} & set(next_space.find_moved_ends(tables, name).values())
        },
    }
    counts = {}
    for claim, names in said.items():
        wrong, right = (row.deciding, idle) if claim.endswith("little") else (idle, row.deciding)
        false, true = names & set(wrong), names & set(right)
        counts[claim] = [int(bool(false)), 1, int(bool(true) and not false), int(bool(right))]
    intervals = [importance for importance in ranking.parameters if not importance.is_tuned]
    holds = [importance.low <= truths[importance.name] <= importance.high for importance in intervals]
    return counts | {"effect of a setting": [sum(holds), len(holds)]}
