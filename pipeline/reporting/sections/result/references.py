"""The winner against simple answers that need no network; a winner that does not beat them is not worth its cost."""

import pandas as pd

from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis.confirmed import ConfirmedResult
from thalweg.reporting.analysis.winner_learning import measure_winner_learning
from thalweg.reporting.finding import Finding
from thalweg.reporting.sections.result.doubts import MORE_GROUPS_ADVICE, compute_group_margin
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_interval, format_number, join_items, metric_label


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
    step = _advise_on_doubt(tables, result, float(best[tables.objective]), best["answer"])
    return [Finding(verdict, evidence, step, trials, "caution")]


def _advise_on_doubt(tables: StudyTables, result: ConfirmedResult, reference: float, answer: str) -> str:
    """Advise on a winner that may be no better than a simple answer: on learning, else on seeds or groups."""
    learning, lead = measure_winner_learning(tables), tables.sign * (reference - result.winner.mean)
    if result.is_lost("winner"):
        return search_space.advise_lost_seeds("the winner")
    if learning is None or not learning.is_learning:
        return "Check whether the winner learns at all (Health), and whether the images show what is asked (Errors)."
    if lead <= 0:
        return (
            "The winner learns (Health): check whether it overfits, and whether the images show what is asked (Errors)."
        )
    count, seeds, bound = result.group_count or 1, result.winner.n, format_number(reference)
    margin = compute_group_margin(result.winner_group_error or 0.0, count)
    if margin >= lead:
        groups = format_count(count, "group")
        return (
            f"The winner learns (Health), but with any number of seeds the {groups} of the {result.split} set leave "
            f"±{format_number(margin, 2)} uncertain. {MORE_GROUPS_ADVICE}"
        )
    return (
        f"Confirm on more seeds (`confirm.seeds`): the winner learns (Health), but with {seeds} seeds its interval "
        f"still includes {bound}, the value of {answer}."
    )


def rank_references(tables: StudyTables) -> pd.DataFrame:
    """Return the simple answers, the best by the objective first."""
    if tables.references.empty or tables.objective not in tables.references:
        return pd.DataFrame()
    return tables.references.sort_values(tables.objective, ascending=tables.sign > 0, kind="stable")
