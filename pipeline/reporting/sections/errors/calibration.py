"""Whether a network's confidence is the share of times that it is right."""

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.calibration import MAX_INTERVAL_WIDTH, MIN_GROUPS, NEGLIGIBLE_GAP, compute_reliability
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count
from thalweg.stats.intervals import Interval


def build_findings(tables: StudyTables) -> list[Finding]:
    """Whether confidence says more, or less, than is so; it is called right only where that could have been seen."""
    known = compute_reliability(tables.predictions)
    if known is None or known.overconfidence is None:
        return []
    over, error = known.overconfidence, known.calibration_error
    evidence = (
        f"Confidence less the share that is right is {_describe_percent_interval(over, signed=True)} on average, over "
        f"{format_count(int(known.bins['examples'].sum()), 'example')}. The expected calibration error is {_describe_percent_interval(error)}."
    )
    if over.n < MIN_GROUPS:
        return [_report_open_question(f"{evidence} {format_count(over.n, 'group')} of examples are too few to tell.")]
    step = "Do not read confidence as a probability"
    if over.low <= 0 <= over.high or abs(over.mean) < NEGLIGIBLE_GAP:
        if error.low > NEGLIGIBLE_GAP:
            verdict = "Confidence is right on average, but not at each level."
            evidence += " Where it is too high and where it is too low cancel in the first, not in the second."
            step += ": the diagram of Errors shows where confidence is too high."
            return [Finding(verdict, evidence, step, tone="caution")]
        if over.high - over.low > MAX_INTERVAL_WIDTH:
            return [_report_open_question(evidence)]
        return [Finding("Confidence is as high as it should be, on average.", evidence, tone="good")]
    if over.mean > 0:
        verdict = "The network is too sure of itself."
        step += "; `smoothing` of the loss or more `confirm.members` bring it down."
    else:
        verdict = "The network is less sure than it may be."
        step += "; less `smoothing` of the loss raises confidence."
    return [Finding(verdict, evidence, step, tone="caution")]


def _report_open_question(evidence: str) -> Finding:
    step = "Only more groups of examples can tell whether confidence is right."
    return Finding("Whether confidence is as high as it should be cannot be told.", evidence, step)


def _describe_percent_interval(known: Interval, signed: bool = False) -> str:
    """An interval of shares in percent."""
    plus = "+" if signed else ""
    mean, low, high = (f"{100 * v:{plus}.1f}".replace("-", "−") for v in (known.mean, known.low, known.high))
    return f"{mean} % ({low} to {high} %)"


def build_figures(tables: StudyTables) -> list[Figure]:
    """The reliability diagram; none where predictions have no confidence."""
    known = compute_reliability(tables.predictions)
    if known is None:
        return []
    caption = (
        "Share that is right against confidence, in bins of equal width, each with its 95 % interval and as large as "
        "it has examples. On the line confidence is what it says; below it the network is too sure."
    )
    shares = zip(known.bins["confidence"], known.bins["right"], strict=True)
    spoken = f"Share right by confidence: {'; '.join(f'{100 * c:.0f} % {100 * right:.0f} %' for c, right in shares)}."
    data = {"bins": known.bins, "line": pd.DataFrame({"at": [0.0, 1.0]})}
    return [Chart("reliability", "Confidence and accuracy", caption, spoken, data, _plot_reliability)]


def _plot_reliability() -> AltairChart:
    scale, axis = alt.Scale(domain=[0, 1], nice=False), alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    x, along = (alt.X(f"{name}:Q", scale=scale, axis=axis, title="confidence") for name in ("confidence", "at"))
    low, right, up = (alt.Y(f"{name}:Q", scale=scale, axis=axis, title=None) for name in ("low", "right", "at"))
    line = build_layer("line").mark_line(color=PAINT["quiet"], strokeDash=[5, 4], strokeWidth=1.2).encode(x=along, y=up)
    bins = build_layer("bins").encode(x=x)
    bars = bins.mark_rule(color=PAINT["winner"], strokeWidth=2).encode(y=low, y2="high:Q")
    size = alt.Size("examples:Q", legend=None, scale=alt.Scale(range=[30, 260], zero=True))
    said = [*build_tooltips(".1%", "confidence", "right", "low", "high"), "examples:Q"]
    dots = bins.mark_point(color=PAINT["winner"]).encode(y=right, size=size, tooltip=said)
    return alt.layer(line, bars, dots).properties(height=300, title=build_heading("share right"))
