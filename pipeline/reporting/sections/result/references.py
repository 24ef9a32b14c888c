"""The winner beside simple answers to the same question: one that is not beaten has learned nothing worth its cost."""

import pandas as pd

from thalweg.reporting.analysis.confirmed import Confirmed
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure, Listing
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, listed, number, span


def findings(tables: StudyTables, known: Confirmed) -> list[Finding]:
    """What the winner is beside the best simple answer."""
    winner, answers = known.winner, _answers(tables)
    if answers.empty:
        return []
    best = answers.iloc[0]
    evidence = (
        f"On {known.split}, {label(tables.objective)} is {span(winner.mean, winner.low, winner.high)} for the winner "
        f"and {number(best[tables.objective])} for the best simple answer, {best['answer']}."
    )
    behind = () if tables.winner is None else (tables.winner,)
    nearest = winner.high if tables.sign > 0 else winner.low
    if tables.sign * (nearest - best[tables.objective]) < 0:
        verdict = f"The winner beats {'every simple answer' if len(answers) > 1 else 'the simple answer'}."
        return [Finding(verdict, evidence, trials=behind, tone="good")]
    close = answers[tables.sign * (answers[tables.objective] - nearest) <= 0]["answer"].tolist()
    verdict = f"The winner is not surely better than {listed(close)}."
    step = "Look whether the winner learns at all (Health), and whether images hold what is asked of them (Errors)."
    return [Finding(verdict, evidence, step, behind, "caution")]


def charts(tables: StudyTables) -> list[Figure]:
    answers = _answers(tables)
    winner = tables.runs[tables.runs["candidate"] == "winner"] if len(tables.runs) else tables.runs
    if answers.empty or winner.empty or not tables.has_winner:
        return []
    means = {
        name: winner[f"{tables.part}_{name}"].mean() for name in tables.metrics if f"{tables.part}_{name}" in winner
    }
    rows = pd.concat(
        [pd.DataFrame([{"answer": "winner"} | means]), answers.reindex(columns=["answer", *means])], ignore_index=True
    )
    table = pd.DataFrame({"answer": rows["answer"]} | {label(name): rows[name].map(number) for name in means})
    return [
        Listing("answers", "Against simple answers", f"On {tables.part}; the winner's means over fresh seeds.", table)
    ]


def _answers(tables: StudyTables) -> pd.DataFrame:
    """The simple answers, the best by the objective first."""
    if tables.references.empty or tables.objective not in tables.references:
        return pd.DataFrame()
    order = tables.references.assign(_key=tables.sign * tables.references[tables.objective])
    return order.sort_values("_key", kind="stable").drop(columns="_key").reset_index(drop=True)
