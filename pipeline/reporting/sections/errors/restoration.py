"""Where images are predicted: by how much each is nearer to the truth than what the network was given."""

import altair as alt
import pandas as pd

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis.groups import assign_groups
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_fixed, format_interval, format_share
from thalweg.stats.intervals import Interval, cluster_robust_interval

MAX_POINTS = 1500
"""At most so many examples are drawn, evenly from the least gain to the most."""


def compute_gains(tables: StudyTables) -> tuple[pd.DataFrame, Interval] | None:
    """Examples with their `gain` over what was given, dB, and its mean; None where not measured, or in one group."""
    if not {"psnr", "given_psnr"} <= set(tables.predictions):
        return None
    table = tables.predictions.assign(gain=tables.predictions["psnr"] - tables.predictions["given_psnr"])
    mean = cluster_robust_interval(table["gain"], assign_groups(table))
    return None if mean is None else (table, mean)


def build_findings(tables: StudyTables) -> list[Finding]:
    """Whether the winner's images are nearer to the truth than those that it was given."""
    known = compute_gains(tables)
    if known is None:
        return []
    table, mean = known
    evidence = (
        f"Peak signal-to-noise ratio is {format_fixed(table['given_psnr'].mean(), 1)} dB in what is given and "
        f"{format_fixed(table['psnr'].mean(), 1)} dB in what is made of it, "
        f"{format_interval(mean.mean, mean.low, mean.high, signed=True)} dB, over {format_count(len(table), 'example')} in "
        f"{format_count(mean.n, 'group')}. {format_share(int((table['gain'] < 0).sum()), len(table))} become worse."
    )
    if mean.low > 0:
        verdict = f"The winner's images are {format_fixed(mean.mean, 1)} dB nearer to the truth than what it is given."
        return [Finding(verdict, evidence, tone="good")]
    step = epochs.advise_trial_epochs(tables, "more") or "Look under Health whether the network learns at all."
    verdict = (
        "The winner makes images worse than they are given."
        if mean.high < 0
        else "The winner's images are no nearer to the truth beyond noise."
    )
    return [Finding(verdict, evidence, step, tone="caution")]


def build_figures(tables: StudyTables) -> list[Figure]:
    """Each example's gain against how good it was when it was given."""
    known = compute_gains(tables)
    if known is None:
        return []
    table, mean = known
    points = table[["image", "given_psnr", "psnr", "gain"]].sort_values(["gain", "image"], kind="stable")
    caption = (
        "What is gained over what was given, each example a dot; the line is the mean, the band its 95 % interval."
    )
    if len(points) > MAX_POINTS:
        points = points.iloc[subsample_indices(len(points), MAX_POINTS)]
        caption += f" {format_share(len(points), len(table))} examples are drawn."
    least, most = (format_fixed(end, 1, signed=True) for end in (table["gain"].min(), table["gain"].max()))
    spoken = f"Gain of {format_count(len(table), 'example')}, from {least} to {most} dB."
    line = pd.DataFrame([{"mean": mean.mean, "low": mean.low, "high": mean.high}])
    data = {"points": points, "mean": line, "zero": pd.DataFrame({"gain": [0.0]})}
    return [Chart("gain", "Gain over what was given", caption, spoken, data, _plot_gains, decoration_tables=("zero",))]


def _plot_gains() -> AltairChart:
    axis = alt.Axis(title="given, dB", tickCount=5, format=".4~g")
    x = alt.X("given_psnr:Q", axis=axis, scale=alt.Scale(zero=False, nice=False, padding=12))
    y = alt.Y("gain:Q", title=None, axis=alt.Axis(tickCount=6))
    zero = build_layer("zero").mark_rule(color=PAINT["ink"], strokeWidth=1).encode(y=y)
    dots = build_layer("points").mark_point(color=PAINT["plain"], size=26, opacity=0.5)
    dots = dots.encode(x=x, y=y, tooltip=["image:N", *build_tooltips(".3~g", "given_psnr", "psnr", "gain")])
    low, mean = (alt.Y(f"{name}:Q", title=None) for name in ("low", "mean"))
    band = build_layer("mean").mark_rect(color=PAINT["winner"], opacity=0.2).encode(y=low, y2="high:Q")
    line = build_layer("mean").mark_rule(color=PAINT["winner"], strokeWidth=2)
    line = line.encode(y=mean, tooltip=build_tooltips(".3~g", "mean", "low", "high"))
    return alt.layer(zero, band, dots, line).properties(height=260, title=build_heading("gain, dB"))
