"""Whether a network's confidence is the share of times that it is right."""

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.calibration import GROUPS, SMALL, WIDE, reliability
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many
from thalweg.stats.intervals import Interval


def findings(tables: StudyTables) -> list[Finding]:
    """Whether confidence says more, or less, than is so; it is called right only where that could have been seen."""
    known = reliability(tables.predictions) if len(tables.predictions) else None
    if known is None or known.over is None:
        return []
    over, error = known.over, known.error
    evidence = (
        f"Confidence less the share that is right is {_points(over, signed=True)} on average, over "
        f"{many(int(known.bins['examples'].sum()), 'example')}. The expected calibration error is {_points(error)}."
    )
    if over.n < GROUPS:
        return [_open(f"{evidence} {many(over.n, 'group')} of examples are too few to tell.")]
    if over.low <= 0 <= over.high or abs(over.mean) < SMALL:
        if error.low > SMALL:
            evidence += " Where it is too high and where it is too low cancel in the first, not in the second."
            step = "Do not read confidence as a probability: the diagram of Errors shows where confidence is too high."
            verdict = "Confidence is right on average, but not at each level."
            return [Finding(verdict, evidence, step, tone="caution")]
        if over.high - over.low > WIDE:
            return [_open(evidence)]
        return [Finding("Confidence is as high as it should be, on average.", evidence, tone="good")]
    if over.mean > 0:
        step = (
            "Do not read confidence as a probability; `smoothing` of the loss or more `confirm.members` bring it down."
        )
        return [Finding("The network is too sure of itself.", evidence, step, tone="caution")]
    step = "Do not read confidence as a probability; less `smoothing` of the loss raises confidence."
    return [Finding("The network is less sure than it may be.", evidence, step, tone="caution")]


def _open(evidence: str) -> Finding:
    step = "Only more groups of examples can tell whether confidence is right."
    return Finding("Whether confidence is as high as it should be cannot be told.", evidence, step)


def _points(known: Interval, signed: bool = False) -> str:
    """An interval of shares in percent."""
    plus = "+" if signed else ""
    texts = [f"{100 * value:{plus}.1f}".replace("-", "−") for value in (known.mean, known.low, known.high)]
    return f"{texts[0]} % ({texts[1]} to {texts[2]} %)"


def charts(tables: StudyTables) -> list[Figure]:
    """The reliability diagram; none where predictions have no confidence."""
    known = reliability(tables.predictions) if len(tables.predictions) else None
    if known is None:
        return []
    caption = (
        "Share that is right against confidence, in bins of equal width, each with its 95 % interval and as large as "
    )
    caption += "it has examples. On the line confidence is what it says; below it the network is too sure."
    spoken = "Share right by confidence: " + "; ".join(
        f"{100 * row['confidence']:.0f} % {100 * row['right']:.0f} %" for row in known.bins.to_dict("records")
    )
    line = pd.DataFrame({"at": [0.0, 1.0]})
    return [
        Chart(
            "reliability", "Confidence and accuracy", caption, f"{spoken}.", {"bins": known.bins, "line": line}, _draw
        )
    ]


def _draw() -> Drawing:
    scale, axis = alt.Scale(domain=[0, 1], nice=False), alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    x = alt.X("confidence:Q", scale=scale, axis=axis, title="confidence")
    line = alt.Chart(source("line")).mark_line(color=PAINT["quiet"], strokeDash=[5, 4], strokeWidth=1.2)
    bins = alt.Chart(source("bins"))
    bars = bins.mark_rule(color=PAINT["winner"], strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", scale=scale, axis=axis, title=None), y2="high:Q"
    )
    dots = bins.mark_point(color=PAINT["winner"]).encode(
        x=x,
        y=alt.Y("right:Q", scale=scale, axis=axis, title=None),
        size=alt.Size("examples:Q", legend=None, scale=alt.Scale(range=[30, 260], zero=True)),
        tooltip=[
            *(alt.Tooltip(f"{name}:Q", format=".1%") for name in ("confidence", "right", "low", "high")),
            "examples:Q",
        ],
    )
    diagonal = line.encode(
        x=alt.X("at:Q", scale=scale, axis=axis, title="confidence"), y=alt.Y("at:Q", scale=scale, axis=axis, title=None)
    )
    return alt.layer(diagonal, bars, dots).properties(height=300, title=heading("share right"))
