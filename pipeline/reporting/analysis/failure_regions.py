"""Where in the space trials begin to be lost: to diverge, to learn nothing, to train at a rate that is no good."""

from collections.abc import Collection

import pandas as pd

from thalweg.reporting.analysis import constant_trials
from thalweg.reporting.analysis.separation import PACE, RATE, Parted, parted
from thalweg.reporting.tables import StudyTables

FEWEST = 3
"""So many trials are worth a word."""
MOST = 1 / 2
"""From the second share on they are the rule."""
SHORT = "too short to tell"
UNFIT = (SHORT, constant_trials.KIND, "diverged")
"""Verdicts that say nothing of a rate."""


def lost(tables: StudyTables, trials: Collection[int]) -> Parted | None:
    """What best parts some lost trials from all that are not lost in any way."""
    gone = {
        *tables.trials.loc[tables.trials["state"] == "diverged", "number"],
        *constant_trials.constant(tables)["number"],
    }
    return parted(tables, list(trials), sorted(set(tables.trials["number"]) - gone))


def diverging(tables: StudyTables) -> Parted | None:
    return lost(tables, tables.trials.loc[tables.trials["state"] == "diverged", "number"].tolist())


def learning_nothing(tables: StudyTables) -> Parted | None:
    return lost(tables, constant_trials.constant(tables)["number"].tolist())


def long_enough(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts on those trials that were long enough for one: trial, kind, since, evidence."""
    told = constant_trials.verdicts(tables)
    return told[told["kind"] != SHORT] if len(told) else told


def judged(tables: StudyTables) -> pd.DataFrame:
    """The monitor's verdicts on those trials whose rate it could judge: trial, kind, since, evidence."""
    told = constant_trials.verdicts(tables)
    return told[~told["kind"].isin(UNFIT)] if len(told) else told


def rated(tables: StudyTables, high: bool) -> pd.DataFrame:
    """The trials whose rate is too high (or too low), as in `judged`."""
    told = judged(tables)
    return told[told["kind"] == ("rate too high" if high else "rate too low")] if len(told) else told


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
