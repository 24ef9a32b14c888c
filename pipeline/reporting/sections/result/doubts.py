"""Doubts about the winner: none exists, a training diverged or failed, a limit is broken, seeds are too few."""

from thalweg.reporting.advice import search_space
from thalweg.reporting.analysis.confirmed import ConfirmedResult
from thalweg.reporting.analysis.seed_noise import MIN_FAILURE_SEEDS, difference_by_seed
from thalweg.reporting.finding import Finding, Step, measure
from thalweg.reporting.sentences import add_article
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_count,
    format_fixed,
    format_interval,
    format_number,
    format_percent,
    join_items,
)
from thalweg.stats.intervals import t_interval

COMPARED_CANDIDATES = ("winner", "baseline")


def report_missing_winner(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report that no trial could be confirmed, so that the baseline stands in for a winner."""
    if tables.runs.empty or tables.has_winner:
        return []
    baseline = format_interval(result.baseline.mean, result.baseline.low, result.baseline.high)
    evidence = (
        f"Only the baseline was trained on fresh seeds. On the {result.split} set, its "
        f"{tables.objective_label} is {baseline}. `thalweg predict` uses the baseline."
    )
    if 0 < tables.count_trials("diverged") == len(tables.trials):
        verdict, step = "Every trial of the study diverged", search_space.advise_all_diverged(tables)
    else:
        verdict = "The study has no complete trial"
        step = Step(
            "See Trials for how each trial ended: limits, early stopping or the search space may be too strict."
        )
    return [
        Finding(
            f"{verdict}: there was no winner to confirm.",
            evidence,
            step,
            tone="caution",
            **measure({"baseline": result.baseline}),
        )
    ]


def report_diverged_seeds(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report each candidate that diverged on some fresh seed: winner, runners-up, baseline."""
    findings = []
    for name, seeds in result.diverged_seeds.items():
        if name not in result.candidates:  # a runner-up that is the baseline
            continue
        first = tables.runs.loc[tables.runs["candidate"] == name, "diverged_step"].min()
        evidence = (
            f"It diverged on {'seed' if len(seeds) == 1 else 'seeds'} {join_items(seeds, len(seeds))}, at step "
            f"{format_number(int(first))} at the earliest. A diverged network is scored by what it had learned before, "
            "which may be nothing. The means here include it, so they show how often training fails as much as how "
            "good the candidate is."
        )
        findings.append(_report_lost_seeds(tables, result, name, seeds, "diverged", evidence))
    return findings


def report_failed_seeds(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report that the winner, or the baseline, was far worse on some seeds than on its others."""
    findings = []
    for name, seeds in result.failed_seeds.items():
        if name in COMPARED_CANDIDATES:
            values = difference_by_seed(tables.runs, f"validation_{tables.objective}", name, None)
            failed = join_items([format_number(values[seed]) for seed in seeds])
            evidence = (
                f"On the validation set, {tables.objective_label} is {failed} there and "
                f"{format_number(values.median())} on the median seed. The means here include both, so they show how "
                "often training fails as much as how good the candidate is."
            )
            findings.append(_report_lost_seeds(tables, result, name, seeds, "failed", evidence))
    return findings


def _report_lost_seeds(
    tables: StudyTables, result: ConfirmedResult, name: str, seeds: list[int], fate: str, evidence: str
) -> Finding:
    runs = tables.runs[tables.runs["candidate"] == name]
    verdict = f"{add_article(name).capitalize()} {fate} on {len(seeds)} of {format_count(len(runs), 'fresh seed')}."
    evidence += _describe_sound_seeds(tables, result) if name in COMPARED_CANDIDATES else ""
    trials = tuple(int(trial) for trial in runs["trial"].dropna().unique())
    numbers = {"lost_seeds": len(seeds), "seeds": len(runs)}
    step = search_space.advise_lost_seeds(add_article(name))
    return Finding(verdict, evidence, step, trials, "caution", numbers=numbers)


def _describe_sound_seeds(tables: StudyTables, result: ConfirmedResult) -> str:
    """Compare winner and baseline on the seeds on which neither was lost, as a sentence; '' if not known."""
    losses = (result.diverged_seeds, result.failed_seeds)
    lost_seeds = {seed for seeds in losses for name in COMPARED_CANDIDATES for seed in seeds.get(name, [])}
    by_seed = difference_by_seed(tables.runs, f"{result.split}_{tables.objective}", "winner")
    difference = t_interval(by_seed[~by_seed.index.isin(lost_seeds)])
    if difference is None or tables.is_winner_baseline:
        return ""
    gap = format_interval(difference.mean, difference.low, difference.high, signed=True)
    return (
        f" On the {difference.n} seeds where both trained normally, the winner's {tables.objective_label} on "
        f"the {result.split} set differs from the baseline's by {gap}, over seeds alone. This decides nothing, because "
        "it leaves the failures out."
    )


def report_broken_constraints(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report each limit of `study.constraints` that the winner breaks: its mean over fresh seeds, in validation."""
    runs = tables.runs[tables.runs["candidate"] == "winner"] if "winner" in result.candidates else tables.runs.iloc[:0]
    findings = []
    for metric, limit in (tables.setting("study.constraints") or {}).items():
        mean = runs[f"validation_{metric}"].mean() if f"validation_{metric}" in runs else float("nan")
        for end, side, direction in (("low", "least", -1), ("high", "most", 1)):
            bound = limit.get(end)
            if bound is not None and direction * (mean - bound) > 0:
                verdict = f"On fresh seeds the winner breaks the limit on {tables.label_metric(metric)}."
                evidence = (
                    f"Its mean on the validation set over {format_count(len(runs), 'fresh seed')} is "
                    f"{_format_distinctly(mean, bound)}; `study.constraints` asks for at {side} "
                    f"{format_number(bound, 6)}."
                )
                step = (
                    f"Search with a stricter limit on {tables.label_metric(metric)}, so that other seeds keep it, too. "
                    "`thalweg predict` still uses the winner."
                )
                trials = tuple(int(trial) for trial in runs["trial"].dropna().unique())
                numbers = {metric: mean, "limit": bound, "seeds": len(runs)}
                findings.append(Finding(verdict, evidence, step, trials, "caution", numbers=numbers))
    return findings


def _format_distinctly(value: float, bound: float) -> str:
    """Format a value with the decimals that show it to differ from a bound."""
    for digits in range(3, 9):
        if float(f"{value:.{digits}g}") != float(f"{bound:.{digits}g}"):
            return format_number(value, digits)
    return format_fixed(value, 8)


def describe_unseen_failures(tables: StudyTables, result: ConfirmedResult) -> str:
    """Say how often the winner may fail, if it failed on no seed; '' if it did.

    With a failure rate of 1 - 0.05^(1/n), none of n seeds fails in 5 % of studies (Clopper and Pearson 1934).
    """
    seeds = int((tables.runs["candidate"] == "winner").sum())
    if not seeds or result.is_lost("winner"):
        return ""
    fate = "failed" if seeds >= MIN_FAILURE_SEEDS else "diverged"  # fewer seeds cannot show another failure
    owner = "the winner's " if result.is_lost("baseline") else ""
    rate = format_percent(1 - 0.05 ** (1 / seeds), whole=True)
    missed = f"So few seeds may miss a failure that strikes up to {rate} of all seeds."
    sound = "The intervals are for seeds that do not fail."
    return f"Not one of {owner}{format_count(seeds, 'seed')} {fate}. {missed} {sound}"
