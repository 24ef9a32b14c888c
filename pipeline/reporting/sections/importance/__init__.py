"""Which parameters set the best trials apart, whether what was asked about matters, and what hangs together."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import altair as alt
import pandas as pd

from thalweg.reporting.advice import more_trials, search_space
from thalweg.reporting.analysis.importance import LEAST, MINOR, Importance, Ranking, ranking
from thalweg.reporting.analysis.isolation import scientific
from thalweg.reporting.analysis.pareto_growth import gaining
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure
from thalweg.reporting.page.marks import layer, tip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.sections.importance.heat_maps import maps
from thalweg.reporting.sections.importance.interactions import together
from thalweg.reporting.sections.importance.isolation_plots import chart, finding
from thalweg.reporting.sections.importance.parallel_coordinates import lines, row_of
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, listed, many

TITLE = "What matters"
ORDER = 45
MAPPED = 3
"""So many numeric parameters, the most important ones, are mapped by pairs."""
BEYOND = "beyond chance"
WITHIN = "within chance"


def findings(tables: StudyTables) -> list[Finding]:
    if tables.trials.empty or not tables.parameters:
        return []
    asked = [told for parameter in scientific(tables) for told in finding(tables, parameter)]
    found = ranking(tables)
    if found is None:
        return asked
    return [
        *_mattered(tables, found),
        *_idle(tables, found),
        *asked,
        *together(tables, found.levels, _pairs(tables, found)),
    ]


def _mattered(tables: StudyTables, found: Ranking) -> list[Finding]:
    how = (
        f"PED-ANOVA sets the {len(found.best)} best of {many(found.trials, 'trial')}, {found.levels.when()}, against "
        "all of them"
    )
    if not found.mattered:
        first = found.parameters[0]
        evidence = f"{how}. The largest share, {_percent(first.share)} for {code(first.name)}, is one that a parameter "
        evidence += (
            f"without any effect reaches too: up to {_percent(first.chance)}. Where training fails is told under "
        )
        evidence += "Health."
        step = more_trials.step(tables) if gaining(tables) else ""
        return [Finding("What sets the best trials apart cannot be told from chance.", evidence, step, found.best)]
    first, *others = found.mattered
    evidence = (
        f"{how}: {code(first.name)} has {_share(first)} of the importance, of which chance alone would give up to "
    )
    evidence += f"{_percent(first.chance)}."
    if len(found.parameters) == 1:
        verdict = f"{code(first.name)}, the only parameter searched, mattered."
    elif found.told:
        verdict, next_ = f"{code(first.name)} mattered most.", found.parameters[1]
        evidence += (
            f" The next, {code(next_.name)}, has {_share(next_)}; the lead holds in {_percent(found.led)} of redraws."
        )
    elif others:
        next_ = others[0]
        verdict = f"{code(first.name)} mattered; whether more than {code(next_.name)} cannot be told."
        evidence += f" {code(next_.name)} has {_share(next_)}; when trials are drawn again the lead holds in "
        evidence += f"{_percent(found.led)} of cases, short of 95 %."
    else:
        verdict = f"{code(first.name)} mattered."
    if others:
        evidence += f" Beyond chance, too: {_names([one.name for one in others])}."
    return [Finding(verdict, evidence, search_space.step(tables), found.best, "good")]


def _idle(tables: StudyTables, found: Ranking) -> list[Finding]:
    """What was not seen to matter; not of what is answered by itself.

    That it did not matter is said only where its share is small in every redraw, and a larger one would have been seen.
    """
    asked = {one.name for one in scientific(tables)}
    idle = [one for one in found.idle if one.name not in asked]
    if not found.mattered:
        return []
    minor, open_ = ([one for one in idle if one.minor is small] for small in (True, False))
    return [*(_minor(tables, minor) if minor else []), *(_open(found, open_) if open_ else [])]


def _minor(tables: StudyTables, minor: list[Importance]) -> list[Finding]:
    names = [one.name for one in minor]
    evidence = f"Share of the importance: {listed([f'{code(one.name)} {_share(one)}' for one in minor])}; one above "
    evidence += f"{_percent(MINOR)} would not have been missed."
    return [Finding(f"{_names(names)} mattered little.", evidence, search_space.step(tables))]


def _open(found: Ranking, open_: list[Importance]) -> list[Finding]:
    parts = [f"{code(one.name)} {_percent(one.share)} (chance: up to {_percent(one.chance)})" for one in open_]
    evidence = f"Share of the importance: {listed(parts)}. A small share may hide an effect in so few trials."
    one = len(open_) == 1
    verdict = f"Whether {_names([one.name for one in open_])} matter{'s' if one else ''} cannot be told from "
    verdict += f"{many(found.trials, 'trial')}."
    return [Finding(verdict, evidence)]


def _names(names: Sequence[str]) -> str:
    return listed([code(name) for name in names])


def _percent(share: float) -> str:
    return f"{100 * min(share, 1.0):.0f} %"


def _share(one: Importance) -> str:
    return f"{_percent(one.share)} ({100 * one.low:.0f} to {100 * one.high:.0f})"


def charts(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or not tables.parameters:
        return [Blank("importance", "Importance", "No trial was run, or nothing was searched.")]
    found = ranking(tables)
    return [_bars(tables, found), *_isolations(tables), *_maps(tables, found), lines(tables)]


def _bars(tables: StudyTables, found: Ranking | None) -> Figure:
    title = "Share of the importance"
    if found is None:
        if tables.count("diverged") == len(tables.trials):
            return Blank("importance", title, "Every trial diverged: nothing set the best apart.")
        reason = f"{many(len(tables.trials), 'trial')} cannot say what matters: it takes {LEAST} that can be compared, "
        return Blank("importance", title, f"{reason}of which some are better than the others.")
    rows = [row_of(one.name) for one in found.parameters]
    table = pd.DataFrame(
        {
            "row": rows,
            "parameter": [one.name for one in found.parameters],
            "share": [one.share for one in found.parameters],
            "low": [one.low for one in found.parameters],
            "high": [one.high for one in found.parameters],
            "chance": [min(one.chance, 1.0) for one in found.parameters],
            "told": [BEYOND if one.beyond else WITHIN for one in found.parameters],
            "trials": [one.trials for one in found.parameters],
        }
    )
    caption = (
        f"PED-ANOVA: how the {len(found.best)} best of {many(found.trials, 'trial')} differ in each parameter from "
        f"all, {found.levels.when()}. Thin bar: its 95 % interval where trials are drawn again"
        f"{', with the noise of a seed' if found.noise else ''}. Upright line: what one without effect stays below."
    )
    if found.levels.epoch is not None:
        caption += " Stopped trials count: those that trained on alone would mislead."
    if found.levels.unknown:
        caption += f" {many(found.levels.unknown, 'trial')} without a value by then left out."
    if found.rare:
        told = [f"{code(name)} ({count})" for name, count in found.rare.items()]
        caption += f" Too few trials have {listed(told)} to say."
    spoken = "Share of the importance: " + "; ".join(f"{one.name} {_share(one)}" for one in found.parameters) + "."
    return Chart("importance", title, caption, spoken, {"shares": table}, partial(_draw, rows))


def _draw(rows: list[str]) -> Drawing:
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelExpr="split(datum.label, '|')", labelLimit=140))
    paint = alt.Scale(domain=[BEYOND, WITHIN], range=[PAINT["plain"], PAINT["faint"]])
    across = alt.Axis(title=None, format=".0%", tickCount=5, grid=True)
    whole = alt.X("share:Q", axis=across, scale=alt.Scale(domain=[0, 1], nice=False))
    tips = ["parameter:N", *(tip(one, ".1%") for one in ("share", "low", "high", "chance")), "trials:Q"]
    shares, ink = layer("shares"), PAINT["ink"]
    return alt.layer(
        shares.mark_bar(height=16, cornerRadiusEnd=2).encode(
            x=whole, y=y, color=alt.Color("told:N", scale=paint), tooltip=tips
        ),
        shares.mark_rule(color=ink, strokeWidth=1.4).encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y),
        shares.mark_tick(color=ink, thickness=2, height=26).encode(x=alt.X("chance:Q", axis=across), y=y),
    ).properties(height=42 * len(rows))


def _isolations(tables: StudyTables) -> list[Figure]:
    asked = scientific(tables)
    if not asked:
        reason = "No searched parameter has the role scientific: give it to what the study asks about, in study.space, "
        return [Blank("isolation", "What the study asks about", f"{reason}and it is compared here value by value.")]
    return [chart(tables, index, parameter) for index, parameter in enumerate(asked)]


def _maps(tables: StudyTables, found: Ranking | None) -> list[Figure]:
    return [] if found is None else maps(tables, found.levels, _pairs(tables, found))


def _pairs(tables: StudyTables, found: Ranking) -> list[tuple[SearchedParameter, SearchedParameter]]:
    """The most important numeric parameters by two, the more important one first."""
    by_name = {parameter.name: parameter for parameter in tables.parameters if parameter.is_range}
    return list(combinations([by_name[one.name] for one in found.parameters if one.name in by_name][:MAPPED], 2))
