"""Where in the space trials begin to be lost: to diverge, to learn nothing, to train at a rate that is no good."""

import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.separation import PACE, RATE, Parted, parted
from thalweg.reporting.tables import StudyTables

FEWEST = 3
"""So many trials are worth a word."""
MOST = 1 / 2
"""From the second share on they are the rule."""
SHORT = "too short to tell"


def diverging(tables: StudyTables) -> Parted | None:
    """What best parts the trials that diverged from those that are not lost."""
    return _lost(tables, _diverged(tables))


def learning_nothing(tables: StudyTables) -> Parted | None:
    """What best parts the trials that learned nothing from those that are not lost."""
    return _lost(tables, constant_trials.constant(tables)["number"])


def _lost(tables: StudyTables, trials: pd.Series) -> Parted | None:
    gone = {*_diverged(tables), *constant_trials.constant(tables)["number"]}
    return parted(tables, trials.tolist(), sorted(set(tables.trials["number"]) - gone))


def _diverged(tables: StudyTables) -> pd.Series:
    return tables.trials.loc[tables.trials["state"] == "diverged", "number"]


def long_enough(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts on those trials that were long enough for one: trial, kind, since, evidence."""
    told = constant_trials.verdicts(tables)
    return told[told["kind"] != SHORT]


def judged(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts on those trials whose rate it could judge: trial, kind, since, evidence."""
    told = constant_trials.verdicts(tables)
    return told[~told["kind"].isin([SHORT, constant_trials.KIND, "diverged"])]


def rated(tables: StudyTables, high: bool) -> pd.DataFrame:
    """The trials whose rate is too high (or too low), as in `judged`."""
    told = judged(tables)
    return told[told["kind"] == f"rate too {'high' if high else 'low'}"]


def rate(tables: StudyTables, high: bool) -> Parted | None:
    """From which learning rate on, or pace, trials are told that it is too high (or too low); None if not clear."""
    these = rated(tables, high)
    if len(these) < FEWEST:
        return None
    others = set(judged(tables)["trial"]) - set(these["trial"])
    found = parted(tables, these["trial"].tolist(), sorted(others), (RATE, PACE))
    return found if found and found.high == high else None


def leaning(tables: StudyTables) -> str:
    """The end of the learning rate's range beyond which it is right for most trials, where no rate parts them."""
    told = long_enough(tables)
    for high, end in ((True, "low"), (False, "high")):
        count = len(rated(tables, high))
        if count >= FEWEST and count > MOST * len(told) and rate(tables, high) is None:
            return end
    return ""


def all_of(tables: StudyTables) -> list[Parted]:
    """Every edge that is clear."""
    if tables.trials.empty:
        return []
    found = [diverging(tables), learning_nothing(tables), rate(tables, high=True), rate(tables, high=False)]
    return [edge for edge in found if edge is not None]
