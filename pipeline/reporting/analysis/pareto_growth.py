"""Studies with several objectives: costs of trials, hypervolume of the Pareto front and its growth."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.progress import compute_gain
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.pareto import front_hypervolumes, hypervolume_history, normalise_costs, pareto_front
from thalweg.stats.samples import SeedNoise

MIN_TRIALS = 9  # fewer say nothing about growth
NOISE_DRAWS = 200


def list_objectives(tables: StudyTables) -> list[str]:
    """List the objective, then those of `study.also` that the trials have."""
    also = tables.setting("study.also") or ()
    return [tables.objective, *(name for name in also if name in tables.trials)]


def compute_costs(tables: StudyTables) -> pd.DataFrame:
    """Return the costs of complete trials, by number: each objective, signed so that less is better."""
    complete = tables.trials[tables.trials["state"] == "complete"].sort_values("number").set_index("number")
    columns = {name: "value" if name == tables.objective else name for name in list_objectives(tables)}
    table = pd.DataFrame({name: metric_sign(tables, name) * complete[column] for name, column in columns.items()})
    return table.astype(float).dropna()


def metric_sign(tables: StudyTables, metric: str) -> int:
    """Return 1 if less of a metric is better, -1 if more is."""
    if metric == tables.objective:
        return tables.sign
    return -1 if tables.metric_directions.get(metric) == "max" else 1


def metric_noise(tables: StudyTables, metric: str) -> SeedNoise | None:
    return estimate_seed_noise(replace(tables, objective=metric))


def select_reference_trials(tables: StudyTables, table: pd.DataFrame) -> pd.DataFrame:
    """Return the complete trials that learned something, all if too few did; their worst is the reference point."""
    constant = set(constant_trials.find_constant_trials(tables)["number"])
    learned = table[~table.index.isin(constant)]
    return learned if len(learned) > 1 else table


def compute_volume_shares(tables: StudyTables) -> pd.Series:
    """Return the hypervolume so far by trial, as a share of the box from the worst to the best of each objective."""
    table = select_reference_trials(tables, compute_costs(tables))
    points, _ = normalise_costs(table)
    by_trial = pd.DataFrame(points, table.index).reindex(sorted(tables.trials["number"]))
    return pd.Series(hypervolume_history(by_trial.to_numpy(), np.ones(points.shape[1])), index=by_trial.index)


@dataclass(frozen=True)
class FrontGrowth:
    """Whether the front still grew at the end, as in `progress.SearchGain`; `new_trials` are those it grew by.

    `volume_share`: of the box between the worst and the best of each objective, `gain` of it by the last third of the
    trials. `noise_share`: how far seeds alone can change it, None if unknown.
    """

    kind: Literal["gaining", "flat", "unknown"]
    volume_share: float
    gain: float
    noise_share: float | None = None
    new_trials: tuple[int, ...] = ()


def compute_front_growth(tables: StudyTables) -> FrontGrowth | None:
    """Compute the growth of the front in the last third of the trials; None if they are too few or alike."""
    if len(list_objectives(tables)) < 2 or len(tables.trials) < MIN_TRIALS:
        return None
    table = compute_costs(tables)
    reference = select_reference_trials(tables, table)
    if len(table) < 2 or (reference.max() == reference.min()).any():
        return None
    volumes = compute_volume_shares(tables)
    last_third = len(volumes) // 3
    gain, volume_share = float(volumes.iloc[-1] - volumes.iloc[-1 - last_third]), float(volumes.iloc[-1])
    noise = [source for name in list_objectives(tables) if (source := metric_noise(tables, name))]
    if len(noise) < table.shape[1]:
        return FrontGrowth("unknown", volume_share, gain)
    noise_share = _volume_noise(reference, noise)
    if noise_share >= volume_share:
        return FrontGrowth("unknown", volume_share, gain, noise_share)
    new_trials = tuple(int(n) for n in table.index[pareto_front(table)] if n in volumes.index[-last_third:])
    return FrontGrowth("gaining" if gain > noise_share else "flat", volume_share, gain, noise_share, new_trials)


@cache_per_study
def is_search_gaining(tables: StudyTables) -> bool:
    """Return whether the search still found better trials, or trade-offs, when it ended."""
    gains = compute_gain(tables), compute_front_growth(tables)
    return any(gain is not None and gain.kind == "gaining" for gain in gains)


def _volume_noise(costs: pd.DataFrame, noise: list[SeedNoise]) -> float:
    """Return the difference of two hypervolumes that seeds alone explain (95 %), from redrawn points of the front."""
    points, size = normalise_costs(costs)
    best, rng = points[pareto_front(points)], np.random.default_rng(0)
    redrawn = best + rng.normal(size=(NOISE_DRAWS, *best.shape)) * np.array([source.std for source in noise]) / size
    volumes = front_hypervolumes(redrawn, np.ones(best.shape[1]))
    dof = min(source.dof for source in noise)
    return float(stdtrit(dof, 0.975) * np.sqrt(2.0) * np.std(volumes, ddof=1))
