"""The winner against simple answers that need no network; a winner that does not beat them is not worth its cost."""

from collections.abc import Mapping

import pandas as pd

from thalweg.artifacts.summary import Estimate
from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis.confirmed import ConfirmedResult, read_group_variance
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.analysis.winner_learning import measure_winner_learning
from thalweg.reporting.finding import Finding, measure
from thalweg.reporting.sections.result.shortage import (
    MAX_SEEDS,
    MORE_GROUPS_ADVICE,
    MORE_OF_BOTH_ADVICE,
    compute_margins,
)
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_change, format_count, format_interval, format_number, join_items
from thalweg.stats.intervals import VarianceSource, compare_with_zero
from thalweg.stats.samples import count_seeds_needed


def report_references(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Compare the winner with each simple answer on the same examples."""
    winner, simple = result.winner, rank_references(tables)
    differences = {comparison.name: comparison.difference for comparison in tables.summary.answers}
    simple = simple[simple["answer"].isin([*differences])] if len(simple) else simple
    if simple.empty:
        return []
    trials = () if tables.winner is None else (tables.winner,)
    evidence = (
        f"On the {result.split} set, {tables.objective_label} is "
        f"{format_interval(winner.mean, winner.low, winner.high)} for the winner. "
        f"{_describe_answers(tables, simple, differences)}"
    )
    sides = {name: compare_with_zero(estimate.interval, tables.sign) for name, estimate in differences.items()}
    close = [str(name) for name in simple["answer"] if sides[name] != "worse"]
    best = close[0] if close else str(simple["answer"].iloc[0])
    value = float(simple.set_index("answer")[tables.objective][best])
    measured = measure({"difference": differences[best].interval}, winner=winner.mean, answer=value)
    if not close:
        every = "every simple answer" if len(simple) > 1 else "the simple answer"
        if result.split == "validation":
            return [
                Finding(f"The winner leads {every} on the examples that chose it.", evidence, trials=trials, **measured)
            ]
        if result.has_one_group:
            return [
                Finding(f"The winner beats {every} on this one group of examples.", evidence, trials=trials, **measured)
            ]
        return [Finding(f"The winner beats {every}.", evidence, trials=trials, tone="good", **measured)]
    values = f"{format_number(winner.mean)} against {format_number(value)}"
    verdict = f"The winner is not clearly better than {join_items(close)}."
    if sides[best] == "better":
        verdict = f"The winner is clearly worse than {best}: {values}."
    elif tables.sign * differences[best].mean <= 0:
        verdict = f"The winner is no better than {best}: {values}."
    step = _advise_on_doubt(tables, result, differences[best], best)
    return [Finding(verdict, evidence, step, trials, "caution", **measured)]


def report_weak_baseline(tables: StudyTables, result: ConfirmedResult, is_beaten: bool) -> list[Finding]:
    """Report a baseline that is no better than the trivial answer: beating it proves little.

    `is_beaten`: the winner clearly beats every simple answer.
    """
    if tables.references.empty or tables.objective not in tables.references or tables.is_winner_baseline:
        return []
    answer, value = str(tables.references["answer"].iloc[0]), float(tables.references[tables.objective].iloc[0])
    baseline, label = result.baseline, tables.objective_label
    if not tables.sign * (baseline.mean - value) >= 0:
        return []
    is_clear = tables.sign * ((baseline.low if tables.sign > 0 else baseline.high) - value) > 0
    evidence = (
        f"On the {result.split} set, {label} is {format_interval(baseline.mean, baseline.low, baseline.high)} for the "
        f"baseline and {format_number(value)} for {answer}, which needs no network. Compare the winner with {answer}."
    )
    measured = measure({"baseline": baseline}, answer=value)
    if is_beaten:
        return [Finding(f"The winner beats {answer}, which the baseline does not.", evidence, **measured)]
    verdict = f"The baseline is {'worse' if is_clear else 'no better'} than {answer}: to beat it is no success."
    return [Finding(verdict, evidence, tone="caution", **measured)]


def _describe_answers(tables: StudyTables, simple: pd.DataFrame, differences: Mapping[str, Estimate]) -> str:
    """List the simple answers, the best first, with their differences from the winner."""
    listed = []
    for name, value in zip(simple["answer"], simple[tables.objective], strict=True):
        apart = differences[name]
        low, high = sorted((tables.sign * apart.low, tables.sign * apart.high))
        change = format_change(tables.sign * apart.mean, low, high)
        listed.append(f"{name} has {tables.objective_label} {format_number(value)}, {change} than the winner")
    return f"Simple answers need no network: {'; '.join(listed)}."


def _advise_on_doubt(tables: StudyTables, result: ConfirmedResult, difference: Estimate, answer: str) -> str:
    """Advise on a winner that may be no better than a simple answer: on learning, else on seeds or groups."""
    learning, lead = measure_winner_learning(tables), tables.sign * difference.mean
    if result.is_lost("winner"):
        return search_space.advise_lost_seeds("the winner")
    if learning is None or not learning.is_learning:
        return "Check whether the winner learns at all (Health), and whether the images show what is asked (Errors)."
    if lead <= 0:
        return (
            "The winner learns (Health): check whether it overfits, and whether the images show what is asked (Errors)."
        )
    seeds, count = difference.seeds, difference.groups or 1
    variance = read_group_variance(difference) or VarianceSource(0.0, 1)
    by_seed = difference_by_seed(tables.runs, f"{result.split}_{tables.objective}", "winner", None)
    margins = compute_margins(by_seed, variance)
    if lead <= min(margins):
        return f"The winner learns (Health), but {margins.describe(seeds, count, result.split)}. {MORE_OF_BOTH_ADVICE}"
    groups = format_count(count, "group")
    if lead <= margins.groups:
        return (
            f"The winner learns (Health), but with any number of seeds the {groups} of the {result.split} set leave "
            f"±{format_number(margins.groups, 2)} uncertain. {MORE_GROUPS_ADVICE}"
        )
    spread = float(by_seed.std(ddof=1))
    if count_seeds_needed(lead, spread, variance, max_seeds=MAX_SEEDS) is None:
        return (
            f"The winner learns (Health), but more seeds alone will hardly settle this: the {groups} of the "
            f"{result.split} set limit the comparison. {MORE_GROUPS_ADVICE}"
        )
    return (
        f"Confirm on more seeds (`confirm.seeds`): the winner learns (Health), but with {seeds} seeds it may still be "
        f"no better than {answer}."
    )


def rank_references(tables: StudyTables) -> pd.DataFrame:
    """Return the simple answers, the best by the objective first."""
    if tables.references.empty or tables.objective not in tables.references:
        return pd.DataFrame()
    return tables.references.sort_values(tables.objective, ascending=tables.sign > 0, kind="stable")
