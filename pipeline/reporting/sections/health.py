"""How the trials trained: what the monitor saw, and what goes with diverging."""

from functools import partial

import altair as alt
import pandas as pd

from pipeline.reporting.charts import Blank, Chart, Drawing, Figure, Listing, source
from pipeline.reporting.findings import Finding, rank_separation
from pipeline.reporting.tables import Tables, is_range
from pipeline.reporting.theme import PAINT
from pipeline.reporting.words import label, listed, many, number, share

TITLE = "Health"
ORDER = 60
ALIKE, SEVERAL = 1e-4, 3
KINDS = ("converged", "improving", "overfitting", "rate too low", "rate too high", "diverged")


def findings(tables: Tables) -> list[Finding]:
    total = len(tables.trials)
    if not total:
        return []
    diverged = tables.trials[tables.trials["state"] == "diverged"]
    if diverged.empty:
        finite = f"{many(total, 'trial')} kept finite numbers to the end."
        return [*_constant(tables), Finding("No trial diverged.", finite, tone="good")]
    numbers = tuple(int(number) for number in diverged["number"])
    steps = diverged["diverged_step"].dropna() if "diverged_step" in diverged else pd.Series(dtype=float)
    evidence = f"{share(len(diverged), total)} of the trials became non-finite"
    evidence += (
        f", first at step {number(int(steps.min()))} and last at step {number(int(steps.max()))}. "
        if len(steps)
        else ". "
    )
    if len(diverged) == total:
        step = "Lower the top of the learning rate's range, or set `optimizer.clip`."
        return [Finding("Every trial diverged.", evidence.strip(), step, numbers, "caution")]
    cause, step = _cause(tables, diverged)
    told = Finding(f"{many(len(diverged), 'trial')} diverged.", evidence + cause, step, numbers, "caution")
    return [told, *_constant(tables)]


def constant(tables: Tables) -> pd.DataFrame:
    """Complete trials that ended alike in the worse half: networks that give one answer whatever they see.

    Different parameters never end at the same value but there, to ALIKE of it.
    """
    complete = tables.trials[(tables.trials["state"] == "complete") & tables.trials["value"].notna()]
    worse = complete[complete["value"] * tables.sign > (complete["value"] * tables.sign).median()].sort_values("value")
    steps = worse["value"].diff().abs() > ALIKE * worse["value"].abs()
    runs = worse.groupby(steps.cumsum()).filter(lambda run: len(run) >= SEVERAL)
    return runs.sort_values("number")


def _constant(tables: Tables) -> list[Finding]:
    stuck = constant(tables)
    if stuck.empty:
        return []
    values = stuck["value"]
    evidence = (
        f"{share(len(stuck), len(tables.trials))} of the trials ended at the same {label(tables.objective)}, "
        f"{number(float(values.median()))}, whatever their parameters: such a network gives one answer to every "
        "example. "
    )
    cause, step = _cause(tables, stuck)
    numbers = tuple(int(trial) for trial in stuck["number"])
    return [Finding(f"{many(len(stuck), 'trial')} learned nothing.", evidence + cause, step, numbers, "caution")]


def _cause(tables: Tables, diverged: pd.DataFrame) -> tuple[str, str]:
    """The numeric parameter that best parts what diverged from what did not, where there are enough to say so."""
    sound = tables.trials[~tables.trials["number"].isin(diverged["number"])]
    parts = []
    for parameter in tables.parameters:
        inside, outside = diverged[parameter["name"]].dropna(), sound[parameter["name"]].dropna()
        if is_range(parameter) and len(inside) >= 3 and len(outside) >= 3:
            above = rank_separation(inside.astype(float), outside.astype(float))
            # the standard deviation that it has where nothing is apart (Mann and Whitney 1947)
            chance = ((len(inside) + len(outside) + 1) / (12 * len(inside) * len(outside))) ** 0.5
            if abs(above - 0.5) > max(0.35, 2.58 * chance):
                parts.append((abs(above - 0.5), above, parameter["name"], inside, outside))
    strongest = max(parts, key=lambda part: part[0], default=None)
    if strongest is None:
        return "Nothing searched sets them apart clearly.", "Look at their curves before changing the space."
    _, above, name, inside, outside = strongest
    high = above > 0.5
    cause = (
        f"They have {'high' if high else 'low'} `{name}`: from {number(inside.min())} to {number(inside.max())}, the "
        f"others from {number(outside.min())} to {number(outside.max())}; in {100 * max(above, 1 - above):.0f} % of "
        f"pairs the diverged trial's is the {'larger' if high else 'smaller'}."
    )
    return (
        cause,
        f"{'Lower `high`' if high else 'Raise `low`'} of `{name}` in `study.space`, and fewer trials are lost.",
    )


def charts(tables: Tables) -> list[Figure]:
    verdicts = tables.verdicts
    if verdicts.empty:
        return [Blank("verdicts", "Verdicts", "The monitor left no verdicts.")]
    counts = verdicts.groupby("kind")["trial"].nunique()
    order = [kind for kind in KINDS if kind in counts] + sorted(set(counts.index) - set(KINDS))
    table = pd.DataFrame({"kind": order, "trials": [int(counts[kind]) for kind in order]})
    caption = "What the monitor said of the trials, one verdict each."
    spoken = (
        "Verdicts: " + ", ".join(f"{kind} {n}" for kind, n in zip(table["kind"], table["trials"], strict=True)) + "."
    )
    return [
        Chart("verdicts", "Verdicts of the monitor", caption, spoken, {"counts": table}, partial(_draw, order)),
        _evidence(tables, order),
    ]


def _draw(order: list[str]) -> Drawing:
    y = alt.Y("kind:N", sort=order, title=None, axis=alt.Axis(labelLimit=140, labelFontSize=12.5))
    paint = [PAINT["diverged"] if kind == "diverged" else PAINT["plain"] for kind in order]
    color = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=order, range=paint))
    base = alt.Chart(source("counts"))
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(x=alt.X("trials:Q", axis=None), y=y, color=color)
    text = base.mark_text(align="left", dx=7).encode(x=alt.X("trials:Q", axis=None), y=y, text="trials:Q")
    return alt.layer(bars, text).properties(height=28 * len(order))


def _evidence(tables: Tables, order: list[str]) -> Listing:
    """One row a kind, with the evidence of the best-ranked trial that has it."""
    rank = {int(number): place for place, number in enumerate(tables.ranked.get("number", []))}
    rows = []
    for kind in order:
        these = tables.verdicts[tables.verdicts["kind"] == kind].copy()
        these["rank"] = these["trial"].map(lambda trial: rank.get(int(trial), len(rank)))
        first = these.sort_values(["rank", "trial", "since"], kind="stable").iloc[0]
        trials = sorted({int(trial) for trial in these["trial"]})
        rows.append({"verdict": kind, "trials": listed(trials), "example": f"trial {int(first['trial'])}",
                     "since": first["since"], "evidence": first["evidence"]})  # fmt: skip
    return Listing(
        "evidence",
        "Why",
        "One example for each verdict, from the best trial that has it, since which epoch.",
        pd.DataFrame(rows),
    )
