"""A loss of several terms: how each falls, how hard it pulls and against which others, and what each is worth."""

from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, Drawing, Figure, Listing, source
from thalweg.reporting.page.scales import heading, window_axis, window_heading, window_scale
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, label, listed, number, span
from thalweg.stats.intervals import Interval, judge

TITLE = "Loss terms"
ORDER = 42
FIGHT = -0.2
"""The mean cosine below which two terms fight."""
SILENT = 0.02
"""The share of the pull below which a term says nothing, over epochs in which it has a weight."""
MOST = 4
"""Pairs that are told apart."""
HUES = ("winner", "diverged", "ink", "baseline", "plain", "depth0")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3], [10, 4])


def applies(tables: StudyTables) -> bool:
    """Whether the loss has several terms."""
    return bool(names(tables))


def names(tables: StudyTables) -> list[str]:
    """The terms of the loss, where anything was noted of them."""
    columns = [str(column) for column in tables.curves] + [str(column) for column in tables.baseline_curves]
    found = [column[5:-5] for column in columns if column.startswith("term.") and column.endswith(".loss")]
    return list(dict.fromkeys(found))


def curves(tables: StudyTables) -> pd.DataFrame:
    """The winner's mean over its lanes in the study, by epoch; the baseline's where no trial won."""
    own = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    own = own if len(own) else tables.baseline_curves
    columns = [str(name) for name in own if str(name).startswith("term")]
    mean: pd.DataFrame = own.groupby("epoch", as_index=False)[columns].mean() if len(own) else pd.DataFrame()
    return mean


def pulls(tables: StudyTables) -> pd.DataFrame:
    """Each term's share of the summed norms of gradients: one row an epoch, a column a term."""
    known = curves(tables)
    norms = pd.DataFrame({name: known[f"term.{name}.gradient"] for name in names(tables)})
    shares: pd.DataFrame = norms.div(norms.sum(axis=1).replace(0.0, np.nan), axis=0)
    return shares.assign(epoch=known["epoch"])


def angles(tables: StudyTables) -> pd.DataFrame:
    """The cosine between every two terms' gradients: pair, epoch, cosine."""
    known = curves(tables)
    pairs = [str(name) for name in known if str(name).endswith(".cosine")]
    parts = []
    for name in pairs:
        first = next(one for one in names(tables) if name.startswith(f"terms.{one}."))
        second = name[len(f"terms.{first}.") : -len(".cosine")]
        parts.append(pd.DataFrame({"pair": f"{first} and {second}", "epoch": known["epoch"], "cosine": known[name]}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["pair", "epoch", "cosine"])


def worth(tables: StudyTables) -> dict[str, Interval]:
    """What the objective differs by without each part of the loss, seed by seed."""
    if tables.less.empty:
        return {}
    parts = [str(what) for what in dict.fromkeys(tables.less["what"]) if what not in ("images", "augmentation")]
    return {what: known for what in parts if (known := ablation_effects.lost(tables, what))}


def findings(tables: StudyTables) -> list[Finding]:
    return [*_worth(tables), *_fight(tables), *_silent(tables)] if applies(tables) else []


def _worth(tables: StudyTables) -> list[Finding]:
    known = worth(tables)
    if not known:
        return []
    behind = () if tables.winner is None else (tables.winner,)
    verdicts = {what: judge(apart, tables.sign) for what, apart in known.items()}
    told = "; ".join(f"{what} {span(one.mean, one.low, one.high, signed=True)}" for what, one in known.items())
    each = "Without it" if len(known) == 1 else "Without each of these alone"
    evidence = f"{each}, {label(tables.objective)} on validation differs by: {told}."
    needed = [what for what, verdict in verdicts.items() if verdict == "worse"]
    harmful = [what for what, verdict in verdicts.items() if verdict == "better"]
    found = []
    if harmful:
        step = f"Lower the weight of {listed(harmful)}, or search it down to 0."
        found.append(Finding(f"The winner is better without {listed(harmful)}.", evidence, step, behind, "caution"))
    if needed:
        found.append(Finding(f"What helps surely: {listed(needed)}.", "" if found else evidence, "", behind, "good"))
    if not found:
        verdict = "No part of the loss is surely worth anything by itself: a simpler one may do as well."
        found.append(Finding(verdict, evidence, more_seeds.of_diagnosis(tables), behind))
    return found


def _fight(tables: StudyTables) -> list[Finding]:
    mean = angles(tables).groupby("pair", sort=False)["cosine"].mean().dropna()
    fighting = mean[mean < FIGHT]
    if mean.empty:
        return []
    evidence = "Mean cosine between gradients over training: "
    evidence += "; ".join(f"{pair} {number(value, 2)}" for pair, value in mean.items()) + "."
    if fighting.empty:
        return [Finding("No two terms pull against each other.", evidence)]
    step = f"Search the weights of {listed(list(fighting.index))} together, or let `study.also` show what each costs."
    return [Finding(f"{listed(list(fighting.index))} pull against each other.", evidence, step)]


def _silent(tables: StudyTables) -> list[Finding]:
    weighted = {name: curves(tables)[f"term.{name}.coefficient"] > 0 for name in names(tables)}
    shares = pulls(tables)[names(tables)].where(pd.DataFrame(weighted)).mean().fillna(0.0)
    harmful = [what for what, one in worth(tables).items() if judge(one, tables.sign) == "better"]
    silent = [str(name) for name in shares.index[shares < SILENT] if str(name) not in harmful]
    if not silent:
        return []
    evidence = "Share of the gradients' norms over the epochs in which a term has a weight: "
    evidence += ", ".join(f"{name} {100 * value:.1f} %" for name, value in shares.items()) + "."
    weights = [code(name) for term in silent for name in _weights(tables, term)]
    out = "it" if len(silent) == 1 else "them"
    step = f"Raise the weight of {listed(silent)} ({listed(weights)}), or leave {out} out."
    return [Finding(f"{listed(silent)} {'has' if len(silent) == 1 else 'have'} hardly any say.", evidence, step)]


def _weights(tables: StudyTables, term: str) -> list[str]:
    """The settings that give a term its weight: of its phases those that give it one, else its own."""
    own = f"loss.terms.{term}"
    phases = tables.setting(f"{own}.phases") or {}
    return [f"{own}.phases.{name}.weight" for name, phase in phases.items() if phase.get("weight")] or [f"{own}.weight"]


def charts(tables: StudyTables) -> list[Figure]:
    known, order = curves(tables), names(tables)
    if known.empty or not order:
        return []

    def long(what: str) -> pd.DataFrame:
        parts = [pd.DataFrame({"term": n, "epoch": known["epoch"], "value": known[f"term.{n}.{what}"]}) for n in order]
        return pd.concat(parts, ignore_index=True).replace([np.inf, -np.inf], np.nan).dropna()

    losses, weights, shares = long("loss"), long("coefficient"), pulls(tables)
    last = losses.groupby("term")["value"].last()
    spoken = "; ".join(f"{name} ends at {number(value)}" for name, value in last.items())
    figures: list[Figure] = [
        _lines("terms-loss", "Each term on validation", "Before its coefficient.", spoken, losses, order, "loss")
    ]
    pulled = shares.melt("epoch", var_name="term", value_name="value").dropna()
    mean = "; ".join(f"{name} {100 * value:.0f} %" for name, value in shares[order].mean().items())
    caption = "The share of each term, with its coefficient, in the summed norms of their gradients."
    data = {"lines": pulled}
    draw = partial(_areas, order)
    figures.append(
        Chart("terms-pull", "What each term pulls at", caption, f"Mean shares: {mean}.", data, draw, half=True)
    )
    if weights.groupby("term")["value"].nunique().max() > 1:
        caption = "The coefficient of each term: its weight, moved by phases, schedule and balance."
        if (weights["value"] == 0).any():
            weights, caption = weights[weights["value"] > 0], f"{caption} No line where it is 0."
        figures.append(
            _lines("terms-weight", "Coefficients", caption, "Coefficients by epoch.", weights, order, "coefficient")
        )
    apart = angles(tables).dropna()
    if len(apart):
        means = apart.groupby("pair", sort=False)["cosine"].mean()
        mean = "; ".join(f"{pair} {number(v, 2)}" for pair, v in means.items())
        caption = (
            "The cosine between two terms' gradients: 1 where they ask for the same step, below 0 where they fight."
        )
        table = apart.rename(columns={"pair": "term", "cosine": "value"})
        first = means.sort_values(kind="stable").head(MOST)
        pairs = [pair for pair in means.index if pair in first]
        if len(means) > len(pairs):
            caption += f" Told apart are the {len(pairs)} pairs of the lowest mean; grey: the others."
        figures.append(
            _lines("terms-angle", "Which terms fight", caption, f"Mean cosines: {mean}.", table, pairs, "cosine")
        )
    return [*figures, *_listing(tables)]


def _listing(tables: StudyTables) -> list[Figure]:
    known = worth(tables)
    if not known:
        return []
    rows = [{"without": what, f"change of {label(tables.objective)}": span(one.mean, one.low, one.high, signed=True)}
            for what, one in known.items()]  # fmt: skip
    seeds = max(one.n for one in known.values())
    caption = f"The winner trained again without it, on validation, {seeds} seeds; mean and 95 % interval."
    return [Listing("terms-worth", "What each part of the loss is worth", caption, pd.DataFrame(rows), half=True)]


def _marks(order: list[str], columns: int = 3) -> dict[str, Any]:
    """Colour and dash of each line, never colour alone."""
    paint = [PAINT[HUES[i % len(HUES)]] for i in range(len(order))]
    dash = [DASHES[i % len(DASHES)] for i in range(len(order))]
    legend = alt.Legend(columns=columns, symbolType="stroke")
    return {
        "color": alt.Color("term:N", sort=order, scale=alt.Scale(domain=order, range=paint), legend=legend),
        "strokeDash": alt.StrokeDash("term:N", sort=order, scale=alt.Scale(domain=order, range=dash), legend=legend),
    }


def _lines(name: str, title: str, caption: str, spoken: str, table: pd.DataFrame, order: list[str], what: str) -> Chart:
    positive = bool((table["value"] > 0).all()) and what != "cosine"
    low, high = float(table["value"].min()), float(table["value"].max())
    seen = Window(0.9 * low, 1.1 * high, True) if positive and high > 20 * low else None
    own = table["term"].isin(order)
    data = {"lines": table[own]} | ({} if own.all() else {"others": table[~own]})
    draw = partial(_draw, order, what, seen, not own.all())
    return Chart(name, title, caption, spoken, data, draw, half=True)


def _draw(order: list[str], what: str, seen: Window | None, others: bool) -> Drawing:
    """A line each over the epochs, on a log scale of what is `seen`, if any is."""
    scale = alt.Scale(domain=[-1, 1]) if what == "cosine" else alt.Scale(zero=what == "coefficient")
    scale, axis = (
        (window_scale(seen), window_axis(seen)) if seen else (scale, alt.Axis(title=None, format=".3~g", tickCount=5))
    )
    at = {
        "x": alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1)),
        "y": alt.Y("value:Q", scale=scale, axis=axis),
        "tooltip": ["term:N", "epoch:Q", alt.Tooltip("value:Q", title=what, format=".4~g")],
    }
    # pairs have long names: each on a line of its own
    told = _marks(order, 1 if what == "cosine" else 3)
    layers = [alt.Chart(source("lines")).mark_line().encode(**at, **told)]
    if others:
        faint = alt.Chart(source("others")).mark_line(color=PAINT["faint"], strokeWidth=1)
        layers.insert(0, faint.encode(**at, detail="term:N"))
    return alt.layer(*layers).properties(height=240, title=window_heading(seen, what) if seen else heading(what))


def _areas(order: list[str]) -> Drawing:
    paint = [PAINT[HUES[i % len(HUES)]] for i in range(len(order))]
    color = alt.Color(
        "term:N",
        sort=order,
        scale=alt.Scale(domain=order, range=paint),
        legend=alt.Legend(columns=3, symbolType="square"),
    )
    drawn: alt.Chart = (
        alt.Chart(source("lines"))
        .mark_area(opacity=0.85)
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1)),
            y=alt.Y("value:Q", stack="normalize", axis=alt.Axis(title=None, format="%", tickCount=5)),
            color=color,
            order=alt.Order("term:N"),
            tooltip=["term:N", "epoch:Q", alt.Tooltip("value:Q", title="share", format=".1%")],
        )
    )
    return drawn.properties(height=240, title=heading("share of the pull"))
