"""Where in the space trials begin to be lost: to diverge, to learn nothing, to train at a rate that is no good."""

import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE, LEARNING_RATE, Separation, find_separation
from thalweg.reporting.tables import StudyTables

MIN_TRIALS = 3
"""So many trials are worth a word."""
MAJORITY_SHARE = 1 / 2
"""From the second share on they are the rule."""
TOO_SHORT_KIND = "too short to tell"


def find_divergence_edge(tables: StudyTables) -> Separation | None:
    """What best parts the trials that diverged from those that are not lost."""
    return _find_lost_edge(tables, _list_diverged(tables))


def find_constant_edge(tables: StudyTables) -> Separation | None:
    """What best parts the trials that learned nothing from those that are not lost."""
    return _find_lost_edge(tables, constant_trials.find_constant_trials(tables)["number"])


def _find_lost_edge(tables: StudyTables, trials: pd.Series) -> Separation | None:
    gone = {*_list_diverged(tables), *constant_trials.find_constant_trials(tables)["number"]}
    return find_separation(tables, trials.tolist(), sorted(set(tables.trials["number"]) - gone))


def _list_diverged(tables: StudyTables) -> pd.Series:
    return tables.trials.loc[tables.trials["state"] == "diverged", "number"]


def select_long_verdicts(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts on those trials that were long enough for one: trial, kind, since, evidence."""
    told = constant_trials.correct_verdicts(tables)
    return told[told["kind"] != TOO_SHORT_KIND]


def select_rate_verdicts(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts on those trials whose rate it could judge: trial, kind, since, evidence."""
    told = constant_trials.correct_verdicts(tables)
    return told[~told["kind"].isin([TOO_SHORT_KIND, constant_trials.CONSTANT_KIND, "diverged"])]


def select_bad_rates(tables: StudyTables, is_too_high: bool) -> pd.DataFrame:
    """The trials whose rate is too high (or too low), as in `judged`."""
    told = select_rate_verdicts(tables)
    return told[told["kind"] == f"rate too {'high' if is_too_high else 'low'}"]


def find_rate_edge(tables: StudyTables, is_too_high: bool) -> Separation | None:
    """From which learning rate on, or pace, trials are told that it is too high (or too low); None if not clear."""
    these = select_bad_rates(tables, is_too_high)
    if len(these) < MIN_TRIALS:
        return None
    others = set(select_rate_verdicts(tables)["trial"]) - set(these["trial"])
    found = find_separation(tables, these["trial"].tolist(), sorted(others), (LEARNING_RATE, EFFECTIVE_RATE))
    return found if found and found.is_high == is_too_high else None


def find_rate_bias(tables: StudyTables) -> str:
    """The end of the learning rate's range beyond which it is right for most trials, where no rate parts them."""
    told = select_long_verdicts(tables)
    for high, end in ((True, "low"), (False, "high")):
        count = len(select_bad_rates(tables, high))
        if count >= MIN_TRIALS and count > MAJORITY_SHARE * len(told) and find_rate_edge(tables, high) is None:
            return end
    return ""


def list_edges(tables: StudyTables) -> list[Separation]:
    """Every edge that is clear."""
    if tables.trials.empty:
        return []
    found = [
        find_divergence_edge(tables),
        find_constant_edge(tables),
        find_rate_edge(tables, is_too_high=True),
        find_rate_edge(tables, is_too_high=False),
    ]
    return [edge for edge in found if edge is not None]
