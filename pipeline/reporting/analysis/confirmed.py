"""Confirmed results: intervals over fresh seeds, and the candidates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from numpy.typing import ArrayLike

from thalweg.artifacts.summary import Estimate
from thalweg.reporting.analysis.seed_noise import drop_diverged_runs, find_failed_runs
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import count_decimals
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import VarianceSource, compare_with_zero, t_interval


@dataclass(frozen=True)
class ConfirmedResult:
    """The winner and the baseline on fresh seeds: the objective on the set that compares candidates.

    - `difference`: winner minus baseline. `corrected`: the winner without selection bias, None if unknown. `decisive`:
      the difference without that bias; `changes_verdict`: whether this correction changes the verdict.
    - `group_count`: groups of judged examples; `group_variance`: the variance of the difference that they leave for any
      number of seeds. None if unknown.
    - `candidates`: winner, runners-up in order, baseline; no winner if the baseline's runs replace it. A runner-up with
      the file's own values is the baseline. `contender_count`: from how many candidates validation chose the winner.
    - `diverged_seeds`, `failed_seeds`: seeds on which a candidate diverged, or ended far worse than on its other seeds.
      A candidate without such seeds has no entry.
    """

    split: Literal["test", "validation"]
    winner: Interval
    baseline: Interval
    difference: Interval
    corrected: Interval | None
    decisive: Interval
    changes_verdict: bool
    group_count: int | None
    group_variance: VarianceSource | None
    candidates: tuple[str, ...]
    contender_count: int
    diverged_seeds: Mapping[str, list[int]]
    failed_seeds: Mapping[str, list[int]]

    @property
    def is_corrected(self) -> bool:
        """Whether the correction for selection bias changes the difference."""
        return self.decisive != self.difference

    @property
    def decimals(self) -> int:
        """The decimals to show: they fit the interval of the difference, and the means differ by it as shown."""
        fitting = count_decimals((self.difference.high - self.difference.low) / 2)
        values = self.winner.mean, self.baseline.mean, self.difference.mean
        for decimals in range(fitting, fitting + 3):
            winner, baseline, difference = (round(value, decimals) for value in values)
            if round(winner - baseline - difference, decimals) == 0:
                return decimals
        return fitting

    @property
    def has_one_group(self) -> bool:
        """Whether all judged examples are one known group: intervals then cover other seeds only."""
        return self.group_count is not None and self.group_count < 2

    def is_lost(self, name: str) -> bool:
        """Whether a candidate diverged or failed on any fresh seed."""
        return name in self.diverged_seeds or name in self.failed_seeds


@cache_per_study
def build_confirmed_result(tables: StudyTables) -> ConfirmedResult | None:
    """Return the confirmed result; None if nothing was confirmed."""
    confirmation = tables.summary.confirm
    if confirmation is None:
        return None
    difference, decisive = confirmation.difference.interval, confirmation.decisive_difference.interval
    candidates = _list_candidates(tables)
    return ConfirmedResult(
        split=tables.split,
        winner=confirmation.winner.interval,
        baseline=confirmation.baseline.interval,
        difference=difference,
        corrected=confirmation.corrected.interval if confirmation.corrected else None,
        decisive=decisive,
        changes_verdict=compare_with_zero(difference, tables.sign) != compare_with_zero(decisive, tables.sign),
        group_count=confirmation.difference.groups,
        group_variance=read_group_variance(confirmation.difference),
        candidates=tuple(name for name in candidates if name not in _list_baselines(tables)),
        contender_count=sum(name != "baseline" for name in candidates),
        diverged_seeds=_find_diverged_seeds(tables, candidates),
        failed_seeds=_find_failed_seeds(tables),
    )


def read_group_variance(estimate: Estimate) -> VarianceSource | None:
    """Return the variance that groups of examples leave for any number of seeds; None if unknown."""
    if estimate.groups_error is None or estimate.groups_dof is None:
        return None
    return VarianceSource(estimate.groups_error**2, estimate.groups_dof)


def _list_candidates(tables: StudyTables) -> tuple[str, ...]:
    names = [] if tables.runs.empty else sorted(tables.runs["candidate"].unique())
    names = names if tables.has_winner else [name for name in names if name != "winner"]
    order = {"winner": 0, "baseline": 2}
    return tuple(sorted(names, key=lambda name: (order.get(name, 1), len(name), name)))


def _list_baselines(tables: StudyTables) -> list[str]:
    """List the runners-up that have the file's own values: they are the baseline, which has runs of its own."""
    if tables.runs.empty:
        return []
    trials = tables.runs[tables.runs["candidate"].str.startswith("runner-up")].groupby("candidate")["trial"].first()
    return [str(name) for name, trial in trials.items() if tables.has_file_values(trial)]


def _find_diverged_seeds(tables: StudyTables, names: tuple[str, ...]) -> dict[str, list[int]]:
    if "diverged_step" not in tables.runs:
        return {}
    diverged = tables.runs[tables.runs["diverged_step"].notna()]
    return {
        name: diverged.loc[is_own, "seed"].tolist() for name in names if (is_own := diverged["candidate"] == name).any()
    }


def _find_failed_seeds(tables: StudyTables) -> dict[str, list[int]]:
    column = f"validation_{tables.objective}"
    if column not in tables.runs:
        return {}
    finite = drop_diverged_runs(tables.runs).dropna(subset=column)
    failed = finite[find_failed_runs(finite, column, tables.sign)]
    return {str(name): rows["seed"].tolist() for name, rows in failed.groupby("candidate")}


def metric_interval(tables: StudyTables, metric: str, values: ArrayLike) -> Interval | None:
    """Return a metric's mean over seeds with its interval, clipped to the metric's bounds."""
    interval = t_interval(values)
    return interval.clip_to_bounds(tables.bounds_of(metric)) if interval else None


@dataclass(frozen=True)
class RetrainedBest:
    """The study's best trial on the validation set: its value in the study, and the same parameters on fresh seeds."""

    trial: int
    study_value: float
    fresh_interval: Interval
    fresh_values: pd.Series


def find_retrained_best(tables: StudyTables, result: ConfirmedResult) -> RetrainedBest | None:
    """Return the study's best trial, retrained. The winner may differ: fresh seeds choose it.

    None if it was confirmed for other epochs than the study's, which alone changes its value. None if it diverged or
    failed on any seed.
    """
    column = f"validation_{tables.objective}"
    if not (tables.has_same_epochs and tables.has_winner) or tables.ranked.empty or column not in tables.runs:
        return None
    best = tables.ranked.iloc[0]
    runs = tables.runs[(tables.runs["trial"] == best["number"]) & (tables.runs["candidate"] != "baseline")]
    values = runs.set_index("seed")[column].dropna()
    fresh = metric_interval(tables, tables.objective, values)
    if fresh is None or any(result.is_lost(str(name)) for name in runs["candidate"].unique()):
        return None
    return RetrainedBest(int(best["number"]), float(best["value"]), fresh, values)
