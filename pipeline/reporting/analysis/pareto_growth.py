"""What the trials of a study with several objectives come to: their costs, how much the front fills, its growth."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.progress import gain
from thalweg.reporting.analysis.seed_noise import seed_noise
from thalweg.reporting.tables import StudyTables
from thalweg.stats.pareto import front_hypervolumes, hypervolume_history, normalise_costs, pareto_front
from thalweg.stats.samples import SeedNoise

FEWEST = 9
"""Trials from which the front's growth is looked at."""
DRAWS = 200
"""Draws of noise."""


def objectives(tables: StudyTables) -> list[str]:
    """The objective, then those of `study.also` that the trials have."""
    also = tables.setting("study.also") or ()
    return [tables.objective, *(name for name in also if name in tables.trials)]


def costs(tables: StudyTables) -> pd.DataFrame:
    """Complete trials by number, in order: each objective, turned so that less is better."""
    done = tables.trials[tables.trials["state"] == "complete"].sort_values("number").set_index("number")
    columns = {name: "value" if name == tables.objective else name for name in objectives(tables)}
    table = pd.DataFrame({name: sign_of(tables, name) * done[column] for name, column in columns.items()})
    return table.astype(float).dropna()


def sign_of(tables: StudyTables, name: str) -> int:
    """1 where less of a metric is better, -1 where more is."""
    if name == tables.objective:
        return tables.sign
    return -1 if tables.directions.get(name) == "max" else 1


def noise_of(tables: StudyTables, name: str) -> SeedNoise | None:
    return seed_noise(replace(tables, objective=name))


def reference(tables: StudyTables, table: pd.DataFrame) -> pd.DataFrame:
    """The complete trials that learned something, or all where that leaves too few: their worst is the reference."""
    lost = set(constant_trials.constant(tables)["number"])
    kept = table[~table.index.isin(lost)]
    return kept if len(kept) > 1 else table


def volumes(tables: StudyTables) -> pd.Series:
    """The hypervolume so far by trial, as a share of the box from the worst to the best of each objective."""
    table = reference(tables, costs(tables))
    points, _ = normalise_costs(table)
    every = pd.DataFrame(points, table.index).reindex(sorted(tables.trials["number"]))
    return pd.Series(hypervolume_history(every.to_numpy(), np.ones(points.shape[1])), index=every.index)


@dataclass(frozen=True)
class Growth:
    """Whether the front was still growing at the end, as `progress.Gain`; `new` trials are those that it grew by."""

    kind: Literal["gaining", "flat", "unknown"]
    evidence: str
    new: tuple[int, ...] = ()


def growth(tables: StudyTables) -> Growth | None:
    """What the last third of the trials added to the front; None where there are too few, or nothing to fill."""
    if len(objectives(tables)) < 2 or len(tables.trials) < FEWEST:
        return None
    table = costs(tables)
    kept = reference(tables, table)
    if len(table) < 2 or (kept.max() == kept.min()).any():
        return None
    volume = volumes(tables)
    third = volume.iloc[: -(len(volume) // 3)].iloc[-1]
    gained, last = float(volume.iloc[-1] - third), float(volume.iloc[-1])
    evidence = f"The front covers {100 * last:.1f} % of the box between the worst and the best of each objective"
    evidence += f"; the last third of the trials added {100 * gained:.1f} points."
    noise = [one for name in objectives(tables) if (one := noise_of(tables, name))]
    if len(noise) < table.shape[1]:
        return Growth("unknown", evidence + " Its noise is not known.")
    least = _least(kept, noise)
    if least >= last:
        return Growth("unknown", f"{evidence} Seeds alone move it by as much.")
    evidence += f" Less than {100 * least:.1f} is the noise of seeds."
    new = tuple(int(n) for n in table.index[pareto_front(table)] if n in volume.index[-(len(volume) // 3) :])
    return Growth("gaining" if gained > least else "flat", evidence, new)


def gaining(tables: StudyTables) -> bool:
    """Whether the search was still finding better trials, or trade-offs, when it ended."""
    return any(known is not None and known.kind == "gaining" for known in (gain(tables), growth(tables)))


def _least(table: pd.DataFrame, noise: list[SeedNoise]) -> float:
    """The difference of two hypervolumes that seeds alone explain (95 %): of the front, its points moved by noise."""
    points, size = normalise_costs(table)
    best, draw = points[pareto_front(points)], np.random.default_rng(0)
    moved = best + draw.normal(size=(DRAWS, *best.shape)) * np.array([one.deviation for one in noise]) / size
    again = front_hypervolumes(moved, np.ones(best.shape[1]))
    freedom = min(one.freedom for one in noise)
    return float(stdtrit(freedom, 0.975) * np.sqrt(2.0) * np.std(again, ddof=1))
