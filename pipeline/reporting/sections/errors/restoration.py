"""Predicted images: the gain of each over the input of the network."""

import altair as alt
import pandas as pd

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis.groups import assign_groups
from thalweg.reporting.finding import Finding, measure
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltip, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import capitalise_first, format_count, format_fixed, format_interval, format_share
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import cluster_robust_interval

MAX_POINTS = 1500
"""Examples in the chart, at most; thinned evenly from the smallest gain to the largest."""


def compute_gains(tables: StudyTables) -> tuple[pd.DataFrame, Interval] | None:
    """Return examples with their `gain` over the input in dB, and its mean; None if not measured or one group."""
    if not {"psnr", "given_psnr"} <= set(tables.predictions):
        return None
    table = tables.predictions.assign(gain=tables.predictions["psnr"] - tables.predictions["given_psnr"])
    mean = cluster_robust_interval(table["gain"], assign_groups(table))
    return None if mean is None else (table, mean)


def build_findings(tables: StudyTables) -> list[Finding]:
    """Report whether the winner's output is nearer to the truth than its input."""
    if (gains := compute_gains(tables)) is None:
        return []
    table, mean = gains
    worse = capitalise_first(format_share(int((table["gain"] < 0).sum()), len(table)))
    evidence = (
        f"The peak signal-to-noise ratio is {format_fixed(table['given_psnr'].mean(), 1)} dB for the input and "
        f"{format_fixed(table['psnr'].mean(), 1)} dB for the output, a gain of "
        f"{format_interval(mean.mean, mean.low, mean.high, signed=True)} dB over {format_count(len(table), 'example')} "
        f"in {format_count(mean.n, 'group')}. {worse} become worse."
    )
    if mean.low > 0:
        verdict = f"The winner's output is {format_fixed(mean.mean, 1)} dB nearer to the truth than its input."
        return [Finding(verdict, evidence, tone="good", **measure({"gain": mean}))]
    step = epochs.advise_trial_epochs(tables, "more") or "Check under Health whether the network learns at all."
    verdict = "The winner shows no gain over its input beyond noise."
    if mean.high < 0:
        verdict = "The winner makes its input worse."
    return [Finding(verdict, evidence, step, tone="caution", **measure({"gain": mean}))]


def build_figures(tables: StudyTables) -> list[Figure]:
    """Draw the gain of each example by the quality of its input."""
    if (gains := compute_gains(tables)) is None:
        return []
    table, mean = gains
    points = table[["image", "given_psnr", "psnr", "gain"]].sort_values(["gain", "image"], kind="stable")
    caption = "Gain of the output over the input, one dot per example. Line: the mean; band: its 95 % interval."
    if len(points) > MAX_POINTS:
        points = points.iloc[subsample_indices(len(points), MAX_POINTS)]
        caption += f" {format_share(len(points), len(table))} examples are drawn."
    least, most = (format_fixed(end, 1, signed=True) for end in (table["gain"].min(), table["gain"].max()))
    description = f"Gain of {format_count(len(table), 'example')}, from {least} to {most} dB."
    line = pd.DataFrame([{"mean": mean.mean, "low": mean.low, "high": mean.high}])
    data = {"points": points, "mean": line, "zero": pd.DataFrame({"gain": [0.0]})}
    return [Chart("gain", "Gain over the input", caption, description, data, _plot_gains, decoration_tables=("zero",))]


def _plot_gains() -> AltairChart:
    axis = alt.Axis(title="input, dB", tickCount=5, format=".4~g")
    x = alt.X("given_psnr:Q", axis=axis, scale=alt.Scale(zero=False, nice=False, padding=12))
    y = alt.Y("gain:Q", title=None, axis=alt.Axis(tickCount=6))
    labels = {"given_psnr": "input, dB", "psnr": "output, dB", "gain": "gain, dB"}
    tooltips = [build_tooltip(field, ".3~g", title=label) for field, label in labels.items()]
    zero = build_layer("zero").mark_rule(color=PAINT["ink"], strokeWidth=1).encode(y=y)
    dots = build_layer("points").mark_point(color=PAINT["plain"], size=26, opacity=0.5)
    dots = dots.encode(x=x, y=y, tooltip=["image:N", *tooltips])
    low, mean = (alt.Y(f"{name}:Q", title=None) for name in ("low", "mean"))
    band = build_layer("mean").mark_rect(color=PAINT["winner"], opacity=0.2).encode(y=low, y2="high:Q")
    line = build_layer("mean").mark_rule(color=PAINT["winner"], strokeWidth=2)
    line = line.encode(y=mean, tooltip=build_tooltips(".3~g", "mean", "low", "high"))
    return alt.layer(zero, band, dots, line).properties(height=260, title=build_heading("gain, dB"))
