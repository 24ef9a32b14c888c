"""Where images are predicted: by how much each is nearer to the truth than what the network was given."""

from dataclasses import dataclass

import altair as alt
import pandas as pd

from thalweg.reporting.advice import epochs
from thalweg.reporting.analysis.groups import groups
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import evenly
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import fixed, many, share, span
from thalweg.stats.intervals import Interval, clustered

DRAWN = 1500
"""At most so many examples are drawn, evenly from the least gain to the most."""


@dataclass(frozen=True)
class Gains:
    """Examples with their `gain` in dB over what was given, and its mean."""

    table: pd.DataFrame
    mean: Interval


def known(tables: StudyTables) -> Gains | None:
    """What is gained; None where that was not measured, or in one group alone."""
    if tables.predictions.empty or not {"psnr", "given_psnr"} <= set(tables.predictions):
        return None
    table = tables.predictions.assign(gain=tables.predictions["psnr"] - tables.predictions["given_psnr"])
    mean = clustered(table["gain"], groups(table))
    return None if mean is None else Gains(table, mean)


def findings(tables: StudyTables) -> list[Finding]:
    """Whether the winner's images are nearer to the truth than those that it was given."""
    found = known(tables)
    if found is None:
        return []
    table, mean = found.table, found.mean
    evidence = (
        f"Peak signal-to-noise ratio is {fixed(table['given_psnr'].mean(), 1)} dB in what is given and "
        f"{fixed(table['psnr'].mean(), 1)} dB in what is made of it, "
        f"{span(mean.mean, mean.low, mean.high, signed=True)} dB, over {many(len(table), 'example')} in "
        f"{many(mean.n, 'group')}. "
        f"{share(int((table['gain'] < 0).sum()), len(table))} become worse."
    )
    if mean.low > 0:
        verdict = f"The winner's images are {fixed(mean.mean, 1)} dB nearer to the truth than what it is given."
        return [Finding(verdict, evidence, tone="good")]
    step = epochs.of_trials(tables, "more") or "Look under Health whether the network learns at all."
    if mean.high < 0:
        return [Finding("The winner makes images worse than they are given.", evidence, step, tone="caution")]
    return [Finding("The winner's images are no nearer to the truth beyond noise.", evidence, step, tone="caution")]


def charts(tables: StudyTables) -> list[Figure]:
    """Each example's gain against how good it was when it was given."""
    found = known(tables)
    if found is None:
        return []
    points = found.table[["image", "given_psnr", "psnr", "gain"]].sort_values(["gain", "image"], kind="stable")
    caption = (
        "What is gained over what was given, each example a dot; the line is the mean, the band its 95 % interval."
    )
    if len(points) > DRAWN:
        points = points.iloc[evenly(len(points), DRAWN)]
        caption += f" {share(len(points), len(found.table))} examples are drawn."
    mean = pd.DataFrame([{"mean": found.mean.mean, "low": found.mean.low, "high": found.mean.high}])
    spoken = f"Gain of {many(len(found.table), 'example')}, from {fixed(found.table['gain'].min(), 1, signed=True)} to "
    spoken += f"{fixed(found.table['gain'].max(), 1, signed=True)} dB."
    data = {"points": points, "mean": mean, "zero": pd.DataFrame({"gain": [0.0]})}
    return [Chart("gain", "Gain over what was given", caption, spoken, data, _draw, aside=("zero",))]


def _draw() -> Drawing:
    x = alt.X(
        "given_psnr:Q",
        axis=alt.Axis(title="given, dB", tickCount=5, format=".4~g"),
        scale=alt.Scale(zero=False, nice=False, padding=12),
    )
    y = alt.Y("gain:Q", title=None, axis=alt.Axis(tickCount=6))
    zero = alt.Chart(source("zero")).mark_rule(color=PAINT["ink"], strokeWidth=1).encode(y=y)
    dots = (
        alt.Chart(source("points"))
        .mark_point(color=PAINT["plain"], size=26, opacity=0.5)
        .encode(
            x=x,
            y=y,
            tooltip=["image:N", *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("given_psnr", "psnr", "gain"))],
        )
    )
    mean = alt.Chart(source("mean"))
    band = mean.mark_rect(color=PAINT["winner"], opacity=0.2).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    line = mean.mark_rule(color=PAINT["winner"], strokeWidth=2).encode(
        y=alt.Y("mean:Q", title=None),
        tooltip=[alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("mean", "low", "high")],
    )
    return alt.layer(zero, band, dots, line).properties(height=260, title=heading("gain, dB"))
