"""Whether a network's confidence is the share of times that it is right."""

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thalweg.reporting.findings import Finding
from thalweg.reporting.noise.alike import groups
from thalweg.reporting.page.charts import Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import Tables
from thalweg.reporting.words import many
from thalweg.stats.intervals import Interval, clustered

BINS = 15
"""Bins of equal width, as `calibration_error` has them."""
DRAWS = 1000
"""Resamples."""
FEWEST = 50
"""Examples below which nothing is said."""
SMALL = 0.01
"""A difference between confidence and accuracy that is of no account."""
GROUPS = 4
"""Groups from which its error is worth something."""
WIDE = 0.1
"""An interval wider than that says nothing good."""


@dataclass(frozen=True)
class Reliability:
    """By bin of confidence that has examples: their number, mean confidence, share right with its 95 % interval; the
    expected calibration error with its interval, and by how much confidence is above accuracy on average."""

    bins: pd.DataFrame
    error: Interval
    over: Interval | None


def reliability(predictions: pd.DataFrame) -> Reliability | None:
    """How far confidence is from accuracy, from columns truth, prediction, confidence and group; None where unknown.

    The expected calibration error is the mean over examples of |accuracy - confidence| of their bin (Guo et al. 2017,
    equation 3). It is a sum of sizes, which chance makes too large: its interval, the basic bootstrap's (Davison and
    Hinkley 1997, section 5.2) over groups of examples, takes that off, and may lie below it. `over` is the cluster
    robust interval of confidence - right, in which chance has no preferred sign.
    """
    if "confidence" not in predictions:
        return None
    table = predictions.dropna(subset="confidence")
    if len(table) < FEWEST:
        return None
    confidence = table["confidence"].to_numpy(np.float64)
    right = (table["truth"].astype(str) == table["prediction"].astype(str)).to_numpy(np.float64)
    place = np.searchsorted(np.arange(1, BINS) / BINS, confidence)
    alike = groups(table)
    rows = []
    for one in np.unique(place):
        inside = place == one
        low, high = _wilson(int(right[inside].sum()), int(inside.sum()))
        rows.append((confidence[inside].mean(), right[inside].mean(), low, high, int(inside.sum())))
    bins = pd.DataFrame(rows, columns=["confidence", "right", "low", "high", "examples"])
    gaps = _sums(right - confidence, place, pd.factorize(alike)[0])
    over = clustered(confidence - right, alike)
    return Reliability(bins, _error(gaps).within((0.0, 1.0)), over and over.within((-1.0, 1.0)))


def _sums(gap: NDArray[np.float64], place: NDArray[np.intp], group: NDArray[np.intp]) -> NDArray[np.float64]:
    """Sums of gaps by group and bin, and the number of examples of each group, [groups, BINS + 1]."""
    sums = np.zeros((int(group.max()) + 1, BINS + 1))
    np.add.at(sums, (group, place), gap)
    np.add.at(sums, (group, np.full(len(group), BINS)), 1.0)
    return sums


def _error(sums: NDArray[np.float64]) -> Interval:
    """The expected calibration error and its interval, from `_sums` [groups, BINS + 1]; the same for the same sums.

    Groups are resampled about gaps that are made smaller by one factor, so that their squares are what they would be
    without noise; what the error then is off by is taken off at both ends. The lower end is 0 where noise alone (2.5 %)
    would show as large an error.
    """
    draw, count = np.random.default_rng(0), len(sums)
    of_all = sums.sum(0)
    gaps = of_all[:-1] / of_all[-1]
    noise = np.empty((DRAWS, len(gaps)))
    for start in range(0, DRAWS, 100):
        drawn = draw.integers(0, count, (100, count)) + count * np.arange(100)[:, None]
        total = np.bincount(drawn.ravel(), minlength=100 * count).reshape(100, count) @ sums
        noise[start : start + 100] = total[:, :-1] / total[:, -1:] - gaps
    smaller = gaps * np.sqrt(max(0.0, 1 - noise.var(axis=0).sum() / max((gaps**2).sum(), 1e-300)))
    off = np.abs(smaller + noise).sum(1) - np.abs(smaller).sum()
    seen, (low, high) = float(np.abs(gaps).sum()), np.quantile(off, [0.025, 0.975])
    lowest = 0.0 if seen <= np.quantile(np.abs(noise).sum(1), 0.975) else seen - float(high)
    return Interval(seen, max(0.0, lowest), max(0.0, seen - float(low)), count)


def _wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z, share = 1.959964, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return float(middle - reach), float(middle + reach)


def findings(tables: Tables) -> list[Finding]:
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


def charts(tables: Tables) -> list[Figure]:
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
