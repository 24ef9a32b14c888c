"""The comparison of the winner with the baseline, the runners-up and simple answers."""

import pandas as pd

from thalweg.reporting.analysis.confirmed import (
    ConfirmedResult,
    build_confirmed_result,
    metric_interval,
)
from thalweg.reporting.analysis.groups import name_units
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import EmptyFigure, Figure, Table
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.sections.result import doubts, references, runners_up, selection_bias, shortage
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_count,
    format_interval,
    format_number,
    metric_label,
)
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import compare_with_zero, t_interval

TITLE = "Result"
ORDER = 10
HOLD_OUT_ADVICE = (
    "Hold some examples out (`data.split.test`), and search again: only examples that chose nothing show whether the "
    "winner is better than the baseline."
)


def build_findings(tables: StudyTables) -> list[Finding]:
    result = build_confirmed_result(tables)
    if result is None:
        return [Finding("Nothing is confirmed yet.", "No candidate was retrained on fresh seeds.", tone="caution")]
    diverged = doubts.report_diverged_seeds(tables, result)
    if missing := doubts.report_missing_winner(tables, result):
        return [*missing, *diverged]
    diverged_seeds, constraints = result.diverged_seeds, doubts.report_broken_constraints(tables, result)
    if "winner" in diverged_seeds:
        return [*diverged, *constraints, *_report_refit(tables)]
    simple = references.report_references(tables, result)
    # a winner that learned nothing comes before who learned most
    unbeaten, beaten = ([finding for finding in simple if (finding.tone == "caution") is bad] for bad in (True, False))
    headline = [*unbeaten, *diverged]
    if "baseline" not in diverged_seeds:
        report = _report_baseline_winner if tables.is_winner_baseline else _report_comparison
        headline = [*doubts.report_failed_seeds(tables, result), *unbeaten, report(tables, result), *diverged]
    return [
        *headline,
        *constraints,
        *beaten,
        *selection_bias.report_selection_bias(tables, result),
        *selection_bias.report_optimism(tables, result),
        *runners_up.report_runners_up(tables, result),
        *_report_refit(tables),
    ]


def _report_baseline_winner(tables: StudyTables, result: ConfirmedResult) -> Finding:
    baseline = format_interval(result.baseline.mean, result.baseline.low, result.baseline.high)
    evidence = (
        f"{_describe_choice(tables, result)} It has the values of params.yaml, as the baseline has. "
        f"On the {result.split} set, {metric_label(tables.objective)} is {baseline}. "
        f"{doubts.describe_unseen_failures(tables, result)}"
    ).strip()
    verdict = "The search found nothing better than the baseline."
    return Finding(verdict, evidence, "Keep the values in params.yaml.", _list_winner(tables), "caution")


def _list_winner(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def _report_refit(tables: StudyTables) -> list[Finding]:
    if tables.setting("confirm.refit") != "all":
        return []
    refit, confirmed = (tables.setting(f"confirm.{name}") for name in ("refit_epochs", "epochs"))
    longer = "" if refit in (None, confirmed) else f", for {format_count(int(refit), 'epoch')}"
    evidence = (
        f"`confirm.refit: all` trained it once more on every labelled example{longer}, including the test set. The "
        "figures here are of networks that had not seen the test set."
    )
    step = "To judge `thalweg predict`, use images that are in none of the sets."
    return [Finding("The final model was also trained on the test set.", evidence, step)]


def _report_comparison(tables: StudyTables, result: ConfirmedResult) -> Finding:
    difference, decisive, trials = result.difference, result.decisive, _list_winner(tables)
    evidence = _describe_comparison(tables, result)
    still_used = "`thalweg predict` still uses the winner; docs/results.md says how to use the baseline."
    match compare_with_zero(decisive, tables.sign):
        case "better":
            if result.split == "validation":
                verdict = "The winner leads the baseline on the examples that chose it."
                return Finding(verdict, evidence, HOLD_OUT_ADVICE, trials, "caution")
            step = "Make the winner the next baseline: artifacts/confirm/winner.yaml is params.yaml with its values."
            if result.has_one_group:
                verdict = "The winner is better than the baseline on this one group of examples."
                step = f"Check whether the winner is better on other groups, too. {step}"
                return Finding(verdict, evidence, step, trials, "caution")
            return Finding("The winner is clearly better than the baseline.", evidence, step, trials, "good")
        case "worse":
            verdict = "The baseline is clearly better than the winner on fresh seeds."
            if result.has_one_group:
                verdict = "The baseline is better than the winner on this one group of examples."
            step = f"Keep the baseline. Check whether the validation set is too small to choose by. {still_used}"
            return Finding(verdict, evidence, step, trials, "caution")
    seeds_needed = shortage.describe_seeds_needed(tables, result)
    step = "Keep the baseline."
    if tables.sign * decisive.mean < 0 and shortage.MORE_GROUPS_ADVICE not in seeds_needed:
        step = "Keep the baseline, or confirm on more seeds (`confirm.seeds`) if so small a gain matters."
    step = " ".join(filter(None, [step, seeds_needed, still_used]))
    verdict = "No clear difference between the winner and the baseline."
    if tables.sign * difference.mean > 0:
        verdict = "The baseline is ahead of the winner on fresh seeds, within noise."
    return Finding(verdict, evidence, step, trials, "caution")


def _describe_comparison(tables: StudyTables, result: ConfirmedResult) -> str:
    winner, baseline, difference, decisive = result.winner, result.baseline, result.difference, result.decisive
    by_seed = difference_by_seed(tables.runs, f"{result.split}_{tables.objective}", "winner")
    better = int((by_seed * tables.sign < 0).sum())
    places = result.decimals
    parts = [
        _describe_choice(tables, result),
        f"On the {result.split} set, {metric_label(tables.objective)} is "
        f"{format_interval(winner.mean, winner.low, winner.high, min_places=places)} for the winner and "
        f"{format_interval(baseline.mean, baseline.low, baseline.high, min_places=places)} for the baseline.",
        f"The difference is "
        f"{format_interval(difference.mean, difference.low, difference.high, signed=True, min_places=places)}, from "
        f"{format_count(difference.n, 'fresh seed')} each; the winner is better on {better} of {len(by_seed):,}.",
    ]
    if result.changes_verdict:
        corrected = format_interval(decisive.mean, decisive.low, decisive.high, signed=True)
        effect = "Corrected for that"
        if tables.sign * (decisive.mean - difference.mean) <= 0:
            effect = "That did not flatter it, but makes its value less certain. With this"
        parts.append(
            f"The winner was chosen among {result.contender_count} on these seeds. {effect}, the difference is "
            f"{corrected}; the verdict follows this value."
        )
    if result.split == "validation":
        parts.append(
            "There is no test set: the winner was chosen on these same examples, so its value is optimistic. On other "
            "examples its lead may vanish."
        )
    if result.has_one_group:
        parts.append(
            f"The {result.split} set is a single group: the interval is for other seeds, not for other examples."
        )
    return " ".join(filter(None, [*parts, doubts.describe_unseen_failures(tables, result)]))


def _describe_choice(tables: StudyTables, result: ConfirmedResult) -> str:
    """Describe how the winner was chosen: from how many trials, by which metric, on how many seeds."""
    count = result.contender_count
    seeds = format_count(int((tables.runs["candidate"] == "winner").sum()), "fresh seed")
    if not tables.has_same_epochs:
        trial_epochs = "its own number" if tables.is_epochs_searched else tables.setting("training.epochs")
        seeds += f", for {tables.setting('confirm.epochs')} epochs instead of {trial_epochs}"
    measure = f"{metric_label(tables.objective)} on the validation set"
    total = format_count(len(tables.ranked), "complete trial")
    if count < 2:
        return f"Trial {tables.winner} has the best {measure} among {total}. It was retrained on {seeds}."
    return (
        f"The {count} best of {total} by {measure} were retrained on {seeds}. "
        f"Trial {tables.winner} is the best of them by the same measure on these seeds."
    )


def build_figures(tables: StudyTables) -> list[Figure]:
    result, column = build_confirmed_result(tables), f"{tables.split}_{tables.objective}"
    if result is None or column not in tables.runs:
        return [EmptyFigure("candidates", "Candidates", "There are no confirmed runs to draw.")]
    label, wide_intervals = metric_label(tables.objective), {"winner": result.winner, "baseline": result.baseline}
    levels, differences = [], []
    for name in result.candidates:
        values = difference_by_seed(tables.runs, column, name, None)
        mean = metric_interval(tables, tables.objective, values)
        levels.append(_build_strip_row(tables, name, values, mean, wide_intervals.get(name)))
        if name != "baseline":
            values = difference_by_seed(tables.runs, column, name)
            over_groups = result.difference if name == "winner" else None
            differences.append(_build_strip_row(tables, name, values, t_interval(values), over_groups))
    better, side = ("Lower", "left") if tables.sign > 0 else ("Higher", "right")
    caption = (
        "Small dots: fresh seeds. Large dot: their mean. Bars: its 95 % intervals, over seeds alone and, where known, "
    )
    caption += f"over seeds and {name_units(tables.predictions)} at once. {better} is better."
    figures: list[Figure] = [
        build_strip_chart("candidates", f"{label.capitalize()} on the {result.split} set", caption, label, levels)
    ]
    if any(len(row.values) for row in differences):
        caption = (
            f"Candidate minus baseline on the same seed. The upright line is the baseline: {side} of it is better."
        )
        title, axis = "Difference from the baseline, seed by seed", f"difference in {label}"
        figures.append(build_strip_chart("differences", title, caption, axis, differences, has_zero_line=True))
    return [*figures, _build_metrics_table(tables, result)]


def _build_strip_row(
    tables: StudyTables, name: str, values: pd.Series, mean: Interval | None, wide_interval: Interval | None
) -> StripRow:
    trials = tables.runs.loc[tables.runs["candidate"] == name, "trial"].dropna()
    trial = int(trials.iloc[0]) if len(trials) else None
    role = name if name in ("winner", "baseline") else "runner-up"
    return StripRow(name, "" if trial is None else f"trial {trial}", role, values, mean, wide_interval, trial=trial)


def _build_metrics_table(tables: StudyTables, result: ConfirmedResult) -> Table:
    rows = []
    for name in result.candidates:
        runs = tables.runs[tables.runs["candidate"] == name]
        row: dict[str, object] = {"candidate": name, "trial": next(iter(runs["trial"].dropna()), None)}
        for metric in tables.metrics:
            if (column := f"{result.split}_{metric}") in runs:
                mean = metric_interval(tables, metric, runs[column])
                row[metric_label(metric)] = (
                    format_interval(mean.mean, mean.low, mean.high) if mean else format_number(runs[column].mean())
                )
        rows.append(row)
    simple = references.rank_references(tables)
    for _, answer in simple.iterrows():
        values = {metric_label(metric): format_number(answer.get(metric)) for metric in tables.metrics}
        rows.append({"candidate": answer["answer"], "trial": None, **values})
    caption = f"Mean on the {result.split} set, with its 95 % interval over seeds alone."
    if tables.baseline_trial is not None:
        caption += f" The baseline was trained from params.yaml; trial {tables.baseline_trial} has the same values."
        hidden = sorted({*tables.runs["candidate"]} - {"winner", *result.candidates})
        caption += f" So has {hidden[0]}, which is not shown twice." if hidden else ""
    if tables.setting("task.kind") == "detect":
        right = "its class is right and " if tables.setting("task.classes", True) else ""
        caption += (
            f" At 0.5: a detection counts if {right}it overlaps the true box by 0.5 or more (shared / covered area). "
            "At 0.5 to 0.95: the mean over these overlaps. Bias and absolute errors are of the number of detections "
            "in an image."
        )
    caption += "" if simple.empty else " Last rows: simple answers that need no network."
    table = pd.DataFrame(rows).astype({"trial": "Int64"})
    return Table("metrics", "Every metric", caption, table)
