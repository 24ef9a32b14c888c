"""Which trials were best, and what became of all of them."""

import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis.good_region import close_to_best
from thalweg.reporting.analysis.seed_noise import seed_noise, spoken
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Figure, Listing, Register
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, many, number, share

TITLE = "Trials"
ORDER = 20
SHOWN = 20
"""So many of the best in Markdown."""
MOST = 2000
"""So many of all in the page."""

STATES = {"complete": "complete", "pruned": "stopped early", "infeasible": "beyond a limit", "diverged": "diverged"}
"""A trial's state as a person reads it, in the order of the table."""


def findings(tables: StudyTables) -> list[Finding]:
    total = len(tables.trials)
    if not total:
        return [Finding("No trial was run.", "The study's table is empty.", tone="caution")]
    states = {state: tables.count(state) for state in ("complete", "pruned", "diverged", "infeasible")}
    ended = f"{states['complete']:,} complete, {states['pruned']:,} stopped early, {states['diverged']:,} diverged"
    ended += f", {states['infeasible']:,} beyond a limit" if states["infeasible"] else ""
    listed = sum(states.values())
    told = tables.summary.study.trials
    if listed != total or told != total:
        evidence = f"The table has {many(total, 'row')}, the study counts {told:,}; by state: {ended}."
        return [Finding("The trials do not add up.", evidence, "Run the study's stage again.", tone="caution")]
    verdict = f"All {many(total, 'trial')} are accounted for: {ended}." if total > 1 else f"One trial was run: {ended}."
    evidence = "Each of those that completed was trained to its end."
    if states["pruned"]:
        evidence = "A trial stopped early is ranked nowhere: its value is of fewer epochs than the others'."
    return [*_close(tables), Finding(verdict, evidence)]


def _close_to_best(tables: StudyTables) -> list[int]:
    return [int(number) for number in close_to_best(tables)["number"]]


def _close(tables: StudyTables) -> list[Finding]:
    close, noise, ranked = _close_to_best(tables), seed_noise(tables), tables.ranked
    if noise is None or len(ranked) < 2:
        return []
    evidence = (
        f"{spoken(noise, label(tables.objective))}, so two trials closer than {number(noise.least, 2)} are not told "
        f"apart. Within that of the best lie {share(len(close), len(ranked))} of the complete trials."
    )
    if len(close) == 1:
        return [Finding(f"Trial {close[0]} stands alone at the top.", evidence, trials=(close[0],), tone="good")]
    verdict = f"{len(close):,} trials share the top within noise: their order is a tie."
    return [Finding(verdict, evidence, more_seeds.of_trials(tables), tuple(close))]


def everyone(tables: StudyTables) -> pd.DataFrame:
    """All trials as a person reads them: the complete ones, best first, with their rank; then the others by state."""
    called = roles(tables)
    ranks = {int(number): place for place, number in enumerate(tables.ranked["number"], 1)}
    trials = tables.trials.assign(
        _rank=pd.array([ranks.get(int(number)) for number in tables.trials["number"]], dtype="Int64"),
        _place=tables.trials["state"].map({state: place for place, state in enumerate(STATES)}),
    ).sort_values(["_rank", "_place", "number"], na_position="last", kind="stable")
    table = pd.DataFrame(
        {
            "trial": trials["number"],
            "role": [called.get(int(one), "") for one in trials["number"]],
            "rank": trials["_rank"],
            "state": trials["state"].map(STATES).fillna(trials["state"]),
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


def roles(tables: StudyTables) -> dict[int, str]:
    """What a trial is called elsewhere in the report, by its number: winner, runner-up, baseline."""
    known = tables.runs.dropna(subset="trial") if len(tables.runs) else tables.runs
    found = dict(zip(known["trial"].astype(int), known["candidate"], strict=True)) if len(known) else {}
    if tables.winner is not None:
        found[tables.winner] = "winner"
    if (own := tables.baseline_trial) is not None:
        found[own] = f"{found[own]}, baseline" if own in found else "baseline"
    return found


def charts(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty:
        return [Blank("trials", "All trials", "No trial was run.")]
    table, close = everyone(tables), _close_to_best(tables)
    caption = "The complete ones first, best first; the value of a trial that was stopped is of fewer epochs."
    if "trained on to" in table:
        caption += " Some of those trained on to the end, to see what stopping costs: the last column is their value."
    if len(close) > 1:
        caption += " Those with a dot cannot be told from the best."
    if len(table) > MOST:
        caption += f" The first {MOST:,} of {len(table):,}; all of them are in trials.csv."
    hint = f"Every word typed must stand in the row; `{tables.objective}<{_middle(tables)}` compares a column."
    paper = _best(tables, table, close)
    return [Register("trials", "All trials", caption, table.head(MOST), hint, paper, _marked(table, close))]


def _middle(tables: StudyTables) -> str:
    """A value to show how a column is compared."""
    values = tables.trials["value"].dropna()
    return f"{values.median():.2g}" if len(values) else "1"


def _best(tables: StudyTables, table: pd.DataFrame, close: list[int]) -> Listing | Blank:
    """What Markdown has in its place."""
    ranked = table[table["rank"].notna()]
    if ranked.empty:
        return Blank("best", "Best trials", "No trial was completed, so there is nothing to rank.")
    caption = "Complete trials, best first."
    if len(close) > 1:
        caption += " Those with a dot cannot be told from the best."
    if len(ranked) > SHOWN:
        caption += f" The first {SHOWN} of {len(ranked):,}; all of them are in trials.csv."
    columns = ["rank", "trial", "role", tables.objective, *(one.name for one in tables.parameters), "epochs"]
    return Listing("best", "Best trials", caption, ranked[columns].head(SHOWN), marked=_marked(ranked, close))


def _marked(table: pd.DataFrame, close: list[int]) -> tuple[int, ...]:
    """The rows of trials that cannot be told from the best, where they are more than it alone."""
    return tuple(table.index[table["trial"].isin(close)]) if len(close) > 1 else ()
