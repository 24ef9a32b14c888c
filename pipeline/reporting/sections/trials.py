"""The best trials, and how all of them ended."""

import math

import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis.good_region import select_near_best
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.trial_spread import compare_with_noise
from thalweg.reporting.finding import CONFIDENCE, Finding
from thalweg.reporting.page.figures import EmptyFigure, Figure, Table, TrialTable
from thalweg.reporting.sentences import STATE_LABELS, describe_noise, refer_to_fresh_seeds
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import capitalise_first, format_count, format_number, format_share

TITLE = "Trials"
ORDER = 36
MAX_MARKDOWN_ROWS = 20
MAX_PAGE_ROWS = 2000


def build_findings(tables: StudyTables) -> list[Finding]:
    total = len(tables.trials)
    if not total:
        return [Finding("No trial was run.", "The study's table is empty.", tone="caution")]
    counts = [tables.count_trials(state) for state in STATE_LABELS]
    expected = tables.summary.study.trials - tables.repeat_count
    if sum(counts) != total or expected != total:
        ended = ", ".join(f"{count:,} {label}" for count, label in zip(counts, STATE_LABELS.values(), strict=True))
        numbers = {"rows": total, "trials": expected}
        evidence = f"The table has {format_count(total, 'row')}, the study counts {expected:,}. By state: {ended}."
        return [
            Finding(
                "The trials do not add up.", evidence, "Run the study's stage again.", tone="caution", numbers=numbers
            )
        ]
    return [*_report_ties(tables), *_report_repeats(tables)]


def _report_repeats(tables: StudyTables) -> list[Finding]:
    """Report how many trials repeat a combination of values, and so do not count."""
    if not tables.repeat_count:
        return []
    combinations, seeds = format_count(len(tables.trials), "combination"), format_count(tables.seeds_per_trial, "seed")
    total = len(tables.trials) + tables.repeat_count
    verb = "repeats" if tables.repeat_count == 1 else "repeat"
    verdict = f"{format_share(tables.repeat_count, total, 'trial')} {verb} the values of an earlier one."
    evidence = f"The report counts {combinations}."
    evidence += f" Each was trained with {seeds} or more." if tables.seeds_per_trial > 1 else ""
    return [Finding(verdict, evidence, numbers={"repeats": tables.repeat_count, "trials": total})]


def _report_ties(tables: StudyTables) -> list[Finding]:
    """Report which trials tie with the best, unless the section Noise says that their order may be luck.

    The values are those of the search. Which trial is best on fresh seeds, the section Result says.
    """
    close, noise, ranked = select_near_best(tables)["number"].tolist(), estimate_seed_noise(tables), tables.ranked
    if noise is None or len(ranked) < 2:
        return []
    if compare_with_noise(tables) in ("below", "explained"):
        return []
    evidence = (
        f"{describe_noise(noise, tables.objective_label)} Two trials that are equally good differ by up to "
        f"{format_number(noise.least_significant_difference, 2)} (95 %)."
    )
    numbers = {"ties": len(close), "least_difference": noise.least_significant_difference}
    if len(close) == 1:
        verdict, evidence = (
            f"In the search, no other trial came within noise of trial {close[0]}.",
            f"{evidence}{refer_to_fresh_seeds(tables)}",
        )
        return [Finding(verdict, evidence, trials=(close[0],), numbers=numbers, confidence=CONFIDENCE)]
    others = format_share(len(close) - 1, len(ranked) - 1, "other complete trial")
    evidence += f" {capitalise_first(others)} {'is' if len(close) == 2 else 'are'} that close to the best."
    evidence += _describe_retrained(tables, close)
    evidence += refer_to_fresh_seeds(tables)
    step = more_seeds.advise_study_seeds(tables)
    verdict = f"In the search, {len(close):,} trials tie for the best within noise."
    return [Finding(verdict, evidence, step, tuple(close), numbers=numbers, confidence=CONFIDENCE)]


def _describe_retrained(tables: StudyTables, close: list[int]) -> str:
    """Say how many of the trials that tie were retrained on fresh seeds; '' if none was confirmed."""
    if tables.runs.empty:
        return ""
    count = int(pd.Series(close).isin(tables.runs["trial"]).sum())
    if count == len(close):
        return f" `confirm` retrained {'both' if count == 2 else f'all {count:,}'} of them."
    return f" `confirm` retrained {count:,} of these {len(close):,}; `confirm.runners_up` sets how many."


def build_trial_rows(tables: StudyTables) -> pd.DataFrame:
    """Return all trials in words: complete ones with their rank, best first, then the others by state."""
    roles, ranks = name_trial_roles(tables), {trial: rank for rank, trial in enumerate(tables.ranked["number"], 1)}
    trials = tables.trials.assign(
        rank=tables.trials["number"].map(ranks).astype("Int64"),
        state_rank=tables.trials["state"].map({state: rank for rank, state in enumerate(STATE_LABELS)}),
    ).sort_values(["rank", "state_rank", "number"], na_position="last", kind="stable")
    table = pd.DataFrame(
        {
            "trial": trials["number"],
            "role": [roles.get(int(number), "") for number in trials["number"]],
            "rank": trials["rank"],
            "state": trials["state"].map(STATE_LABELS).fillna(trials["state"]),
            tables.objective: trials["value"],
        }
    )
    if trials["epochs"].any():  # another program's trials may have reported nothing
        table["epochs"] = trials["epochs"]
    for parameter in tables.parameters:
        table[parameter.name] = trials[parameter.name]
    for column, heading in (("diverged_step", "diverged at step"), ("audit", "value at the end")):
        if column in trials and trials[column].notna().any():
            table[heading] = trials[column]
    return table.reset_index(drop=True)


def name_trial_roles(tables: StudyTables) -> dict[int, str]:
    """Return what the report calls a trial, by its number: winner, runner-up, baseline."""
    roles: dict[int, str] = {}
    if len(tables.runs):
        runs = tables.runs.dropna(subset="trial")
        roles = dict(zip(runs["trial"].astype(int), runs["candidate"], strict=True))
    if tables.winner is not None:
        roles[tables.winner] = "winner"
    if (baseline := tables.baseline_trial) is not None:
        roles[baseline] = f"{roles[baseline]}, baseline" if baseline in roles else "baseline"
    return roles


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty:
        return [EmptyFigure("trials", "All trials", "No trial was run.")]
    table, close = build_trial_rows(tables), select_near_best(tables)["number"]
    marked = table["trial"].isin(close) & (len(close) > 1)
    tie = " A dot marks a tie with the best within noise." if marked.any() else ""
    caption = "Complete trials first, best first."
    caption += " The value of a stopped trial comes from fewer epochs." if tables.count_trials("pruned") else ""
    if "value at the end" in table:
        caption += " Some stopped trials trained to the end for comparison: the last column has their values there."
    caption += tie
    if len(table) > MAX_PAGE_ROWS:
        caption += f" The first {MAX_PAGE_ROWS:,} of {len(table):,}; trials.csv has all."
    median = tables.trials["value"].median()
    example = f"{tables.objective}<{1 if math.isnan(median) else median:.2g}"
    hint = f"Shows rows that contain every word you type; `{example}` compares a column."
    dots = tuple(table.index[marked])
    markdown_figure = _build_best_figure(tables, table[table["rank"].notna()], tie, dots)
    return [TrialTable("trials", "All trials", caption, table.head(MAX_PAGE_ROWS), hint, markdown_figure, dots)]


def _build_best_figure(
    tables: StudyTables, ranked: pd.DataFrame, tie: str, dots: tuple[int, ...]
) -> Table | EmptyFigure:
    """Build the table of the best complete trials that Markdown has instead of all."""
    title = "Complete trials, best first"
    if ranked.empty:
        return EmptyFigure("best", title, "No trial completed: there is nothing to rank.")
    caption = tie.strip()
    if len(ranked) > MAX_MARKDOWN_ROWS:
        caption += f" The first {MAX_MARKDOWN_ROWS} of {len(ranked):,}; trials.csv has all."
    columns = [
        "rank",
        "trial",
        "role",
        tables.objective,
        *(parameter.name for parameter in tables.parameters),
        "epochs",
    ]
    columns = [name for name in columns if name in ranked]
    return Table("best", title, caption.strip(), ranked[columns].head(MAX_MARKDOWN_ROWS), marked_rows=dots)
