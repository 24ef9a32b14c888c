"""What confirm left: intervals over fresh seeds, and who the candidates are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import pandas as pd
from numpy.typing import ArrayLike

from thalweg.reporting.analysis.seed_noise import drop_diverged_runs, find_failed_runs
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, metric_label
from thalweg.stats.intervals import Interval, compare_with_zero, t_interval


@dataclass(frozen=True)
class ConfirmedResult:
    """The winner and the baseline on fresh seeds: the objective on the split that candidates are compared on.

    - `difference`: winner minus baseline. `corrected` is the winner without what choosing it flatters, None where that
      is not known; `decisive` is the difference without that, and `corrects` whether the verdict is then another one.
    - `groups` of examples that were judged, and `groups_error`, their standard error; None where not known.
    - `names`: winner, runners-up in order, baseline; no winner where the baseline's runs stand in its place.
    - `diverged_seeds`, `failed_seeds`: by candidate the seeds on which it diverged, or came to something far worse than
      on its others; those that did on none are not named.
    """

    split: Literal["test", "validation"]
    winner: Interval
    baseline: Interval
    difference: Interval
    corrected: Interval | None
    decisive: Interval
    changes_verdict: bool
    group_count: int | None
    group_error: float | None
    candidates: tuple[str, ...]
    diverged_seeds: Mapping[str, list[int]]
    failed_seeds: Mapping[str, list[int]]

    @property
    def has_one_group(self) -> bool:
        """Whether all judged examples are one group, as far as is known: intervals are then for other seeds alone."""
        return self.group_count is not None and self.group_count < 2

    @property
    def contender_count(self) -> int:
        """Among how many candidates validation chose the winner."""
        return sum(name != "baseline" for name in self.candidates)

    def is_lost(self, name: str) -> bool:
        """Whether a candidate diverged, or failed, on some fresh seed."""
        return name in self.diverged_seeds or name in self.failed_seeds


@lru_cache(maxsize=16)
def build_confirmed_result(tables: StudyTables) -> ConfirmedResult | None:
    """Return what confirm found; None where nothing was confirmed."""
    found = tables.summary.confirm
    if found is None:
        return None
    plain, decisive, names = found.difference.interval, found.decisive_difference.interval, _list_candidates(tables)
    return ConfirmedResult(
        split=tables.split,
        winner=found.winner.interval,
        baseline=found.baseline.interval,
        difference=plain,
        corrected=found.corrected.interval if found.corrected else None,
        decisive=decisive,
        changes_verdict=compare_with_zero(plain, tables.sign) != compare_with_zero(decisive, tables.sign),
        group_count=found.difference.groups,
        group_error=found.difference.groups_error,
        candidates=names,
        diverged_seeds=_find_diverged_seeds(tables, names),
        failed_seeds=_find_failed_seeds(tables),
    )


def _list_candidates(tables: StudyTables) -> tuple[str, ...]:
    names = [] if tables.runs.empty else sorted(tables.runs["candidate"].unique())
    names = names if tables.has_winner else [name for name in names if name != "winner"]
    first = {"winner": 0, "baseline": 2}
    return tuple(sorted(names, key=lambda name: (first.get(name, 1), len(name), name)))


def _find_diverged_seeds(tables: StudyTables, names: tuple[str, ...]) -> dict[str, list[int]]:
    if "diverged_step" not in tables.runs:
        return {}
    bad = tables.runs[tables.runs["diverged_step"].notna()]
    return {name: bad.loc[own, "seed"].tolist() for name in names if (own := bad["candidate"] == name).any()}


def _find_failed_seeds(tables: StudyTables) -> dict[str, list[int]]:
    column = f"validation_{tables.objective}"
    if column not in tables.runs:
        return {}
    sound = drop_diverged_runs(tables.runs).dropna(subset=column)
    lost = sound[find_failed_runs(sound, column, tables.sign)]
    return {str(name): part["seed"].tolist() for name, part in lost.groupby("candidate")}


def metric_interval(tables: StudyTables, metric: str, values: ArrayLike) -> Interval | None:
    """The mean of a metric over seeds with its interval, within what the metric can be."""
    known = t_interval(values)
    return known.clip_to_bounds(tables.bounds_of(metric)) if known else None


def add_article(name: str) -> str:
    """A candidate's name as it stands in a sentence."""
    return name if name.startswith("runner-up") else f"the {name}"


def describe_choice(tables: StudyTables, result: ConfirmedResult) -> str:
    """How the winner was chosen, as a sentence: among how many trials, by what, on how many seeds."""
    count = result.contender_count
    seeds = format_count(int((tables.runs["candidate"] == "winner").sum()), "fresh seed")
    by, of = f"{metric_label(tables.objective)} on validation", format_count(len(tables.ranked), "complete trial")
    if count < 2:
        return f"Trial {tables.winner} has the best {by} of {of}; it was trained again on {seeds}."
    return (
        f"The {count} best of {of} by {by} were trained again on {seeds}, and by the same measure these chose trial "
        f"{tables.winner}."
    )


@dataclass(frozen=True)
class RetrainedBest:
    """The study's best trial: its value there, and the same parameters on fresh seeds, both on validation."""

    trial: int
    study_value: float
    fresh_interval: Interval
    fresh_values: pd.Series


def find_retrained_best(tables: StudyTables, result: ConfirmedResult) -> RetrainedBest | None:
    """The study's best trial again, which need not be the winner: that is chosen by the fresh seeds.

    None where it was confirmed for other epochs than it was chosen by, for the two then differ for that reason too; and
    where it diverged, or failed, on some seed.
    """
    column = f"validation_{tables.objective}"
    if not (tables.has_same_epochs and tables.has_winner) or tables.ranked.empty or column not in tables.runs:
        return None
    best = tables.ranked.iloc[0]
    own = tables.runs[(tables.runs["trial"] == best["number"]) & (tables.runs["candidate"] != "baseline")]
    values = own.set_index("seed")[column].dropna()
    fresh = metric_interval(tables, tables.objective, values)
    if fresh is None or any(result.is_lost(str(name)) for name in own["candidate"].unique()):
        return None
    return RetrainedBest(int(best["number"]), float(best["value"]), fresh, values)
