"""Whether a rate that looks too low to the monitor is: trials at higher rates would have to be better."""

import pandas as pd

from thalweg.reporting.analysis.separation import pace
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number

LEAST = 3
NEAR = 1.5
FAR = 5.0
"""Trials at a higher rate that it takes; and how many times higher their rate may be, from and to."""


def checked(tables: StudyTables, told: pd.DataFrame) -> pd.DataFrame:
    """The monitor's verdicts, but `improving` for `rate too low` where the middle one of the trials above is no better.

    One curve alone cannot tell: it may fall steadily to what the task allows.
    """
    low = told[told["kind"] == "rate too low"] if len(told) else told
    if low.empty or tables.ranked.empty:
        return told
    value = tables.ranked.set_index("number")["value"] * tables.sign
    rate, told = pace(tables).reindex(value.index), told.copy()
    for trial, evidence in zip(low["trial"].tolist(), low["evidence"].tolist(), strict=True):
        if trial not in value.index:
            continue
        above = value[(rate > NEAR * rate[trial]) & (rate <= FAR * rate[trial])]
        if len(above) < LEAST or above.median() < value[trial]:
            continue
        more = (
            f"{evidence}; yet {many(len(above), 'trial')} at {number(NEAR)} to {number(FAR)} times the rate came to no "
            f"better {label(tables.objective)}: {number(above.median() * tables.sign)} in the middle, against "
            f"{number(value[trial] * tables.sign)}"
        )
        told.loc[(told["trial"] == trial) & (told["kind"] == "rate too low"), ["kind", "evidence"]] = "improving", more
    return told
