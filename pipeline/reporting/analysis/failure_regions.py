"""Where in the search space trials are lost: they diverge, learn nothing, or train at a bad rate."""

from collections.abc import Collection
from dataclasses import replace

import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.failing_choice import FailingChoice, find_failing_choice
from thalweg.reporting.analysis.separation import (
    EFFECTIVE_RATE,
    LEARNING_RATE,
    Separation,
    find_separation,
    list_quantities,
)
from thalweg.reporting.tables import StudyTables, cache_per_study

MIN_TRIALS = 3  # fewer are not reported
MAJORITY_SHARE = 1 / 2  # above this share, bad rates are the rule
TOO_SHORT_KIND = "too short to tell"


@cache_per_study
def find_divergence_edge(tables: StudyTables) -> Separation | None:
    """Find the threshold that best separates diverged trials from sound trials."""
    return _find_lost_edge(tables, _list_diverged(tables))


@cache_per_study
def find_constant_edge(tables: StudyTables) -> Separation | None:
    """Find the threshold that best separates trials that learned nothing from sound trials."""
    return _find_lost_edge(tables, constant_trials.find_constant_trials(tables)["number"])


def _find_lost_edge(tables: StudyTables, trials: pd.Series) -> Separation | None:
    others = list_sound_trials(tables)
    edge = find_separation(tables, trials.tolist(), others)
    return edge and replace(edge, choice=_find_choice_beyond(tables, edge, trials.tolist(), others))


def list_sound_trials(tables: StudyTables) -> list[int]:
    """List the trials that neither diverged nor learned nothing."""
    failed = {*_list_diverged(tables), *constant_trials.find_constant_trials(tables)["number"]}
    return sorted(set(tables.trials["number"]) - failed)


def _find_choice_beyond(
    tables: StudyTables, edge: Separation, failed: Collection[int], others: Collection[int]
) -> FailingChoice | None:
    """Find the choice with which the trials beyond an edge fail, where with other choices they do not."""
    values = list_quantities(tables)[edge.name]
    beyond = set(values.index[(values > edge.threshold) if edge.is_high else (values < edge.threshold)])
    return find_failing_choice(tables, sorted(beyond & set(failed)), sorted(beyond & set(others)))


def _list_diverged(tables: StudyTables) -> pd.Series:
    return tables.trials.loc[tables.trials["state"] == "diverged", "number"]


def select_long_verdicts(tables: StudyTables) -> pd.DataFrame:
    """Return the monitor's verdicts on trials long enough for one: trial, kind, since, evidence."""
    verdicts = constant_trials.correct_verdicts(tables)
    return verdicts[verdicts["kind"] != TOO_SHORT_KIND]


def select_rate_verdicts(tables: StudyTables) -> pd.DataFrame:
    """Return the monitor's verdicts on trials whose rate it could judge: trial, kind, since, evidence."""
    verdicts = constant_trials.correct_verdicts(tables)
    return verdicts[~verdicts["kind"].isin([TOO_SHORT_KIND, constant_trials.CONSTANT_KIND, "diverged"])]


@cache_per_study
def select_bad_rates(tables: StudyTables, is_too_high: bool) -> pd.DataFrame:
    """Return the verdicts on trials whose rate is too high (or too low)."""
    verdicts = select_rate_verdicts(tables)
    return verdicts[verdicts["kind"] == f"rate too {'high' if is_too_high else 'low'}"]


@cache_per_study
def find_rate_edge(tables: StudyTables, is_too_high: bool) -> Separation | None:
    """Find the learning rate, or effective rate, from which on it is too high (or too low); None if not clear."""
    bad_trials = select_bad_rates(tables, is_too_high)
    if len(bad_trials) < MIN_TRIALS:
        return None
    others = set(select_rate_verdicts(tables)["trial"]) - set(bad_trials["trial"])
    edge = find_separation(tables, bad_trials["trial"].tolist(), sorted(others), (LEARNING_RATE, EFFECTIVE_RATE))
    return edge if edge and edge.is_high == is_too_high else None


def find_rate_bias(tables: StudyTables) -> str:
    """Return the end towards which most rates should move, "low" or "high"; "" if there is none, or a clear edge."""
    verdicts = select_long_verdicts(tables)
    for is_too_high, end in ((True, "low"), (False, "high")):
        count = len(select_bad_rates(tables, is_too_high))
        is_majority = count >= MIN_TRIALS and count > MAJORITY_SHARE * len(verdicts)
        if is_majority and find_rate_edge(tables, is_too_high) is None:
            return end
    return ""


@cache_per_study
def list_lost_edges(tables: StudyTables) -> list[Separation]:
    """List the clear edges beyond which trials diverge or learn nothing."""
    if tables.trials.empty:
        return []
    edges = [find_divergence_edge(tables), find_constant_edge(tables)]
    return [edge for edge in edges if edge is not None]


@cache_per_study
def list_edges(tables: StudyTables) -> list[Separation]:
    """List all clear edges: of lost trials, then of bad rates."""
    if tables.trials.empty:
        return []
    rate_edges = [find_rate_edge(tables, is_too_high) for is_too_high in (True, False)]
    return [*list_lost_edges(tables), *(edge for edge in rate_edges if edge is not None)]
