"""What the trials of a study with several objectives come to: their costs, how much the front fills, its growth."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.progress import compute_gain
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.tables import StudyTables
from thalweg.stats.pareto import front_hypervolumes, hypervolume_history, normalise_costs, pareto_front
from thalweg.stats.samples import SeedNoise

MIN_TRIALS = 9
"""Trials from which the front's growth is looked at."""
NOISE_DRAWS = 200
"""Draws of noise."""


def list_objectives(tables: StudyTables) -> list[str]:
    """The objective, then those of `study.also` that the trials have."""
    also = tables.setting("study.also") or ()
    return [tables.objective, *(name for name in also if name in tables.trials)]


def compute_costs(tables: StudyTables) -> pd.DataFrame:
    """Complete trials by number, in order: each objective, turned so that less is better."""
    done = tables.trials[tables.trials["state"] == "complete"].sort_values("number").set_index("number")
    columns = {name: "value" if name == tables.objective else name for name in list_objectives(tables)}
    table = pd.DataFrame({name: metric_sign(tables, name) * done[column] for name, column in columns.items()})
    return table.astype(float).dropna()


def metric_sign(tables: StudyTables, metric: str) -> int:
    """1 where less of a metric is better, -1 where more is."""
    if metric == tables.objective:
        return tables.sign
    return -1 if tables.metric_directions.get(metric) == "max" else 1


def metric_noise(tables: StudyTables, metric: str) -> SeedNoise | None:
    return estimate_seed_noise(replace(tables, objective=metric))


def select_reference_trials(tables: StudyTables, table: pd.DataFrame) -> pd.DataFrame:
    """The complete trials that learned something, or all where that leaves too few: their worst is the reference."""
    lost = set(constant_trials.find_constant_trials(tables)["number"])
    kept = table[~table.index.isin(lost)]
    return kept if len(kept) > 1 else table


def compute_volume_shares(tables: StudyTables) -> pd.Series:
    """The hypervolume so far by trial, as a share of the box from the worst to the best of each objective."""
    table = select_reference_trials(tables, compute_costs(tables))
    points, _ = normalise_costs(table)
    every = pd.DataFrame(points, table.index).reindex(sorted(tables.trials["number"]))
    return pd.Series(hypervolume_history(every.to_numpy(), np.ones(points.shape[1])), index=every.index)


@dataclass(frozen=True)
class FrontGrowth:
    """Whether the front was still growing at the end, as `progress.Gain`; `new` trials are those that it grew by."""

    kind: Literal["gaining", "flat", "unknown"]
    evidence: str
    new_trials: tuple[int, ...] = ()


def compute_front_growth(tables: StudyTables) -> FrontGrowth | None:
    """What the last third of the trials added to the front; None where there are too few, or nothing to fill."""
    if len(list_objectives(tables)) < 2 or len(tables.trials) < MIN_TRIALS:
        return None
    table = compute_costs(tables)
    kept = select_reference_trials(tables, table)
    if len(table) < 2 or (kept.max() == kept.min()).any():
        return None
    volume = compute_volume_shares(tables)
    third = volume.iloc[: -(len(volume) // 3)].iloc[-1]
    gained, last = float(volume.iloc[-1] - third), float(volume.iloc[-1])
    evidence = f"The front covers {100 * last:.1f} % of the box between the worst and the best of each objective"
    evidence += f"; the last third of the trials added {100 * gained:.1f} points."
    noise = [one for name in list_objectives(tables) if (one := metric_noise(tables, name))]
    if len(noise) < table.shape[1]:
        return FrontGrowth("unknown", evidence + " Its noise is not known.")
    least = _volume_noise(kept, noise)
    if least >= last:
        return FrontGrowth("unknown", f"{evidence} Seeds alone move it by as much.")
    evidence += f" Less than {100 * least:.1f} is the noise of seeds."
    new = tuple(int(n) for n in table.index[pareto_front(table)] if n in volume.index[-(len(volume) // 3) :])
    return FrontGrowth("gaining" if gained > least else "flat", evidence, new)


def is_search_gaining(tables: StudyTables) -> bool:
    """Whether the search was still finding better trials, or trade-offs, when it ended."""
    return any(
        known is not None and known.kind == "gaining" for known in (compute_gain(tables), compute_front_growth(tables))
    )


def _volume_noise(costs: pd.DataFrame, noise: list[SeedNoise]) -> float:
    """The difference of two hypervolumes that seeds alone explain (95 %): of the front, its points moved by noise."""
    points, size = normalise_costs(costs)
    best, draw = points[pareto_front(points)], np.random.default_rng(0)
    moved = best + draw.normal(size=(NOISE_DRAWS, *best.shape)) * np.array([one.std for one in noise]) / size
    again = front_hypervolumes(moved, np.ones(best.shape[1]))
    freedom = min(one.dof for one in noise)
    return float(stdtrit(freedom, 0.975) * np.sqrt(2.0) * np.std(again, ddof=1))
