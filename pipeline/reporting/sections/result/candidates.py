"""The candidates on fresh seeds: their values, their differences from the baseline, and every metric."""

from collections.abc import Mapping

import pandas as pd

from thalweg.reporting.analysis.candidate_values import name_values
from thalweg.reporting.analysis.confirmed import ConfirmedResult, build_confirmed_result, metric_interval
from thalweg.reporting.analysis.groups import name_units
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.page.figures import Chart, Table
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.sections.result import references
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_interval, format_number, join_items
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import t_interval

MAX_LABEL_LENGTH = 20
"""Characters of a row's second line: what fits into the label's 130 pixels."""


def has_runs(tables: StudyTables) -> bool:
    """Return whether candidates were retrained, and have values of the objective on the set that compares them."""
    return f"{tables.split}_{tables.objective}" in tables.runs


def build_candidates_chart(tables: StudyTables) -> Chart | None:
    """Draw the objective of each candidate by seed; None if none was retrained."""
    result = build_confirmed_result(tables)
    if result is None or not has_runs(tables):
        return None
    wide_intervals = {"winner": result.winner, "baseline": result.baseline}
    wide_intervals |= {other.name: other.value.interval for other in tables.summary.others}
    label, rows = tables.objective_label, []
    for name in result.candidates:
        values = difference_by_seed(tables.runs, f"{tables.split}_{tables.objective}", name, None)
        mean = metric_interval(tables, tables.objective, values)
        rows.append(_build_strip_row(tables, name, values, mean, wide_intervals.get(name)))
    caption = "Small dots: seeds. Large dots: their means. Bars: 95 % intervals."
    if not result.has_one_group:
        caption += f" Thin bars: the same over seeds and {name_units(tables.predictions)}"
        caption += f"{_name_unknown(result, wide_intervals)}."
    title = f"Candidates on {format_count(result.difference.n, 'fresh seed')}"
    return build_strip_chart("candidates", title, caption, label, rows)


def build_differences_chart(tables: StudyTables, result: ConfirmedResult) -> Chart | None:
    """Draw each candidate minus the baseline on the same seed; None if there is nothing to compare."""
    wide_intervals = {"winner": result.difference}
    wide_intervals |= {other.name: other.difference.interval for other in tables.summary.others}
    rows = []
    for name in result.candidates:
        if name != "baseline":
            values = difference_by_seed(tables.runs, f"{tables.split}_{tables.objective}", name)
            rows.append(_build_strip_row(tables, name, values, t_interval(values), wide_intervals.get(name)))
    if not any(len(row.values) for row in rows):
        return None
    side = "left" if tables.sign > 0 else "right"
    units = name_units(tables.predictions)
    scope = f"other seeds and other {units}" if not result.has_one_group else "other seeds"
    caption = (
        f"Candidate minus baseline on the same seed. The upright line is the baseline: {side} of it is better. "
        f"From {format_count(result.difference.n, 'fresh seed')}; the intervals show what {scope} would change"
        f"{'' if result.has_one_group else _name_unknown(result, wide_intervals)}."
    )
    title, axis = "Difference from the baseline, seed by seed", f"difference in {tables.objective_label}"
    return build_strip_chart("differences", title, caption, axis, rows, has_zero_line=True)


def _name_unknown(result: ConfirmedResult, wide_intervals: Mapping[str, Interval]) -> str:
    """Name, after a comma, the candidates whose interval is over seeds alone; '' if there is none."""
    unknown = [name for name in result.candidates if name not in {"baseline", *wide_intervals}]
    return f", but for {join_items(unknown)} over seeds alone" if unknown else ""


def _build_strip_row(
    tables: StudyTables, name: str, values: pd.Series, mean: Interval | None, wide_interval: Interval | None
) -> StripRow:
    trials = tables.runs.loc[tables.runs["candidate"] == name, "trial"].dropna()
    trial = int(trials.iloc[0]) if len(trials) else None
    role = name if name in ("winner", "baseline") else "runner-up"
    second_line = name_values(tables, trial, MAX_LABEL_LENGTH)
    if not second_line or len(second_line) > MAX_LABEL_LENGTH:
        second_line = "" if trial is None else f"trial {trial}"
    # over both it may end within that of seeds alone, which has fewer degrees of freedom
    wide_interval = wide_interval.span_both(mean) if wide_interval and mean else wide_interval
    return StripRow(name, second_line, role, values, mean, wide_interval, trial=trial)


def build_metrics_table(tables: StudyTables, result: ConfirmedResult) -> Table:
    """List every metric of each candidate and of the simple answers."""
    rows = []
    for name in result.candidates:
        runs = tables.runs[tables.runs["candidate"] == name]
        row: dict[str, object] = {"candidate": name, "trial": next(iter(runs["trial"].dropna()), None)}
        for metric in tables.metrics:
            if (column := f"{result.split}_{metric}") in runs:
                mean = metric_interval(tables, metric, runs[column])
                row[tables.label_metric(metric)] = (
                    format_interval(mean.mean, mean.low, mean.high) if mean else format_number(runs[column].mean())
                )
        rows.append(row)
    simple = references.rank_references(tables)
    for _, answer in simple.iterrows():
        values = {tables.label_metric(metric): format_number(answer.get(metric)) for metric in tables.metrics}
        rows.append({"candidate": answer["answer"], "trial": None, **values})
    caption = f"Mean on the {result.split} set, with its 95 % interval over seeds alone."
    if not result.has_one_group:
        caption += f" The first screen has intervals over seeds and {name_units(tables.predictions)}"
        is_chosen = result.corrected is not None and result.contender_count > 1
        caption += "; the winner's is also corrected for its choice." if is_chosen else "."
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
