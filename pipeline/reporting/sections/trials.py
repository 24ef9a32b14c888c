"""Which trials were best, and what became of all of them."""

import pandas as pd

from pipeline.reporting.charts import Blank, Figure, Listing
from pipeline.reporting.findings import Finding, seed_noise
from pipeline.reporting.tables import Tables
from pipeline.reporting.words import label, many, number, share

TITLE = "Trials"
ORDER = 20
SHOWN = 20


def findings(tables: Tables) -> list[Finding]:
    total = len(tables.trials)
    if not total:
        return [Finding("No trial was run.", "The study's table is empty.", tone="caution")]
    states = {state: tables.count(state) for state in ("complete", "pruned", "diverged", "infeasible")}
    ended = f"{states['complete']:,} complete, {states['pruned']:,} stopped early, {states['diverged']:,} diverged"
    ended += f", {states['infeasible']:,} beyond a limit" if states["infeasible"] else ""
    listed = sum(states.values())
    told = (tables.summary.get("study") or {}).get("trials", total)
    if listed != total or told != total:
        evidence = f"The table has {many(total, 'row')}, the study counts {told:,}; by state: {ended}."
        return [Finding("The trials do not add up.", evidence, "Run the study's stage again.", tone="caution")]
    account = Finding(
        f"All {many(total, 'trial')} are accounted for: {ended}." if total > 1 else f"One trial was run: {ended}.",
        "A trial stopped early is ranked nowhere: its value is of fewer epochs than the others'.",
    )
    return [account, *_close(tables)]


def close_to_best(tables: Tables) -> list[int]:
    """Complete trials that a single run cannot tell from the best, best first; none where the noise is not known."""
    noise, ranked = seed_noise(tables), tables.ranked
    if noise is None or ranked.empty:
        return []
    near = (ranked["value"] - ranked["value"].iloc[0]).abs() <= noise.least
    return [int(number) for number in ranked.loc[near, "number"]]


def _close(tables: Tables) -> list[Finding]:
    close, noise, ranked = close_to_best(tables), seed_noise(tables), tables.ranked
    if noise is None or len(ranked) < 2:
        return []
    evidence = (
        f"One trial's {label(tables.objective)} varies from seed to seed with a standard deviation of "
        f"{number(noise.deviation, 2)}, so two trials closer than {number(noise.least, 2)} are not told apart. "
        f"Within that of the best lie {share(len(close), len(ranked))} of the complete trials."
    )
    if len(close) == 1:
        return [Finding(f"Trial {close[0]} stands alone at the top.", evidence, trials=(close[0],), tone="good")]
    step = "Read their order as a tie; raise `study.seeds` to tell them apart."
    return [Finding(f"{len(close):,} trials share the top within noise.", evidence, step, tuple(close))]


def charts(tables: Tables) -> list[Figure]:
    ranked = tables.ranked
    if ranked.empty:
        return [Blank("best", "Best trials", "No trial was completed, so there is nothing to rank.")]
    table = pd.DataFrame(
        {"rank": range(1, len(ranked) + 1), "trial": ranked["number"], tables.objective: ranked["value"]}
    )
    for parameter in tables.parameters:
        table[parameter["name"]] = ranked[parameter["name"]].to_numpy()
    table["epochs"] = ranked["epochs"].to_numpy()
    close = close_to_best(tables)
    caption = "Complete trials, best first."
    if len(close) > 1:
        caption += " Those with a dot cannot be told from the best."
    if len(table) > SHOWN:
        caption += f" The first {SHOWN} of {len(table):,}; all of them are in trials.csv."
    marked = tuple(index for index, trial in enumerate(table["trial"]) if trial in close and len(close) > 1)
    return [Listing("best", "Best trials", caption, table.head(SHOWN), sortable=True, marked=marked)]
