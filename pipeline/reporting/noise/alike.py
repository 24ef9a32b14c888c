"""Groups of examples that are alike, and those on which the winner is wrong more than on the others."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from thalweg.reporting.findings import Finding
from thalweg.reporting.page.charts import Chart, Drawing, Figure, source
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import Tables
from thalweg.reporting.words import listed, many, number

FEWEST = 4
SMALLEST = 5
DRAWN = 24
LEVEL = 0.05
CLEAR = 1.1
"""Groups, and examples of each, below which nothing is said; at most so many groups are drawn; the share of false
findings; how many times the others' error a group's must surely be to be a caution."""


def groups(predictions: pd.DataFrame) -> pd.Series:
    """What may be alike: the group; the image itself where there are no groups."""
    known = predictions["group"] if "group" in predictions else pd.Series("", index=predictions.index)
    return predictions["image"].where(known.isna() | (known == ""), known)


def by_group(predictions: pd.DataFrame) -> pd.DataFrame:
    """Groups of SMALLEST examples or more, the worst first: group, examples, mean error, low and high (95 %), spread.

    The interval is Student's over a group's own examples; `spread` is the variance of the mean as a share of its
    square. Empty below FEWEST groups.
    """
    table = pd.DataFrame({"group": groups(predictions).astype(str), "error": predictions["error"].astype(float).abs()})
    of_group = table.groupby("group")["error"]
    found = pd.DataFrame({"examples": of_group.size(), "mean": of_group.mean(), "deviation": of_group.std(ddof=1)})
    found = found[found["examples"] >= SMALLEST]
    if len(found) < FEWEST:
        return pd.DataFrame(columns=["group", "examples", "mean", "low", "high", "spread"])
    half = stdtrit(found["examples"] - 1, 0.975) * found["deviation"] / np.sqrt(found["examples"])
    found = found.assign(low=(found["mean"] - half).clip(lower=0), high=found["mean"] + half)
    within = (found["deviation"] / found["mean"].where(found["mean"] > 0)) ** 2
    found["spread"] = within.fillna(within.mean()).fillna(0.0) / found["examples"]
    return found.drop(columns="deviation").reset_index().sort_values(["mean", "group"], ascending=[False, True])


def standing_out(table: pd.DataFrame) -> pd.DataFrame:
    """The groups of `by_group` whose error is above the others' beyond what sets those apart: with ratio, low, high.

    A group is held against the spread of the other groups, not against its own examples alone: groups always differ.
    The logarithm of its mean less the mean of the others' has Student's t with G - 2 degrees of freedom if it is one of
    them (the test of an outlier, Grubbs 1969). Where its mean is of fewer examples than the others', or of more
    scattered ones, the variance that this adds (delta method) is added. `ratio` is to the others' geometric mean. The
    level is shared out over the G groups (Bonferroni), one-sided, as are the intervals.
    """
    known = table[table["mean"] > 0]
    count = len(known)
    if count < FEWEST:
        return known.iloc[:0].assign(ratio=[], from_ratio=[], to_ratio=[])
    logs = np.log(known["mean"].to_numpy())
    rest = (logs.sum() - logs) / (count - 1)
    squares = ((logs**2).sum() - logs**2) / (count - 1) - rest**2
    own = known["spread"].to_numpy()
    more = np.clip(own - (own.sum() - own) / (count - 1), 0, None)
    error = np.sqrt(np.clip(squares, 0, None) * count / (count - 2) + more)
    apart = logs - rest
    tail = stdtr(count - 2, -apart / np.where(error > 0, error, np.inf))
    reach = float(stdtrit(count - 2, 1 - LEVEL / count)) * error
    told = known.assign(ratio=np.exp(apart), from_ratio=np.exp(apart - reach), to_ratio=np.exp(apart + reach))
    out: pd.DataFrame = told[tail < LEVEL / count]
    return out


def findings(tables: Tables) -> list[Finding]:
    """The groups on which the winner is wrong more than on the others, if there are any."""
    if tables.predictions.empty or "error" not in tables.predictions:
        return []
    table = by_group(tables.predictions)
    out = standing_out(table)
    if out.empty:
        return []
    first = out.iloc[0]
    names = listed(out["group"].tolist(), 5)
    evidence = (
        f"Its {_measure(tables)} is {number(first['mean'])} over {many(int(first['examples']), 'example')}, "
        f"{number(first['ratio'], 2)} times that of the other {len(table) - 1} groups "
        f"({number(first['from_ratio'], 2)} to {number(first['to_ratio'], 2)}); by the spread of the others none of "
        f"{len(table)} groups would be so far apart in 95 of 100 studies."
    )
    if len(out) > 1:
        evidence = f"The worst is {first['group']}. {evidence}"
    verb = "stands" if len(out) == 1 else "stand"
    step = f"Look at pictures and labels of {first['group']}, and at how it differs from what train holds."
    verdict = f"{'Group' if len(out) == 1 else 'Groups'} {names} {verb} out with large errors."
    return [Finding(verdict, evidence, step, tone="caution" if first["from_ratio"] >= CLEAR else "plain")]


def charts(tables: Tables) -> list[Figure]:
    """The mean error of each group with its interval, the worst first; none where there are too few groups."""
    if tables.predictions.empty or "error" not in tables.predictions:
        return []
    table = by_group(tables.predictions)
    if table.empty:
        return []
    out = set(standing_out(table)["group"])
    drawn = table.head(DRAWN).drop(columns="spread")
    drawn["standing"] = drawn["group"].isin(out).map({True: "stands out", False: "as the others"})
    caption = (
        f"{_measure(tables).capitalize()} of each group with its 95 % interval over its examples, the worst first. "
    )
    caption += "The line is the mean."
    if len(table) > DRAWN:
        caption += f" The worst {DRAWN} of {len(table):,} groups."
    if out:
        caption += " Diamonds stand out from the spread of the others."
    spoken = f"{_measure(tables).capitalize()} of {many(len(table), 'group')}, from {number(table['mean'].max())} to "
    spoken += f"{number(table['mean'].min())}; {listed(sorted(out)) if out else 'none'} stands out."
    mean = pd.DataFrame({"mean": [float(tables.predictions["error"].abs().mean())]})
    draw = partial(_draw, drawn["group"].tolist(), _measure(tables))
    return [Chart("groups", "Error by group", caption, spoken, {"groups": drawn, "mean": mean}, draw)]


def _measure(tables: Tables) -> str:
    """What a group is judged by: the size of its errors, not their lean."""
    return "mean absolute error" if tables.numbers else "mean error"


def _draw(names: list[str], measure: str) -> Drawing:
    y = alt.Y("group:N", sort=names, title=None, axis=alt.Axis(labelLimit=150))
    across = alt.Axis(title=measure, tickCount=5, grid=True, format=".6~g")
    scale = alt.Scale(zero=True, nice=True)
    kinds = ["stands out", "as the others"]
    color = alt.Color("standing:N", legend=None, scale=alt.Scale(domain=kinds, range=[PAINT["ink"], PAINT["plain"]]))
    shape = alt.Shape("standing:N", legend=None, scale=alt.Scale(domain=kinds, range=["diamond", "circle"]))
    base = alt.Chart(source("groups")).encode(y=y, color=color)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=across, scale=scale), x2="high:Q")
    dots = base.mark_point(size=80).encode(
        x=alt.X("mean:Q", axis=across, scale=scale),
        shape=shape,
        tooltip=[
            "group:N",
            "standing:N",
            "examples:Q",
            *(alt.Tooltip(f"{n}:Q", format=".3~g") for n in ("mean", "low", "high")),
        ],
    )
    line = alt.Chart(source("mean")).mark_rule(color=PAINT["quiet"], strokeDash=[5, 4])
    return alt.layer(line.encode(x=alt.X("mean:Q", axis=across, scale=scale)), bars, dots).properties(
        height=22 * len(names)
    )
