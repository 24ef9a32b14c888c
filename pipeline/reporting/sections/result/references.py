"""The winner against simple answers that need no network; a winner that does not beat them is not worth its cost."""

import pandas as pd

from thalweg.reporting.analysis.confirmed import ConfirmedResult
from thalweg.reporting.finding import Finding
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_interval, format_number, join_items, metric_label


def report_references(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Compare the winner with the best simple answer."""
    winner, simple = result.winner, rank_references(tables)
    if simple.empty:
        return []
    best, trials = simple.iloc[0], () if tables.winner is None else (tables.winner,)
    evidence = (
        f"On the {result.split} set, {metric_label(tables.objective)} is "
        f"{format_interval(winner.mean, winner.low, winner.high)} for the winner and "
        f"{format_number(best[tables.objective])} for the best simple answer that needs no network, "
        f"{best['answer']}."
    )
    worst = winner.high if tables.sign > 0 else winner.low
    if tables.sign * (worst - best[tables.objective]) < 0:
        verdict = f"The winner beats {'every simple answer' if len(simple) > 1 else 'the simple answer'}."
        return [Finding(verdict, evidence, trials=trials, tone="good")]
    close = simple[tables.sign * (simple[tables.objective] - worst) <= 0]["answer"].tolist()
    verdict = f"The winner is not clearly better than {join_items(close)}."
    if tables.sign * (winner.mean - best[tables.objective]) >= 0:
        values = " against ".join(format_number(value) for value in (winner.mean, best[tables.objective]))
        verdict = f"The winner is no better than {best['answer']}: {values}."
    step = "Check whether the winner learns at all (Health), and whether the images show what is asked (Errors)."
    return [Finding(verdict, evidence, step, trials, "caution")]


def rank_references(tables: StudyTables) -> pd.DataFrame:
    """Return the simple answers, the best by the objective first."""
    if tables.references.empty or tables.objective not in tables.references:
        return pd.DataFrame()
    return tables.references.sort_values(tables.objective, ascending=tables.sign > 0, kind="stable")
