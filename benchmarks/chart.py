"""Draw results.svg: each contestant's seconds relative to this engine's, over rounds."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from benchmarks.runs import NAMES, TITLES, compute_ratios, median, select_runs
from thalweg.reporting.page.theme import FIGURE_FONT, PAINT, build_vega_config


def build_rows(results: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row per contestant and study: study, contestant, ratio, low, high."""
    table = []
    for model, title in TITLES.items():
        for prune in (False, True):
            runs = select_runs(results, model, prune)
            for name in NAMES:
                times = compute_ratios(runs, name)
                if times:
                    study = f"{title.strip('`')}{', pruned' if prune else ''}"
                    spread = {"ratio": median(times), "low": min(times), "high": max(times)}
                    table.append({"study": study, "contestant": NAMES[name]} | spread)
    return pd.DataFrame(table, columns=["study", "contestant", "ratio", "low", "high"])


def draw_svg(results: Mapping[str, Any]) -> str:
    """Return the chart as SVG, in the style of the reports."""
    table = build_rows(results)
    names = list(NAMES.values())
    base = alt.Chart(table).encode(
        y=alt.Y("contestant:N", sort=names, title=None, axis=alt.Axis(labelLimit=300, grid=False))
    )
    colour = alt.Color(
        "contestant:N",
        legend=None,
        scale=alt.Scale(domain=names, range=[PAINT["winner"], *[PAINT["plain"]] * (len(names) - 1)]),
    )
    x = alt.X(
        "ratio:Q", scale=alt.Scale(type="log", nice=False, padding=24), title="times this engine's seconds, log scale"
    )
    spread = base.mark_rule(color=PAINT["faint"], strokeWidth=3).encode(x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(size=80).encode(x=x, color=colour)
    text = base.mark_text(align="left", dx=9, dy=-8).encode(x=x, text=alt.Text("ratio:Q", format=".2~f"))
    layers = alt.layer(spread, points, text).properties(width=420, height=alt.Step(26))
    faceted = layers.facet(
        row=alt.Row(
            "study:N", sort=list(dict.fromkeys(table["study"])), title=None, header=alt.Header(**_build_header())
        )
    )
    spec = faceted.to_dict() | {"config": build_vega_config(FIGURE_FONT, PAINT["paper"])}
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg


def draw_gpu_svg(gpu: Mapping[str, Any]) -> str:
    """Return the chart of a study on a GPU beside a loop over its trials, whose time is that of a few trials."""
    study, loop = gpu["study"], gpu["loop"]
    epoch = (loop["seconds"] - loop["compile_seconds"]) / loop["epochs"]
    seconds = {"Thalweg": study["seconds"], "Optuna + Flax, one trial after another": epoch * study["epochs"]}
    rows = [
        {"how": how, "seconds": value, "text": f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} minutes"}
        for how, value in seconds.items()
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("how:N", sort=list(seconds), title=None, axis=alt.Axis(labelLimit=300, grid=False)),
        x=alt.X("seconds:Q", title=f"seconds for {study['trials']:,} trials on one {gpu['device'].split()[1]}"),
    )
    colour = alt.Color(
        "how:N", legend=None, scale=alt.Scale(domain=list(seconds), range=[PAINT["winner"], PAINT["plain"]])
    )
    bars = base.mark_bar(size=14).encode(color=colour)
    text = base.mark_text(align="left", dx=5).encode(text="text:N")
    spec = alt.layer(bars, text).properties(width=420, height=alt.Step(30)).to_dict()
    svg: str = vl_convert.vegalite_to_svg(spec | {"config": build_vega_config(FIGURE_FONT, PAINT["paper"])})
    return svg


def _build_header() -> dict[str, Any]:
    return {"labelAngle": 0, "labelOrient": "top", "labelAnchor": "start", "labelColor": PAINT["ink"]}
