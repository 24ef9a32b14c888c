"""All trials over all searched parameters at once: parallel coordinates, one row a parameter."""

import math
from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.good_region import aside
from thalweg.reporting.analysis.window import window
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure
from thalweg.reporting.page.marks import haloed, layer
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import some_trials
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import label, listed, many, names, number, share

LINES = 300
FEW = 20
ROW = 66
NONE = -0.07
NAMED = 8
"""Lines at most, and how many may be thick; a row's height; where what plays no part stands; choices named at most."""
CHARACTER = 6.5
DEEP = 2
NARROW = 260
"""Pixels of a character of a choice's name, about; lines that the names stand in where they need more than the last."""
BEST = "best tenth"
OTHERS = "other trials"


def lines(tables: StudyTables) -> Figure:
    """The figure; a sentence where there are no trials to draw."""
    trials = tables.trials
    if trials.empty or not tables.parameters:
        return Blank("lines", "All parameters at once", "No trial was run, or nothing was searched.")
    if trials["value"].notna().sum() == 0:
        return Blank("lines", "All parameters at once", "Every trial diverged: no line has an end.")
    top = best_tenth(tables)
    kept = some_trials([int(trial) for trial in trials["number"]], top, LINES)
    drawn = trials[trials["number"].isin(kept)].sort_values("number")
    # what only some trials have comes first: further down its lines would come together, and part again
    ordered = sorted(tables.parameters, key=lambda one: bool(drawn[one.name].notna().all()))
    placed = [(row_of(one.name), *_placed(one, trials)) for one in ordered]
    placed.append(("|".join(label(tables.objective).rsplit(" ", 1)), *_objective(tables)))
    names = [row for row, *_ in placed]
    points = pd.concat(
        [
            pd.DataFrame({"trial": drawn["number"], "row": row, "place": i, "at": at.reindex(drawn.index).round(4)})
            for i, (row, at, _) in enumerate(placed)
        ],
        ignore_index=True,
    )
    ends = [{"row": row, "level": 0, **one} for row, _, written in placed for one in written]
    wide = max(_room(written) for _, _, written in placed)
    caption = f"One line a trial from row to row; the best tenth of the complete ones ({len(top)}) stands out. "
    caption += f"{'Lower' if tables.sign > 0 else 'Higher'} is better, what diverged is at the bad end."
    if (points["at"] == NONE).any():
        caption += " Left of a row's beginning: the parameter plays no part."
    if len(kept) < len(trials):
        caption += f" {share(len(kept), len(trials))} of the trials are drawn."
    spoken = f"{many(len(kept), 'trial')} over {many(len(tables.parameters), 'parameter')} and the objective. "
    spoken += f"Best: trials {listed(top, 5)}." if top else "Not one was completed."
    best = points["trial"].isin(top)
    groups = {BEST: points[best], OTHERS: points[~best]}
    groups = {group: table for group, table in groups.items() if len(table)}
    rails = pd.DataFrame({"row": names, "from": 0.0, "to": 1.0})
    data = {**groups, "ends": pd.DataFrame(ends), "rows": rails}
    draw = partial(_draw, names, list(groups), len(top) <= FEW, wide)
    return Chart("lines", "All parameters at once", caption, spoken, data, draw)


def best_tenth(tables: StudyTables) -> list[int]:
    """The best tenth of the complete trials, one at least, best first."""
    return [int(trial) for trial in tables.ranked["number"].head(math.ceil(len(tables.ranked) / 10))]


def row_of(name: str) -> str:
    """A row's label in two lines: the last part of a name, and what is above it."""
    above, _, last = name.rpartition(".")
    return f"{last}|{above}" if above and " " not in name else name


def _objective(tables: StudyTables) -> tuple[pd.Series, list[dict[str, Any]]]:
    """Where each trial's line ends, and what is written below its row."""
    seen = window(tables.trials["value"], tables.sign, bounds=tables.bounds_of(tables.objective))
    shown = seen.place(tables.trials["value"].astype(float), tables.sign)
    ends = SearchedParameter(tables.objective, seen.low, seen.high, seen.log)
    written = [(0.0, seen.low, "left"), (1.0, seen.high, "right")]
    return ends.position(shown), [{"at": at, "text": number(end), "side": side} for at, end, side in written]


def _placed(parameter: SearchedParameter, trials: pd.DataFrame) -> tuple[pd.Series, list[dict[str, Any]]]:
    """Where each trial's line crosses a parameter's row, 0 to 1, and what is written below the row."""
    values = trials[parameter.name]
    if parameter.is_range:
        ends = [(0.0, parameter.low, "left"), (1.0, parameter.high, "right")]
        named = [{"at": at, "text": number(value), "side": side} for at, value, side in ends]
        return parameter.position(values.astype(float)).clip(0, 1).fillna(NONE), named
    places = pd.Series(parameter.places(values), index=values.index)
    choices = names(parameter.choices_in(values))
    count = max(len(choices), 1)
    # each choice has a part of the row, in which lines lie beside each other
    at = ((places + aside(trials["number"], 0.4)) / count).mask(places < 0, NONE)
    shown = choices if count <= NAMED else [choices[0], choices[-1]]
    middles = [(i + 0.5) / count for i in range(count)] if count <= NAMED else [0.5 / count, 1 - 0.5 / count]
    written = enumerate(zip(middles, shown, strict=True))
    return at, [{"at": middle, "text": text, "side": "center", "level": i % DEEP} for i, (middle, text) in written]


def _room(written: list[dict[str, Any]]) -> float:
    """Pixels of a row that names of choices need to stand beside each other."""
    named = [str(one["text"]) for one in written if one["side"] == "center"]
    return len(named) * (CHARACTER * max(map(len, named), default=0) + 8)


def _draw(names: list[str], groups: list[str], few: bool, wide: float) -> Drawing:
    scale = alt.Scale(domain=[NONE - 0.02, 1.02], nice=False, zero=False)
    axis = alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=110, grid=False, domain=False, title=None)
    x = alt.X("at:Q", axis=None, scale=scale)
    y = alt.Y("row:N", sort=names, scale=alt.Scale(domain=names, type="point", padding=0.4), axis=axis)
    rails = layer("rows").mark_rule(color=PAINT["line"], strokeWidth=6, strokeCap="round")
    layers: list[alt.Chart] = [rails.encode(x=alt.X("from:Q", axis=None, scale=scale), x2="to:Q", y=y)]
    paint = alt.Scale(domain=groups, range=[PAINT["winner"] if group == BEST else PAINT["faint"] for group in groups])
    told = {"detail": "trial:N", "order": alt.Order("place:Q"), "tooltip": ["trial:Q"]}
    for group in reversed(groups):
        thick, strength = (2.0 if few else 1.2, 0.9) if group == BEST else (1.0, 0.5)
        traced = layer(group).transform_calculate(group=f"'{group}'").mark_line(strokeWidth=thick, opacity=strength)
        layers.append(traced.encode(x=x, y=y, color=alt.Color("group:N", scale=paint), **told))
    for side, level in [("left", 0), ("right", 0), *(("center", level) for level in range(DEEP))]:
        down = 8 + 13 * level if wide > NARROW else 8
        words = haloed("ends", {"x": x, "y": y, "text": "text:N"}, "quiet",
                       align=side, baseline="top", dy=down, fontSize=11, limit=90)  # fmt: skip
        there = f"datum.side == '{side}' && datum.level == {level}"
        layers += [word.transform_filter(there) for word in words]
    return alt.layer(*layers).properties(height=ROW * len(names))
