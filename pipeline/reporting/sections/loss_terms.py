"""A loss of several terms: how each falls, how hard it pulls and against which others, and what each is worth."""

from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis.loss_terms import (
    compute_gradient_cosines,
    compute_gradient_shares,
    compute_term_curves,
    compute_term_effects,
    list_terms,
)
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import (
    build_category_scale,
    build_heading,
    build_layer,
    build_tooltip,
    build_window_axis,
    build_window_heading,
    build_window_scale,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_interval, format_number, join_items, metric_label
from thalweg.stats.intervals import compare_with_zero

TITLE = "Loss terms"
ORDER = 42
MAX_CONFLICT_COSINE = -0.2
"""The mean cosine below which two terms fight."""
MIN_PULL_SHARE = 0.02
"""The share of the pull below which a term says nothing, over epochs in which it has a weight."""
MAX_COLOURED_PAIRS = 4
"""Pairs that are told apart."""
TERM_COLOURS = ("winner", "diverged", "ink", "baseline", "plain", "depth0")
TERM_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3], [10, 4])


def is_applicable(tables: StudyTables) -> bool:
    """Whether the loss has several terms."""
    return bool(list_terms(tables))


def build_findings(tables: StudyTables) -> list[Finding]:
    return (
        [*_report_term_worth(tables), *_report_conflicts(tables), *_report_weak_terms(tables)]
        if is_applicable(tables)
        else []
    )


def _report_term_worth(tables: StudyTables) -> list[Finding]:
    known = compute_term_effects(tables)
    if not known:
        return []
    behind = () if tables.winner is None else (tables.winner,)
    told = "; ".join(
        f"{what} {format_interval(one.mean, one.low, one.high, signed=True)}" for what, one in known.items()
    )
    each = "Without it" if len(known) == 1 else "Without each of these alone"
    evidence = f"{each}, {metric_label(tables.objective)} on validation differs by: {told}."
    verdicts = {what: compare_with_zero(apart, tables.sign) for what, apart in known.items()}
    needed, harmful = ([what for what, one in verdicts.items() if one == way] for way in ("worse", "better"))
    found = []
    if harmful:
        step = f"Lower the weight of {join_items(harmful)}, or search it down to 0."
        found.append(Finding(f"The winner is better without {join_items(harmful)}.", evidence, step, behind, "caution"))
    if needed:
        found.append(
            Finding(f"What helps surely: {join_items(needed)}.", "" if found else evidence, "", behind, "good")
        )
    if not found:
        verdict = "No part of the loss is surely worth anything by itself: a simpler one may do as well."
        found.append(Finding(verdict, evidence, more_seeds.advise_diagnose_seeds(tables), behind))
    return found


def _report_conflicts(tables: StudyTables) -> list[Finding]:
    mean = compute_gradient_cosines(tables).groupby("pair", sort=False)["cosine"].mean().dropna()
    fighting = mean.index[mean < MAX_CONFLICT_COSINE].tolist()
    if not fighting:
        return []
    told = "; ".join(f"{pair} {format_number(value, 2)}" for pair, value in mean.items())
    step = f"Search the weights of {join_items(fighting)} together, or let `study.also` show what each costs."
    evidence = f"Mean cosine between gradients over training: {told}."
    return [Finding(f"{join_items(fighting)} pull against each other.", evidence, step)]


def _report_weak_terms(tables: StudyTables) -> list[Finding]:
    weighted = {name: compute_term_curves(tables)[f"term.{name}.coefficient"] > 0 for name in list_terms(tables)}
    shares = compute_gradient_shares(tables)[list_terms(tables)].where(pd.DataFrame(weighted)).mean().fillna(0.0)
    harmful = [
        what for what, one in compute_term_effects(tables).items() if compare_with_zero(one, tables.sign) == "better"
    ]
    silent = [str(name) for name in shares.index[shares < MIN_PULL_SHARE] if str(name) not in harmful]
    if not silent:
        return []
    evidence = "Share of the gradients' norms over the epochs in which a term has a weight: "
    evidence += ", ".join(f"{name} {100 * value:.1f} %" for name, value in shares.items()) + "."
    weights = [format_code(name) for term in silent for name in _list_weight_settings(tables, term)]
    has, out = ("has", "it") if len(silent) == 1 else ("have", "them")
    step = f"Raise the weight of {join_items(silent)} ({join_items(weights)}), or leave {out} out."
    return [Finding(f"{join_items(silent)} {has} hardly any say.", evidence, step)]


def _list_weight_settings(tables: StudyTables, term: str) -> list[str]:
    """The settings that give a term its weight: of its phases those that give it one, else its own."""
    own = f"loss.terms.{term}"
    phases = tables.setting(f"{own}.phases") or {}
    return [f"{own}.phases.{name}.weight" for name, phase in phases.items() if phase.get("weight")] or [f"{own}.weight"]


def build_figures(tables: StudyTables) -> list[Figure]:
    order = list_terms(tables)
    if compute_term_curves(tables).empty or not order:
        return []
    losses = _melt_terms(tables, "loss")
    ends = "; ".join(
        f"{name} ends at {format_number(value)}" for name, value in losses.groupby("term")["value"].last().items()
    )
    title, caption = "Each term on validation", "Before its coefficient."
    figures: list[Figure] = [_build_line_chart("terms-loss", title, caption, ends, losses, order, "loss")]

    shares = compute_gradient_shares(tables)
    pulled = shares.melt("epoch", var_name="term", value_name="value").dropna()
    mean = "; ".join(f"{name} {100 * value:.0f} %" for name, value in shares[order].mean().items())
    title, spoken = "What each term pulls at", f"Mean shares: {mean}."
    caption = "The share of each term, with its coefficient, in the summed norms of their gradients."
    figures.append(
        Chart(
            "terms-pull",
            title,
            caption,
            spoken,
            {"lines": pulled},
            partial(_plot_pull_shares, order),
            is_half_width=True,
        )
    )

    weights = _melt_terms(tables, "coefficient")
    if weights.groupby("term")["value"].nunique().max() > 1:
        caption = "The coefficient of each term: its weight, moved by phases, schedule and balance."
        if (weights["value"] == 0).any():
            weights, caption = weights[weights["value"] > 0], f"{caption} No line where it is 0."
        spoken = "Coefficients by epoch."
        figures.append(
            _build_line_chart("terms-weight", "Coefficients", caption, spoken, weights, order, "coefficient")
        )
    return [*figures, *_build_cosine_charts(tables)]


def _melt_terms(tables: StudyTables, what: str) -> pd.DataFrame:
    """One column of each term, one row a term and epoch."""
    columns = {f"term.{name}.{what}": name for name in list_terms(tables)}
    known = compute_term_curves(tables)[["epoch", *columns]].rename(columns=columns)
    return known.melt("epoch", var_name="term").replace([np.inf, -np.inf], np.nan).dropna()[["term", "epoch", "value"]]


def _build_cosine_charts(tables: StudyTables) -> list[Chart]:
    table = compute_gradient_cosines(tables).dropna().rename(columns={"pair": "term", "cosine": "value"})
    if table.empty:
        return []
    means = table.groupby("term", sort=False)["value"].mean()
    spoken = f"Mean cosines: {'; '.join(f'{pair} {format_number(value, 2)}' for pair, value in means.items())}."
    caption = "The cosine between two terms' gradients: 1 where they ask for the same step, below 0 where they fight."
    first = means.sort_values(kind="stable").head(MAX_COLOURED_PAIRS)
    pairs = [pair for pair in means.index if pair in first]
    if len(means) > len(pairs):
        caption += f" Told apart are the {len(pairs)} pairs of the lowest mean; grey: the others."
    return [_build_line_chart("terms-angle", "Which terms fight", caption, spoken, table, pairs, "cosine")]


def _build_line_chart(
    name: str, title: str, caption: str, spoken: str, table: pd.DataFrame, order: list[str], what: str
) -> Chart:
    low, high = float(table["value"].min()), float(table["value"].max())
    seen = Window(0.9 * low, 1.1 * high, True) if what != "cosine" and 0 < low < high / 20 else None
    own = table["term"].isin(order)
    data = {"lines": table[own], "others": table[~own]}
    return Chart(name, title, caption, spoken, data, partial(_plot_lines, order, what, seen), is_half_width=True)


def _plot_lines(order: list[str], what: str, seen: Window | None) -> AltairChart:
    """A line each over the epochs, on a log scale of what is `seen`, if any is."""
    scale = alt.Scale(domain=[-1, 1]) if what == "cosine" else alt.Scale(zero=what == "coefficient")
    axis = alt.Axis(title=None, format=".3~g", tickCount=5)
    if seen:
        scale, axis = build_window_scale(seen), build_window_axis(seen)
    y = alt.Y("value:Q", scale=scale, axis=axis)
    at: dict[str, Any] = {
        "x": _encode_epochs(),
        "y": y,
        "tooltip": ["term:N", "epoch:Q", build_tooltip("value", title=what)],
    }
    # pairs have long names: each on a line of its own; never told apart by colour alone
    legend = alt.Legend(columns=1 if what == "cosine" else 3, symbolType="stroke")
    dashes = build_category_scale({term: TERM_DASHES[i % len(TERM_DASHES)] for i, term in enumerate(order)})
    dash = alt.StrokeDash("term:N", sort=order, scale=dashes, legend=legend)
    faint = build_layer("others").mark_line(color=PAINT["faint"], strokeWidth=1).encode(**at, detail="term:N")
    lines = build_layer("lines").mark_line().encode(**at, color=_encode_term_colour(order, legend), strokeDash=dash)
    return alt.layer(faint, lines).properties(
        height=240, title=build_window_heading(seen, what) if seen else build_heading(what)
    )


def _plot_pull_shares(order: list[str]) -> AltairChart:
    share = alt.Axis(title=None, format="%", tickCount=5)
    areas: alt.Chart = build_layer("lines").mark_area(opacity=0.85)
    drawn = areas.encode(
        x=_encode_epochs(),
        y=alt.Y("value:Q", stack="normalize", axis=share),
        color=_encode_term_colour(order, alt.Legend(columns=3, symbolType="square")),
        order=alt.Order("term:N"),
        tooltip=["term:N", "epoch:Q", build_tooltip("value", ".1%", title="share")],
    )
    return drawn.properties(height=240, title=build_heading("share of the pull"))


def _encode_epochs() -> alt.X:
    return alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1))


def _encode_term_colour(order: list[str], legend: alt.Legend) -> alt.Color:
    paints = build_category_scale({term: PAINT[TERM_COLOURS[i % len(TERM_COLOURS)]] for i, term in enumerate(order)})
    return alt.Color("term:N", sort=order, scale=paints, legend=legend)
