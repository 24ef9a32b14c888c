"""A comparison of the network's confidence with its accuracy."""

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.calibration import MAX_INTERVAL_WIDTH, MIN_GROUPS, NEGLIGIBLE_GAP, compute_reliability
from thalweg.reporting.finding import Finding, Measured, measure
from thalweg.reporting.page.figures import AltairChart, Chart, Figure
from thalweg.reporting.page.marks import build_heading, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.sentences import refer_to_section
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_estimate, format_fixed, format_percent, format_range
from thalweg.stats.interval import Interval


def build_findings(tables: StudyTables) -> list[Finding]:
    """Report over- or underconfidence; call it right only if the interval is narrow enough to show otherwise."""
    reliability = compute_reliability(tables.predictions)
    if reliability is None or reliability.overconfidence is None:
        return []
    bias, error = reliability.overconfidence, reliability.calibration_error
    measured = measure({"overconfidence": bias}, calibration_error=error.mean)
    evidence = (
        f"Confidence minus accuracy is {_describe_percent_interval(bias, signed=True)} on average over "
        f"{format_count(int(reliability.bins['examples'].sum()), 'example')}. The expected calibration error is "
        f"{format_fixed(100 * error.mean, 1)} %; without what chance adds to it, "
        f"{format_range(format_fixed(100 * error.low, 1), format_fixed(100 * error.high, 1))} % (95 % interval)."
    )
    if bias.n < MIN_GROUPS:
        return [
            _report_open_question(
                f"{evidence} {format_count(bias.n, 'group')} of examples are too few to tell.", measured
            )
        ]
    step = "Do not read confidence as a probability"
    if bias.low <= 0 <= bias.high or abs(bias.mean) < NEGLIGIBLE_GAP:
        if error.low > NEGLIGIBLE_GAP:
            verdict = "Confidence matches accuracy on average, but not at each level."
            evidence += " Levels that are too high or too low cancel out in the first number, not in the second."
            step += f". {refer_to_section('Errors', 'where it is too high')}"
            return [Finding(verdict, evidence, step, tone="caution", **measured)]
        if bias.high - bias.low > MAX_INTERVAL_WIDTH:
            return [_report_open_question(evidence, measured)]
        return [Finding("Confidence matches accuracy on average.", evidence, tone="good", **measured)]
    if bias.mean > 0:
        verdict = "The network is overconfident."
        step += "; `smoothing` in the loss or more `confirm.members` lower it."
    else:
        verdict = "The network is underconfident."
        step += "; less `smoothing` in the loss raises it."
    return [Finding(verdict, evidence, step, tone="caution", **measured)]


def _report_open_question(evidence: str, measured: Measured) -> Finding:
    step = "Only more groups of examples can settle this."
    return Finding("It is unclear whether confidence matches accuracy.", evidence, step, **measured)


def _describe_percent_interval(interval: Interval, signed: bool = False) -> str:
    """Return an interval of shares in percent."""
    mean, low, high = (format_fixed(100 * v, 1, signed) for v in (interval.mean, interval.low, interval.high))
    return format_estimate(mean, low, high, " %")


def build_figures(tables: StudyTables) -> list[Figure]:
    """Draw the reliability diagram; nothing if predictions have no confidence."""
    reliability = compute_reliability(tables.predictions)
    if reliability is None:
        return []
    caption = (
        "Accuracy by confidence, in bins of equal width with 95 % intervals; larger dots hold more examples. On the "
        "dashed line confidence equals accuracy; below it the network is overconfident."
    )
    shares = zip(reliability.bins["confidence"], reliability.bins["right"], strict=True)
    values = "; ".join(
        f"{format_percent(confidence, whole=True)} {format_percent(right, whole=True)}" for confidence, right in shares
    )
    description = f"Confidence and accuracy of each bin: {values}."
    data = {"bins": reliability.bins, "line": pd.DataFrame({"at": [0.0, 1.0]})}
    return [Chart("reliability", "Confidence and accuracy", caption, description, data, _plot_reliability)]


def _plot_reliability() -> AltairChart:
    scale, axis = alt.Scale(domain=[0, 1], nice=False), alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1])
    x, along = (alt.X(f"{name}:Q", scale=scale, axis=axis, title="confidence") for name in ("confidence", "at"))
    low, right, up = (alt.Y(f"{name}:Q", scale=scale, axis=axis, title=None) for name in ("low", "right", "at"))
    line = build_layer("line").mark_line(color=PAINT["quiet"], strokeDash=[5, 4], strokeWidth=1.2).encode(x=along, y=up)
    bins = build_layer("bins").encode(x=x)
    bars = bins.mark_rule(color=PAINT["winner"], strokeWidth=2).encode(y=low, y2="high:Q")
    size = alt.Size("examples:Q", legend=None, scale=alt.Scale(range=[30, 260], zero=True))
    tooltip = [*build_tooltips(".1%", "confidence", "right", "low", "high"), "examples:Q"]
    dots = bins.mark_point(color=PAINT["winner"]).encode(y=right, size=size, tooltip=tooltip)
    return alt.layer(line, bars, dots).properties(height=300, title=build_heading("accuracy"))
