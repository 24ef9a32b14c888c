"""Which trials were best, and what became of all of them."""

import math

import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis.good_region import select_near_best
from thalweg.reporting.analysis.seed_noise import describe_noise, estimate_seed_noise
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import EmptyFigure, Figure, Table, TrialTable
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_share, metric_label

TITLE = "Trials"
ORDER = 20
MAX_MARKDOWN_ROWS = 20
"""So many of the best in Markdown."""
MAX_PAGE_ROWS = 2000
"""So many of all in the page."""

STATE_LABELS = {
    "complete": "complete",
    "pruned": "stopped early",
    "infeasible": "beyond a limit",
    "diverged": "diverged",
}
"""A trial's state as a person reads it, in the order of the table."""


def build_findings(tables: StudyTables) -> list[Finding]:
    total = len(tables.trials)
    if not total:
        return [Finding("No trial was run.", "The study's table is empty.", tone="caution")]
    complete, pruned, diverged, infeasible = (
        tables.count(state) for state in ("complete", "pruned", "diverged", "infeasible")
    )
    ended = f"{complete:,} complete, {pruned:,} stopped early, {diverged:,} diverged"
    ended += f", {infeasible:,} beyond a limit" if infeasible else ""
    told = tables.summary.study.trials
    if complete + pruned + diverged + infeasible != total or told != total:
        evidence = f"The table has {format_count(total, 'row')}, the study counts {told:,}; by state: {ended}."
        return [Finding("The trials do not add up.", evidence, "Run the study's stage again.", tone="caution")]
    verdict = (
        f"All {format_count(total, 'trial')} are accounted for: {ended}."
        if total > 1
        else f"One trial was run: {ended}."
    )
    evidence = "Each of those that completed was trained to its end."
    if pruned:
        evidence = "A trial stopped early is ranked nowhere: its value is of fewer epochs than the others'."
    return [*_report_ties(tables), Finding(verdict, evidence)]


def _report_ties(tables: StudyTables) -> list[Finding]:
    """Which trials cannot be told from the best."""
    close, noise, ranked = select_near_best(tables)["number"].tolist(), estimate_seed_noise(tables), tables.ranked
    if noise is None or len(ranked) < 2:
        return []
    evidence = (
        f"{describe_noise(noise, metric_label(tables.objective))}, so two trials closer than {format_number(noise.least_significant_difference, 2)} are not told "
        f"apart. Within that of the best lie {format_share(len(close), len(ranked))} of the complete trials."
    )
    if len(close) == 1:
        return [Finding(f"Trial {close[0]} stands alone at the top.", evidence, trials=(close[0],), tone="good")]
    verdict = f"{len(close):,} trials share the top within noise: their order is a tie."
    return [Finding(verdict, evidence, more_seeds.advise_study_seeds(tables), tuple(close))]


def build_trial_rows(tables: StudyTables) -> pd.DataFrame:
    """All trials as a person reads them: the complete ones, best first, with their rank; then the others by state."""
    called, ranks = name_trial_roles(tables), {trial: place for place, trial in enumerate(tables.ranked["number"], 1)}
    trials = tables.trials.assign(
        rank=tables.trials["number"].map(ranks).astype("Int64"),
        place=tables.trials["state"].map({state: place for place, state in enumerate(STATE_LABELS)}),
    ).sort_values(["rank", "place", "number"], na_position="last", kind="stable")
    table = pd.DataFrame(
        {
            "trial": trials["number"],
            "role": [called.get(int(one), "") for one in trials["number"]],
            "rank": trials["rank"],
            "state": trials["state"].map(STATE_LABELS).fillna(trials["state"]),
            tables.objective: trials["value"],
            "epochs": trials["epochs"],
        }
    )
    for parameter in tables.parameters:
        table[parameter.name] = trials[parameter.name]
    for column, shown in (("diverged_step", "diverged at step"), ("audit", "trained on to")):
        if column in trials and trials[column].notna().any():
            table[shown] = trials[column]
    return table.reset_index(drop=True)


def name_trial_roles(tables: StudyTables) -> dict[int, str]:
    """What a trial is called elsewhere in the report, by its number: winner, runner-up, baseline."""
    found: dict[int, str] = {}
    if len(tables.runs):
        known = tables.runs.dropna(subset="trial")
        found = dict(zip(known["trial"].astype(int), known["candidate"], strict=True))
    if tables.winner is not None:
        found[tables.winner] = "winner"
    if (own := tables.baseline_trial) is not None:
        found[own] = f"{found[own]}, baseline" if own in found else "baseline"
    return found


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty:
        return [EmptyFigure("trials", "All trials", "No trial was run.")]
    table, close = build_trial_rows(tables), select_near_best(tables)["number"]
    marked = table["trial"].isin(close) & (len(close) > 1)
    tie = " Those with a dot cannot be told from the best." if marked.any() else ""
    caption = "The complete ones first, best first; the value of a trial that was stopped is of fewer epochs."
    if "trained on to" in table:
        caption += " Some of those trained on to the end, to see what stopping costs: the last column is their value."
    caption += tie
    if len(table) > MAX_PAGE_ROWS:
        caption += f" The first {MAX_PAGE_ROWS:,} of {len(table):,}; all of them are in trials.csv."
    middle = tables.trials["value"].median()
    example = f"{tables.objective}<{1 if math.isnan(middle) else middle:.2g}"
    hint = f"Every word typed must stand in the row; `{example}` compares a column."
    dots = tuple(table.index[marked])
    paper = _build_best_figure(tables, table[table["rank"].notna()], tie, dots)
    return [TrialTable("trials", "All trials", caption, table.head(MAX_PAGE_ROWS), hint, paper, dots)]


def _build_best_figure(
    tables: StudyTables, ranked: pd.DataFrame, tie: str, dots: tuple[int, ...]
) -> Table | EmptyFigure:
    """What Markdown has in the place of all trials."""
    if ranked.empty:
        return EmptyFigure("best", "Best trials", "No trial was completed, so there is nothing to rank.")
    caption = f"Complete trials, best first.{tie}"
    if len(ranked) > MAX_MARKDOWN_ROWS:
        caption += f" The first {MAX_MARKDOWN_ROWS} of {len(ranked):,}; all of them are in trials.csv."
    columns = ["rank", "trial", "role", tables.objective, *(one.name for one in tables.parameters), "epochs"]
    return Table("best", "Best trials", caption, ranked[columns].head(MAX_MARKDOWN_ROWS), marked_rows=dots)
