"""A loss of several terms: the curve, gradient share, conflicts and worth of each."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis import ablation_effects, loss_terms
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding, measure
from thalweg.reporting.page import marks
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.sentences import describe_joint_intervals
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_code,
    format_fixed,
    format_interval,
    format_number,
    format_percent,
    format_range,
    join_items,
)
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import compare_with_zero

TITLE = "Loss terms"
ORDER = 22
MAX_CONFLICT_COSINE = -0.2
"""Mean cosine below which two terms conflict."""
MIN_PULL_SHARE = 0.02
"""Share of the gradient norms below which a term hardly matters, over epochs in which it has a weight."""
MAX_COLOURED_PAIRS = 4
"""Pairs drawn in colour, at most."""
TERM_COLOURS = ("winner", "diverged", "ink", "baseline", "plain", "depth0")
TERM_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3], [10, 4])


def is_applicable(tables: StudyTables) -> bool:
    """Return whether the loss has several terms."""
    return bool(loss_terms.list_terms(tables))


def build_findings(tables: StudyTables) -> list[Finding]:
    if not is_applicable(tables):
        return []
    return [*_report_term_worth(tables), *_report_conflicts(tables), *_report_weak_terms(tables)]


def _report_term_worth(tables: StudyTables) -> list[Finding]:
    effects = loss_terms.compute_term_effects(tables)
    if not effects:
        return []
    trials = () if tables.winner is None else (tables.winner,)
    changes = "; ".join(
        f"{_format_part(name)} {format_interval(effect.mean, effect.low, effect.high, signed=True)}"
        for name, effect in effects.items()
    )
    left_out = "it" if len(effects) == 1 else "each of these alone"
    counts = [effect.n for effect in effects.values()]
    evidence = (
        f"Change of {tables.objective_label} on the validation set without {left_out}, over "
        f"{format_range(str(min(counts)), str(max(counts)))} fresh seeds (an interval may reach beyond the metric's "
        f"values): {changes}.{describe_joint_intervals(len(ablation_effects.compute_effects(tables)))}"
    )
    needed, harmful = (_list_terms_by_effect(tables, without) for without in ("worse", "better"))
    findings = []
    if harmful:
        terms = join_items([name for name in harmful if name.startswith("term ")])
        parts = join_items([name for name in harmful if not name.startswith("term ")])
        steps = [f"Lower the weight of {terms}, or search it down to 0."] if terms else []
        step = " ".join([*steps, f"Leave out {parts}."] if parts else steps)
        verdict = f"The winner is better without {harmful[0]}."
        if len(harmful) > 1:
            verdict = f"The winner is better without each of these parts of the loss: {join_items(harmful)}."
        findings.append(
            Finding(verdict, evidence, step, trials, "caution", **measure(_select_effects(effects, harmful)))
        )
    if needed:
        verdict = f"The winner is worse without {needed[0]}."
        if len(needed) > 1:
            verdict = f"The winner needs each of these parts of the loss: {join_items(needed)}."
        shown, measured = "" if findings else evidence, measure(_select_effects(effects, needed))
        findings.append(Finding(verdict, shown, "", trials, "good", **measured))
    if not findings:
        verdict = "It is unclear whether any part of the loss helps: leaving out one makes no clear difference."
        findings.append(Finding(verdict, evidence, more_seeds.advise_diagnose_seeds(), trials, **measure(effects)))
    return findings


def _select_effects(effects: Mapping[str, Interval], parts: Sequence[str]) -> dict[str, Interval]:
    return {name: effect for name, effect in effects.items() if _format_part(name) in parts}


def _format_part(name: str) -> str:
    """Format the part of a loss, with a phase's own name as code: phase `late` of cells."""
    return re.sub(r"^phase (.+) of ", r"phase `\1` of ", name)


def _list_terms_by_effect(tables: StudyTables, without: str) -> list[str]:
    """List the parts of the loss without which the winner is "worse" or "better"."""
    effects = loss_terms.compute_term_effects(tables)
    return [_format_part(name) for name, effect in effects.items() if compare_with_zero(effect, tables.sign) == without]


def _report_conflicts(tables: StudyTables) -> list[Finding]:
    means = loss_terms.compute_gradient_cosines(tables).groupby("pair", sort=False)["cosine"].mean().dropna()
    conflicts = means.index[means < MAX_CONFLICT_COSINE].tolist()
    if not conflicts:
        return []
    cosines = join_items([f"{format_number(means[pair], 2)} for {pair}" for pair in conflicts])
    terms = dict.fromkeys(term for pair in conflicts for term in pair.split(" and "))
    weights = join_items([f"`loss.terms.{term}.weight`" for term in terms])
    step = f"Search {weights} together, or add metrics to `study.also` that show what each costs."
    evidence = f"Mean cosine between their gradients over training: {cosines}."
    if len(conflicts) < len(means):
        evidence += f" All other pairs have {format_number(means.drop(conflicts).min(), 2)} or more."
    return [
        Finding(
            f"{join_items(conflicts)} pull against each other.",
            evidence,
            step,
            numbers={str(pair): float(means[pair]) for pair in conflicts},
        )
    ]


def _report_weak_terms(tables: StudyTables) -> list[Finding]:
    terms, curves = loss_terms.list_terms(tables), loss_terms.compute_term_curves(tables)
    is_weighted = pd.DataFrame({name: curves[f"term.{name}.coefficient"] > 0 for name in terms})
    shares = loss_terms.compute_gradient_shares(tables)[terms].where(is_weighted).mean().fillna(0.0)
    harmful = _list_terms_by_effect(tables, "better")
    weak = [str(name) for name in shares.index[shares < MIN_PULL_SHARE] if f"term {name}" not in harmful]
    if not weak:
        return []
    percents = ", ".join(f"{name} {format_fixed(100 * value, 1)} %" for name, value in shares.items())
    evidence = f"Mean share of the summed gradient norms, over epochs in which the term has a weight: {percents}."
    weights = [format_code(name) for term in weak for name in _list_weight_settings(tables, term)]
    verb, pronoun = ("affects", "it") if len(weak) == 1 else ("affect", "them")
    step = f"Raise the weight of {join_items(weak)} ({join_items(weights)}), or leave {pronoun} out."
    numbers = {name: float(shares[name]) for name in weak}
    return [Finding(f"{join_items(weak)} hardly {verb} training.", evidence, step, numbers=numbers)]


def _list_weight_settings(tables: StudyTables, term: str) -> list[str]:
    """List the settings that give a term its weight: those of its phases that do, else its own."""
    setting = f"loss.terms.{term}"
    phases = tables.setting(f"{setting}.phases") or {}
    return [f"{setting}.phases.{name}.weight" for name, phase in phases.items() if phase.get("weight")] or [
        f"{setting}.weight"
    ]


def build_figures(tables: StudyTables) -> list[Figure]:
    terms = loss_terms.list_terms(tables)
    if loss_terms.compute_term_curves(tables).empty or not terms:
        return []
    losses = _melt_terms(tables, "loss")
    last = losses.groupby("term")["value"].last()
    description = "; ".join(f"{name} ends at {format_number(value)}" for name, value in last.items())
    title, caption = (
        "Each term on the validation set",
        "Each term before it is multiplied by its weight.",
    )
    figures: list[Figure] = [_build_line_chart("terms-loss", title, caption, description, losses, terms, "loss")]

    shares = loss_terms.compute_gradient_shares(tables)
    data = {"lines": shares.melt("epoch", var_name="term", value_name="value").dropna()}
    means = "; ".join(f"{name} {format_percent(value, whole=True)}" for name, value in shares[terms].mean().items())
    title, description = "Share of each term in the gradient", f"Mean shares: {means}."
    caption = "Each term's share of the summed gradient norms, each multiplied by its weight in the loss."
    draw = partial(_plot_gradient_shares, terms)
    figures.append(Chart("terms-pull", title, caption, description, data, draw, is_half_width=True))

    weights = _melt_terms(tables, "coefficient")
    if weights.groupby("term")["value"].nunique().max() > 1:
        caption = "The coefficient of each term: its weight after phases, schedule and balance."
        if (weights["value"] == 0).any():
            weights, caption = weights[weights["value"] > 0], f"{caption} No line where it is 0."
        title, description = "Coefficients", "Coefficients by epoch."
        chart = _build_line_chart("terms-weight", title, caption, description, weights, terms, "coefficient")
        figures.append(chart)
    return [*figures, *_build_cosine_charts(tables)]


def _melt_terms(tables: StudyTables, quantity: str) -> pd.DataFrame:
    """Return one quantity of all terms, one row per term and epoch."""
    columns = {f"term.{name}.{quantity}": name for name in loss_terms.list_terms(tables)}
    curves = loss_terms.compute_term_curves(tables)[["epoch", *columns]].rename(columns=columns)
    return curves.melt("epoch", var_name="term").replace([np.inf, -np.inf], np.nan).dropna()[["term", "epoch", "value"]]


def _build_cosine_charts(tables: StudyTables) -> list[Chart]:
    table = loss_terms.compute_gradient_cosines(tables).dropna().rename(columns={"pair": "term", "cosine": "value"})
    if table.empty:
        return []
    means = table.groupby("term", sort=False)["value"].mean()
    description = f"Mean cosines: {'; '.join(f'{pair} {format_number(value, 2)}' for pair, value in means.items())}."
    caption = "Cosine between the gradients of two terms: 1 if they point the same way, below 0 if they conflict."
    first = means.sort_values(kind="stable").head(MAX_COLOURED_PAIRS)
    pairs = [pair for pair in means.index if pair in first]
    if len(means) > len(pairs):
        caption += f" Coloured: the {len(pairs)} pairs with the lowest mean. Grey: the others."
    return [_build_line_chart("terms-angle", "Which terms conflict", caption, description, table, pairs, "cosine")]


def _build_line_chart(
    name: str, title: str, caption: str, description: str, table: pd.DataFrame, order: list[str], quantity: str
) -> Chart:
    low, high = float(table["value"].min()), float(table["value"].max())
    window = Window(0.9 * low, 1.1 * high, True) if quantity != "cosine" and 0 < low < high / 20 else None
    is_coloured = table["term"].isin(order)
    data = {"lines": table[is_coloured], "others": table[~is_coloured]}
    return Chart(
        name, title, caption, description, data, partial(_plot_lines, order, quantity, window), is_half_width=True
    )


def _plot_lines(order: list[str], quantity: str, window: Window | None) -> AltairChart:
    """Draw a line per term over the epochs, on the log scale of `window` if there is one."""
    scale = alt.Scale(domain=[-1, 1]) if quantity == "cosine" else alt.Scale(zero=quantity == "coefficient")
    axis = alt.Axis(title=None, format=".3~g", tickCount=5)
    if window:
        scale, axis = marks.build_window_scale(window), marks.build_window_axis(window)
    y = alt.Y("value:Q", scale=scale, axis=axis)
    axes: dict[str, Any] = {
        "x": _encode_epochs(),
        "y": y,
        "tooltip": ["term:N", "epoch:Q", marks.build_tooltip("value", title=quantity)],
    }
    # pairs have long names: one legend entry per line; dashes, because colour alone excludes the colour-blind
    legend = alt.Legend(columns=1 if quantity == "cosine" else 3, symbolType="stroke")
    dashes = marks.build_category_scale({term: TERM_DASHES[i % len(TERM_DASHES)] for i, term in enumerate(order)})
    dash = alt.StrokeDash("term:N", sort=order, scale=dashes, legend=legend)
    faint = marks.build_layer("others").mark_line(color=PAINT["faint"], strokeWidth=1).encode(**axes, detail="term:N")
    lines = (
        marks.build_layer("lines").mark_line().encode(**axes, color=_encode_term_colour(order, legend), strokeDash=dash)
    )
    return alt.layer(faint, lines).properties(
        height=240, title=marks.build_window_heading(window, quantity) if window else marks.build_heading(quantity)
    )


def _plot_gradient_shares(order: list[str]) -> AltairChart:
    share = alt.Axis(title=None, format="%", tickCount=5)
    areas: alt.Chart = marks.build_layer("lines").mark_area(opacity=0.85)
    chart = areas.encode(
        x=_encode_epochs(),
        y=alt.Y("value:Q", stack="normalize", axis=share),
        color=_encode_term_colour(order, alt.Legend(columns=3, symbolType="square")),
        order=alt.Order("term:N"),
        tooltip=["term:N", "epoch:Q", marks.build_tooltip("value", ".1%", title="share")],
    )
    return chart.properties(height=240, title=marks.build_heading("share of gradient norms"))


def _encode_epochs() -> alt.X:
    return alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1))


def _encode_term_colour(order: list[str], legend: alt.Legend) -> alt.Color:
    paints = marks.build_category_scale(
        {term: PAINT[TERM_COLOURS[i % len(TERM_COLOURS)]] for i, term in enumerate(order)}
    )
    return alt.Color("term:N", sort=order, scale=paints, legend=legend)
