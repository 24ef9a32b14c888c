"""What choosing flatters: the study's best value, and the winner among the candidates that were confirmed."""

import numpy as np
from scipy.special import stdtrit

from thalweg.reporting.analysis.confirmed import ConfirmedResult, find_retrained_best
from thalweg.reporting.finding import Finding
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_count,
    format_fixed,
    format_interval,
    format_number,
    metric_label,
)


def report_optimism(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """Whether the best value of the study was luck: the best of many is, the same parameters on fresh seeds not."""
    best = find_retrained_best(tables, known)
    if best is None:
        return []
    fresh, values = best.fresh_interval, best.fresh_values
    gap = (fresh.mean - best.study_value) * tables.sign
    # the prediction interval of a mean over as many seeds as a trial has
    ahead = 1 / max(1, int(tables.setting("study.seeds", 1))) + 1 / len(values)
    reach = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) * np.sqrt(ahead))
    places = count_decimals(reach)
    evidence = (
        f"Trial {best.trial} reached {format_fixed(best.study_value, places)} on validation in the study, the best of "
        f"{format_count(len(tables.ranked), 'complete trial')}. On fresh seeds the same parameters give "
        f"{format_interval(fresh.mean, fresh.low, fresh.high)} there: {format_fixed(abs(gap), places)} "
        f"{'worse' if gap > 0 else 'better'}. By their spread, a single value lies within ±{format_fixed(reach, places)} of "
        "that."
    )
    behind: tuple[int, ...] = (best.trial,)
    if tables.winner not in (None, best.trial):
        evidence += f" The winner is trial {tables.winner}, which those seeds chose."
        behind = (best.trial, tables.winner)
    if gap > reach:
        verdict = "The study's best value is optimistic: much of its lead was luck."
        return [
            Finding(verdict, evidence, f"Quote {_name_fair_value(known)}, never the study's best.", behind, "caution")
        ]
    verdict = "The study's best value held up on fresh seeds, within its noise."
    return [Finding(verdict, evidence, f"Quote {_name_fair_value(known)} all the same.", behind)]


def _name_fair_value(known: ConfirmedResult) -> str:
    """The one value of the winner that is not flattered: the corrected one, where there is one."""
    corrected = known.contender_count > 1 and known.corrected and known.corrected.mean != known.winner.mean
    return f"the {'corrected' if corrected else 'confirmed'} value on {known.split}"


def report_selection_bias(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    """What choosing the winner on the seeds that it is judged on flatters, and its value without that.

    Each seed takes the candidate that the other seeds would choose (`thalweg.confirm.compare`).
    """
    fair, count = known.corrected, known.contender_count
    if fair is None or count < 2 or tables.is_winner_baseline:
        return []
    gain = (fair.mean - known.winner.mean) * tables.sign
    if gain == 0:  # whichever seed were left out, the same candidate would be chosen
        return []
    behind = () if tables.winner is None else (tables.winner,)
    evidence = (
        f"Validation chose the winner among {count} candidates, on the very seeds that {known.split} is told of, and "
        "luck of a seed shows on both. At each seed, the candidate that the other seeds would choose has "
        f"{metric_label(tables.objective)} {format_interval(fair.mean, fair.low, fair.high)} on average: what choosing so is worth on a "
        "fresh seed."
    )
    if gain < 0:
        verdict = f"In these seeds, choosing among {count} did not flatter the winner."
        return [Finding(verdict, f"{evidence} The winner's own mean is no better.", "", behind)]
    verdict = f"In these seeds, choosing among {count} flatters the winner by about {format_number(gain, 2)}."
    if known.changes_verdict:
        evidence += " Without that, its lead over the baseline is within noise."
    return [
        Finding(
            verdict,
            evidence,
            f"Quote {_name_fair_value(known)}.",
            behind,
            "caution" if known.changes_verdict else "plain",
        )
    ]
