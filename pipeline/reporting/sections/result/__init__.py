"""Does the winner beat the baseline beyond its noise?"""

import pandas as pd

from thalweg.reporting.analysis.confirmed import (
    ConfirmedResult,
    build_confirmed_result,
    describe_choice,
    metric_interval,
)
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import EmptyFigure, Figure, Table
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.sections.result import doubts, references, selection_bias
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_interval, format_number, join_items, metric_label
from thalweg.stats.intervals import Interval, compare_with_zero, t_interval

TITLE = "Result"
ORDER = 10


def build_findings(tables: StudyTables) -> list[Finding]:
    known = build_confirmed_result(tables)
    if known is None:
        return [Finding("Nothing is confirmed yet.", "No candidate was trained again on fresh seeds.", tone="caution")]
    diverged = doubts.report_diverged_seeds(tables, known)
    if lost := doubts.report_missing_winner(tables, known):
        return [*lost, *diverged]
    bad = known.diverged_seeds
    simple = [] if "winner" in bad else references.report_references(tables, known)
    # that nothing was learned comes before who learned most
    unbeaten = [one for one in simple if one.tone == "caution"]
    told = [*unbeaten, *diverged]
    if not {"winner", "baseline"} & bad.keys():
        first = (
            _report_baseline_winner(tables, known) if tables.is_winner_baseline else _report_comparison(tables, known)
        )
        told = [*doubts.report_failed_seeds(tables, known), *unbeaten, first, *diverged]
    beaten = [one for one in simple if one not in unbeaten]
    luck = (
        []
        if "winner" in bad
        else [*selection_bias.report_selection_bias(tables, known), *selection_bias.report_optimism(tables, known)]
    )
    return [
        *told,
        *doubts.report_broken_constraints(tables, known),
        *beaten,
        *luck,
        *_report_runners_up(tables, known),
        *_report_refit(tables),
    ]


def _report_baseline_winner(tables: StudyTables, known: ConfirmedResult) -> Finding:
    """The winner has the file's own values: there is nothing to compare it with but the runners-up."""
    evidence = (
        f"{describe_choice(tables, known)} It has the file's own values. On {known.split} they reach "
        f"{metric_label(tables.objective)} {format_interval(known.baseline.mean, known.baseline.low, known.baseline.high)}."
    )
    step = "Keep the file's own values."
    behind = () if tables.winner is None else (tables.winner,)
    return Finding("The search found nothing better than the baseline itself.", evidence, step, behind, "caution")


def _report_refit(tables: StudyTables) -> list[Finding]:
    if tables.setting("confirm.refit") != "all":
        return []
    evidence = (
        "`confirm.refit: all` trained it once more on every labelled example, the test part too. The figures here are "
        "of networks that had not seen the test part."
    )
    step = "Judge `thalweg predict` by images that are in none of the parts."
    return [Finding("The final model has learned from the test part.", evidence, step)]


def _report_comparison(tables: StudyTables, known: ConfirmedResult) -> Finding:
    winner, baseline, difference, decides = known.winner, known.baseline, known.difference, known.decisive
    behind = () if tables.winner is None else (tables.winner,)
    apart = difference_by_seed(tables.runs, f"{known.split}_{tables.objective}", "winner")
    better = int((apart * tables.sign < 0).sum())
    evidence = (
        f"{describe_choice(tables, known)} On {known.split}, {metric_label(tables.objective)} is "
        f"{format_interval(winner.mean, winner.low, winner.high)} for the winner and "
        f"{format_interval(baseline.mean, baseline.low, baseline.high)} for the baseline: a difference of "
        f"{format_interval(difference.mean, difference.low, difference.high, signed=True)}, from "
        f"{format_count(difference.n, 'fresh seed')} each; better in {better} of {format_count(len(apart), 'pair')}."
    )
    if known.changes_verdict:
        evidence += (
            f" Without what choosing among {known.contender_count} on these seeds flatters it is "
            f"{format_interval(decides.mean, decides.low, decides.high, signed=True)}, which decides."
        )
    if known.split == "validation":
        evidence += " There is no test part: the winner was chosen on these very examples, so its value flatters it."
    if known.has_one_group:
        evidence += f" The {known.split} part is one group: the interval is for other seeds, not for other examples."
    if difference.n < 2:
        step = "Confirm on more seeds (`confirm.seeds`): a single one says nothing about noise."
        return Finding("One seed cannot tell the winner from the baseline.", evidence, step, behind, "caution")
    where = " on this one group, for other seeds" if known.has_one_group else ""
    used = "`thalweg predict` uses the winner all the same."
    match compare_with_zero(decides, tables.sign):
        case "better":
            step = "Make the winner the next baseline: artifacts/confirm/winner.yaml is params.yaml with its values."
            if where:
                step = f"Look whether the winner is better on examples of other groups, too. {step}"
                return Finding(f"The winner is better than the baseline{where}.", evidence, step, behind, "caution")
            return Finding("The winner beats the baseline beyond its noise.", evidence, step, behind, "good")
        case "worse":
            step = "Keep the baseline. Look whether the study's validation part is too small to choose by. "
            verdict = f"The baseline beats the winner{where or ' on fresh seeds, beyond noise'}."
            return Finding(verdict, evidence, step + used, behind, "caution")
        case _:
            step, open_still = "Keep the baseline. ", doubts.describe_seeds_needed(tables, known)
            if tables.sign * decides.mean < 0 and doubts.MORE_GROUPS_ADVICE not in open_still:
                step = "Keep the baseline, or confirm on more seeds (`confirm.seeds`) if so small a gain matters. "
            step += f"{open_still} " if open_still else ""
            verdict = "The winner cannot be told from the baseline."
            if tables.sign * difference.mean > 0:
                verdict = "The baseline leads the winner on fresh seeds, within noise."
            return Finding(verdict, evidence, step + used, behind, "caution")


def _report_runners_up(tables: StudyTables, known: ConfirmedResult) -> list[Finding]:
    column, bad = f"{known.split}_{tables.objective}", known.diverged_seeds
    names = [name for name in known.candidates if name.startswith("runner-up") and not {name, "winner"} & bad.keys()]
    rivals = {name: t_interval(difference_by_seed(tables.runs, column, name, "winner")) for name in names}
    apart = {name: each for name, each in rivals.items() if each}
    if not apart:
        return []
    evidence = f"Difference from the winner on {known.split}, seed by seed: " + "; ".join(
        f"{name} {format_interval(each.mean, each.low, each.high, signed=True)}" for name, each in apart.items()
    )
    close = [name for name, each in apart.items() if compare_with_zero(each, tables.sign) != "worse"]
    trials = tuple(int(t) for t in tables.runs.loc[tables.runs["candidate"].isin(close), "trial"].dropna().unique())
    if not close:
        return [Finding("The winner beats its runners-up beyond the noise of seeds.", f"{evidence}.", tone="good")]
    verb = "is" if len(close) == 1 else "are"
    return [
        Finding(
            f"{join_items(close).capitalize()} {verb} not worse than the winner, as far as the seeds can tell.",
            f"{evidence}.",
            f"Choose between the winner and {join_items(close)} by cost or simplicity.",
            trials,
        )
    ]


def build_figures(tables: StudyTables) -> list[Figure]:
    known, column = build_confirmed_result(tables), f"{tables.split}_{tables.objective}"
    if known is None or column not in tables.runs:
        return [EmptyFigure("candidates", "Candidates", "There are no confirmed runs to draw.")]
    short, wide = metric_label(tables.objective), {"winner": known.winner, "baseline": known.baseline}
    levels, apart = [], []
    for name in known.candidates:
        values = difference_by_seed(tables.runs, column, name, None)
        levels.append(
            _build_strip_row(tables, name, values, metric_interval(tables, tables.objective, values), wide.get(name))
        )
        if name != "baseline":
            values = difference_by_seed(tables.runs, column, name)
            apart.append(
                _build_strip_row(
                    tables, name, values, t_interval(values), known.difference if name == "winner" else None
                )
            )
    way = "Lower" if tables.sign > 0 else "Higher"
    caption = "Small dots: fresh seeds. Large dot: their mean, on its 95 % intervals: over seeds alone and, where "
    caption += f"known, over seeds and groups of examples at once. {way} is better."
    figures: list[Figure] = [
        build_strip_chart("candidates", f"{short.capitalize()} on {known.split}", caption, short, levels)
    ]
    if any(len(row.values) for row in apart):
        caption = "Candidate minus baseline for the same seed. The line is the baseline: "
        caption += f"{'left' if tables.sign > 0 else 'right'} of it is better."
        title = "Difference from the baseline, seed by seed"
        figures.append(
            build_strip_chart("differences", title, caption, f"difference in {short}", apart, has_zero_line=True)
        )
    return [*figures, _build_metrics_table(tables, known)]


def _build_strip_row(
    tables: StudyTables, name: str, values: pd.Series, mean: Interval | None, wide: Interval | None
) -> StripRow:
    """A candidate's row."""
    trial = tables.runs.loc[tables.runs["candidate"] == name, "trial"].dropna()
    role = name if name in ("winner", "baseline") else "runner-up"
    own = int(trial.iloc[0]) if len(trial) else None
    return StripRow(name, "" if own is None else f"trial {own}", role, values, mean, wide, trial=own)


def _build_metrics_table(tables: StudyTables, known: ConfirmedResult) -> Table:
    rows = []
    for name in known.candidates:
        runs = tables.runs[tables.runs["candidate"] == name]
        row: dict[str, object] = {"candidate": name, "trial": next(iter(runs["trial"].dropna()), None)}
        for metric in tables.metrics:
            if (column := f"{known.split}_{metric}") in runs:
                mean = metric_interval(tables, metric, runs[column])
                row[metric_label(metric)] = (
                    format_interval(mean.mean, mean.low, mean.high) if mean else format_number(runs[column].mean())
                )
        rows.append(row)
    simple = references.rank_references(tables)
    for _, answer in simple.iterrows():
        told = {metric_label(metric): format_number(answer.get(metric)) for metric in tables.metrics}
        rows.append({"candidate": answer["answer"], "trial": None, **told})
    caption = f"Mean on {known.split} with its 95 % interval over seeds alone."
    caption += "" if simple.empty else " Last: answers that need no network."
    table = pd.DataFrame(rows).astype({"trial": "Int64"})
    return Table("metrics", "Every metric", caption, table)
