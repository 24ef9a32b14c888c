"""Optimism from selection: of the study's best value, and of the winner among the confirmed candidates."""

import numpy as np
from scipy.special import stdtrit

from thalweg.reporting.analysis.confirmed import ConfirmedResult, find_retrained_best
from thalweg.reporting.finding import Finding, Tone
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_count,
    format_fixed,
    format_interval,
    format_number,
    metric_label,
)


def report_optimism(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report whether the best value of the study was luck: the same settings are compared on fresh seeds."""
    best = find_retrained_best(tables, result)
    if best is None:
        return []
    fresh, values = best.fresh_interval, best.fresh_values
    gap = (fresh.mean - best.study_value) * tables.sign
    # the prediction interval of a mean over as many seeds as a trial has
    factor = 1 / tables.seeds_per_trial + 1 / len(values)
    explained = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) * np.sqrt(factor))
    places = count_decimals(explained)
    evidence = (
        f"In the study, trial {best.trial} reached {format_fixed(best.study_value, places)} on the validation set, the "
        f"best of {format_count(len(tables.ranked), 'complete trial')}. On fresh seeds the same settings give "
        f"{format_interval(fresh.mean, fresh.low, fresh.high)} there, {format_fixed(abs(gap), places)} "
        f"{'worse' if gap > 0 else 'better'}. On other seeds, a trial would lie within "
        f"±{format_fixed(explained, places)} of that mean (95 %)."
    )
    trials: tuple[int, ...] = (best.trial,)
    if tables.winner not in (None, best.trial):
        evidence += (
            f" The winner is trial {tables.winner}: on the validation set it is the best of the "
            f"{result.contender_count} retrained trials."
        )
        means = tables.runs.groupby("candidate")[f"validation_{tables.objective}"].mean() * tables.sign
        if means.get("baseline", np.inf) < means["winner"]:
            baseline = format_number(means["baseline"] * tables.sign)
            evidence += f" The baseline was retrained for comparison only; it reached {baseline} there."
        trials = (best.trial, tables.winner)
    value = _name_fair_value(result)
    if gap > explained:
        verdict = "The study's best value is too optimistic: much of its lead was luck."
        return [Finding(verdict, evidence, f"Quote {value}, not the study's best.", trials, "caution")]
    verdict = "The study's best value held up on fresh seeds, within noise."
    return [Finding(verdict, evidence, f"Still, quote {value}.", trials)]


def _name_fair_value(result: ConfirmedResult) -> str:
    """Name the winner's value to quote: the corrected one, where there is one."""
    corrected = result.contender_count > 1 and result.corrected and result.corrected.mean != result.winner.mean
    return f"the {'corrected' if corrected else 'confirmed'} value on the {result.split} set"


def report_selection_bias(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report how optimistic the winner's value is, because the same seeds chose the winner and judge it.

    Corrected: each seed takes the candidate that the other seeds would choose (`thalweg.confirm.compare`).
    """
    corrected, count = result.corrected, result.contender_count
    if corrected is None or count < 2 or tables.is_winner_baseline:
        return []
    bias = (corrected.mean - result.winner.mean) * tables.sign
    if bias == 0:  # whichever seed is left out, the same candidate would be chosen
        return []
    trials = () if tables.winner is None else (tables.winner,)
    evidence = (
        f"The same seeds choose the winner among {count} candidates and then measure it, so a lucky seed helps twice. "
        f"Corrected for this choice, {metric_label(tables.objective)} on the {result.split} set is "
        f"{format_interval(corrected.mean, corrected.low, corrected.high)}: the mean over seeds of the candidate that "
        "the other seeds would choose."
    )
    if bias < 0:
        verdict = f"The winner's score is not too optimistic, although it was chosen among {count} on these seeds."
        return [Finding(verdict, f"{evidence} The winner's own mean is no better.", "", trials)]
    amount = f"The winner's score is about {format_number(bias, 2)} too optimistic"
    verdict = f"{amount}, because it was chosen among {count} on these seeds."
    if result.changes_verdict:
        evidence += " Without this optimism, its lead over the baseline is within noise."
    tone: Tone = "caution" if result.changes_verdict else "plain"
    return [Finding(verdict, evidence, f"Quote {_name_fair_value(result)}.", trials, tone)]
