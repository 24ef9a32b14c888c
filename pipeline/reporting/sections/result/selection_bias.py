"""Optimism from selection: of the study's best value, and of the winner among the confirmed candidates."""

import numpy as np

from thalweg.reporting.analysis.confirmed import ConfirmedResult, find_retrained_best
from thalweg.reporting.analysis.study_luck import StudyLuck, judge_study_luck
from thalweg.reporting.finding import Finding, Tone, measure
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_change,
    format_count,
    format_fixed,
    format_interval,
    format_number,
)
from thalweg.stats.interval import Interval


def report_optimism(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report whether the best value of the study was luck: the same settings are compared on fresh seeds."""
    best = find_retrained_best(tables, result)
    if best is None:
        return []
    fresh, luck = best.fresh_interval, judge_study_luck(tables, best)
    places, count = count_decimals((luck.high - luck.low) / 2), len(tables.ranked)
    evidence = (
        f"In the study, trial {best.trial} reached {format_fixed(best.study_value, places)} on the validation set, the "
        f"best of {format_count(count, 'complete trial')}. On fresh seeds the same settings give "
        f"{format_interval(fresh.mean, fresh.low, fresh.high)} there, "
        f"{format_change(luck.loss, luck.low, luck.high)}.{_describe_least_luck(luck, count, places)}"
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
    loss = Interval(luck.loss, luck.low, luck.high, fresh.n)
    measured = measure({"loss": loss}, study_value=best.study_value, fresh_value=fresh.mean)
    if luck.verdict == "luck":
        verdict = f"About {format_number(luck.loss, 2)} of the best trial's lead in the search was luck."
        return [Finding(verdict, evidence, f"Quote {value}, not the study's best.", trials, "caution", **measured)]
    verdict = "It is unclear how much of the best trial's lead in the search was luck."
    if luck.verdict == "held":
        verdict = "The study's best value held up on fresh seeds."
    return [Finding(verdict, evidence, f"Quote {value}.", trials, **measured)]


def _describe_least_luck(luck: StudyLuck, trials: int, places: int) -> str:
    """Describe what luck alone would do, if that can decide; '' if not."""
    if luck.least_luck is None or luck.verdict == "luck":
        return ""
    is_held, limit, equals = luck.verdict == "held", luck.least_luck, f" If all {trials:,} were equally good, "
    if limit > 0:
        amount = f"the best one would be worse there by {format_fixed(limit, places)} or more in 95 % of studies"
        return f"{equals}{amount}, by luck alone. {'This one is not' if is_held else 'So is this one'}."
    if is_held:
        amount = f"the best one would be better there by {format_fixed(-limit, places)} at most in 95 % of studies"
        return f"{equals}{amount}. This one is better by more."
    return f"{equals}the best one might be as good there: these seeds are too few to show that it held up."


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
        f"Corrected for this choice, {tables.objective_label} on the {result.split} set is "
        f"{format_interval(corrected.mean, corrected.low, corrected.high)}: the mean over seeds of the candidate that "
        "the other seeds would choose."
    )
    measured = measure({"corrected": corrected}, winner=result.winner.mean)
    if bias < 0:
        verdict = f"The winner's score is not too optimistic, although it was chosen among {count} on these seeds."
        evidence += " The winner's own mean is no better."
        if result.changes_verdict:
            evidence += " But the choice makes its value less certain: its lead over the baseline is within noise."
        return [Finding(verdict, evidence, "", trials, **measured)]
    amount = f"The winner's score is about {format_number(bias, 2)} too optimistic"
    verdict = f"{amount}, because it was chosen among {count} on these seeds."
    if result.changes_verdict:
        evidence += " Without this optimism, its lead over the baseline is within noise."
    tone: Tone = "caution" if result.changes_verdict else "plain"
    return [Finding(verdict, evidence, f"Quote {_name_fair_value(result)}.", trials, tone, **measured)]
