"""The winner beside simple answers to the same question: one that is not beaten has learned nothing worth its cost."""

import pandas as pd

from thalweg.reporting.analysis.confirmed import ConfirmedResult
from thalweg.reporting.finding import Finding
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_interval, format_number, join_items, metric_label


def report_references(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """What the winner is beside the best simple answer."""
    winner, simple = known.winner, rank_references(tables)
    if simple.empty:
        return []
    best = simple.iloc[0]
    evidence = (
        f"On {known.split}, {metric_label(tables.objective)} is {format_interval(winner.mean, winner.low, winner.high)} for the winner "
        f"and {format_number(best[tables.objective])} for the best simple answer, {best['answer']}."
    )
    behind = () if tables.winner is None else (tables.winner,)
    nearest = winner.high if tables.sign > 0 else winner.low
    if tables.sign * (nearest - best[tables.objective]) < 0:
        verdict = f"The winner beats {'every simple answer' if len(simple) > 1 else 'the simple answer'}."
        return [Finding(verdict, evidence, trials=behind, tone="good")]
    close = simple[tables.sign * (simple[tables.objective] - nearest) <= 0]["answer"].tolist()
    verdict = f"The winner is not surely better than {join_items(close)}."
    step = "Look whether the winner learns at all (Health), and whether images hold what is asked of them (Errors)."
    return [Finding(verdict, evidence, step, behind, "caution")]


def rank_references(tables: StudyTables) -> pd.DataFrame:
    """The simple answers, the best by the objective first."""
    if tables.references.empty or tables.objective not in tables.references:
        return pd.DataFrame()
    return tables.references.sort_values(tables.objective, ascending=tables.sign > 0, kind="stable")
