"""The loss along lines: between the minima of two seeds, and as mini-batches see it."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_range

MIN_STANDARD_ERRORS = 3
"""Standard errors above which a rise of the loss is a barrier."""


def compute_barriers(tables: StudyTables, split: str) -> pd.DataFrame:
    """Compute the barrier between the minima of each pair of seeds: second, rise, error, low (loss at the first end).

    The largest rise above the straight line between the losses of both ends (Frankle et al. 2020); 0 without a rise.
    """
    table = tables.landscape["lines"]
    rows = []
    for second, line in table[(table["part"] == split) & table["t"].between(0, 1)].groupby("second", sort=False):
        first, last = line.iloc[0], line.iloc[-1]
        straight = first["loss"] + (last["loss"] - first["loss"]) * line["t"]
        above = (line["loss"] - straight).to_numpy()
        top = int(np.argmax(above))
        rows.append((second, above[top], line["error"].to_numpy()[top], first["loss"]))
    return pd.DataFrame(rows, columns=["second", "rise", "error", "low"])


def build_findings(tables: StudyTables) -> list[Finding]:
    barriers = compute_barriers(tables, "train")
    if barriers.empty or (barriers["rise"] <= MIN_STANDARD_ERRORS * barriers["error"]).any():
        return []
    rises = format_range(*(format_number(rise, 2) for rise in (barriers["rise"].min(), barriers["rise"].max())))
    evidence = (
        f"Between one seed's weights and another's, the training loss rises {rises} above its level at the ends, "
        f"which is {format_number(barriers['low'].iloc[0])} at the first. That was measured for "
        f"{format_count(len(barriers), 'pair')} of seeds."
    )
    step = "Average the predictions of several seeds (`confirm.members`), not the weights."
    numbers = {"lowest_rise": float(barriers["rise"].min()), "highest_rise": float(barriers["rise"].max())}
    verdict = "Each seed ends in a place of its own, with a barrier between them."
    return [Finding(verdict, evidence, step, numbers=numbers)]


def build_figures(tables: StudyTables) -> list[Figure]:
    figures = [] if tables.landscape["lines"].empty else [_build_barrier_chart(tables)]
    return figures if tables.landscape["batches"].empty else [*figures, _build_batch_chart(tables)]


def _build_barrier_chart(tables: StudyTables) -> Figure:
    lines = tables.landscape["lines"]
    order = {seed: f"{i + 2}" for i, seed in enumerate(dict.fromkeys(lines["second"]))}
    pairs = [f"{part} to seed {order[second]}" for part, second in zip(lines["part"], lines["second"], strict=True)]
    table = lines.assign(pair=pairs, low=lines["loss"] - lines["error"], high=lines["loss"] + lines["error"])
    rises = compute_barriers(tables, "train")
    caption = (
        "The loss on the straight line between the ends of training of two seeds; 0 and 1 are these ends. A hill "
        "between them means that the seeds found different valleys. Bands: one standard error over examples."
    )
    spoken = (
        f"Loss between the ends of seeds: barriers of {', '.join(format_number(rise, 2) for rise in rises['rise'])}."
    )
    data = {"lines": table[["pair", "part", "t", "loss", "low", "high"]], "ends": pd.DataFrame({"t": [0.0, 1.0]})}
    title = "From one seed's end to another's"
    return Chart(
        "barriers", title, caption, spoken, data, _plot_barriers, is_half_width=True, decoration_tables=("ends",)
    )


def _plot_barriers() -> AltairChart:
    x = alt.X("t:Q", axis=alt.Axis(title="share of the line", tickCount=4), scale=alt.Scale(nice=False))
    parts = ["train", "validation"]
    paint = alt.Scale(domain=parts, range=[PAINT["ink"], PAINT["plain"]])
    channels = {"x": x, "detail": "pair:N", "color": alt.Color("part:N", scale=paint, legend=alt.Legend())}
    strokes = alt.Scale(domain=parts, range=[[1, 0], [5, 3]])
    bands = build_layer("lines").mark_area(opacity=0.16).encode(y=alt.Y("low:Q", title=None), y2="high:Q", **channels)
    curves = (
        build_layer("lines")
        .mark_line()
        .encode(
            y=_encode_loss(),
            strokeDash=alt.StrokeDash("part:N", scale=strokes, legend=None),
            tooltip=["pair:N", build_tooltip("loss")],
            **channels,
        )
    )
    ends = build_layer("ends").mark_rule(color=PAINT["line"]).encode(x=x)
    return alt.layer(ends, bands, curves).properties(height=260, title=build_heading("loss"))


def _encode_loss() -> alt.Y:
    return alt.Y("loss:Q", axis=alt.Axis(title=None), scale=alt.Scale(zero=False))


def _build_batch_chart(tables: StudyTables) -> Figure:
    table = tables.landscape["batches"]
    sizes = sorted(table["size"].unique())
    centre = table[np.isclose(table["t"], 0.0)].groupby("size")["loss"].std()
    table = table.assign(batch=table["size"].map("{:,}".format))
    caption = (
        "The loss on one random line through the end of training, as 8 mini-batches of each size see it. So few show "
        f"the spread only roughly. The largest size is all of {format_count(int(sizes[-1]), 'example')}. Larger "
        "batches agree better."
    )
    spread = "; ".join(f"{size}: {format_number(value, 2)}" for size, value in centre.dropna().items())
    spoken = f"Standard deviation of the loss at the end of training between batches of a size: {spread}."
    draw = partial(_plot_batches, [f"{size:,}" for size in sizes])
    data = {"lines": table[["batch", "draw", "t", "loss"]]}
    return Chart("batches", "What a mini-batch sees", caption, spoken, data, draw, is_half_width=True)


def _plot_batches(sizes: list[str]) -> AltairChart:
    paint = [PAINT[f"depth{depth}"] for depth in (6, 4, 3, 2, 1)][-len(sizes) :]
    scale = alt.Scale(domain=sizes, range=[*paint[: len(sizes) - 1], PAINT["river"]])
    chart: alt.Chart = build_layer("lines").mark_line(strokeWidth=1.1).encode(
        x=alt.X("t:Q", axis=alt.Axis(title="along a random direction", tickCount=5), scale=alt.Scale(nice=False)),
        y=_encode_loss(),
        color=alt.Color("batch:N", sort=sizes, scale=scale, legend=alt.Legend()),
        detail="draw:N",
        tooltip=["batch:N", build_tooltip("loss")],
    )  # fmt: skip
    return chart.properties(height=260, title=build_heading("loss"))
