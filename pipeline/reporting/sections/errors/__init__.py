"""Where the winner is wrong: pictures, and what its errors have in common."""

from dataclasses import replace
from functools import partial

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import stdtrit

from thalweg.reporting.analysis.groups import groups
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, Gallery, Listing, source
from thalweg.reporting.page.scales import heading
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import evenly
from thalweg.reporting.sections.errors import by_group, calibration, restoration
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many, number, share, span
from thalweg.stats.intervals import Interval, clustered

TITLE = "Errors"
ORDER = 70
DRAWN = 1500
CLASSES = 24
PICTURES = 24
BINS = 8
FEWEST = 4
"""Groups from which the variance over groups is worth something: two that agree by chance would prove anything."""
LOOKS = 3
"""And how many means of errors are looked at: of all, of large truths, of small ones."""


def findings(tables: StudyTables) -> list[Finding]:
    if tables.predictions.empty:
        return []
    if tables.output_kind == "image":
        return [*restoration.findings(tables), *by_group.findings(tables)]
    if tables.numbers:
        return [*_numeric(tables), *by_group.findings(tables)]
    return [*_classes(tables), *calibration.findings(tables), *by_group.findings(tables)]


def _numeric(tables: StudyTables) -> list[Finding]:
    predictions = tables.predictions
    bias = lean_of(predictions)
    if bias is None:
        return []
    evidence = f"The bias, prediction minus truth, is {span(bias.mean, bias.low, bias.high, signed=True)}, over "
    evidence += f"{many(len(predictions), 'example')} in {many(bias.n, 'group')}; zero lies "
    place = predictions["truth"].rank(pct=True)
    thirds = (("Large", place > 2 / 3), ("Small", place < 1 / 3))
    leans = [finding for word, part in thirds if part.sum() >= 5 for finding in _lean(predictions[part], word)]
    if [one.verdict for one in leans] == ["Large truths are underestimated.", "Small truths are overestimated."]:
        evidence_of = " ".join(one.evidence for one in leans)
        step = "Look whether train has enough examples of large truths, and of small ones."
        leans = [Finding("Predictions are pulled towards the middle.", evidence_of, step, tone="caution")]
    looks = "It is that of the final model, whose predictions are means over its networks; the interval is over groups "
    looks += "of examples, and wide enough for large and small truths to be looked at, too."
    if bias.low <= 0 <= bias.high:
        verdict = "On average the predictions show no lean beyond noise."
        return [*leans, Finding(verdict, f"{evidence}inside. {looks}", tone="plain" if leans else "good")]
    step = "Look what the worst pictures (Errors) have in common; a loss term or an augmentation may answer it."
    verdict = f"The predictions are too {'high' if bias.mean > 0 else 'low'} on average."
    return [Finding(verdict, f"{evidence}outside. {looks}", step, tone="caution"), *leans]


def lean_of(predictions: pd.DataFrame) -> Interval | None:
    """The mean of prediction - truth, in an interval of 95 % for LOOKS such means at once (Bonferroni's bound).

    None below FEWEST groups.
    """
    known = clustered(predictions["prediction"] - predictions["truth"], groups(predictions))
    if known is None or known.n < FEWEST:
        return None
    wider = float(stdtrit(known.n - 1, 1 - 0.025 / LOOKS) / stdtrit(known.n - 1, 0.975))
    return replace(
        known, low=known.mean - wider * (known.mean - known.low), high=known.mean + wider * (known.high - known.mean)
    )


def _lean(predictions: pd.DataFrame, word: str) -> list[Finding]:
    """Whether examples whose truth is large, or small, are wrong to one side."""
    lean = lean_of(predictions)
    if lean is None or lean.low <= 0 <= lean.high:
        return []
    way, truth = ("over" if lean.mean > 0 else "under"), predictions["truth"]
    bound = f"{number(truth.min())} or more" if word == "Large" else f"{number(truth.max())} or less"
    evidence = (
        f"Where the truth is {bound}, the bias is {span(lean.mean, lean.low, lean.high, signed=True)}, over "
        f"{many(len(predictions), 'example')} in {many(lean.n, 'group')}."
    )
    step = f"Look whether train has enough examples whose truth is {bound}."
    return [Finding(f"{word} truths are {way}estimated.", evidence, step, tone="caution")]


def _classes(tables: StudyTables) -> list[Finding]:
    predictions = tables.predictions
    wrong = predictions["truth"].astype(str) != predictions["prediction"].astype(str)
    known = clustered(wrong.astype(float), groups(predictions))
    if known is None:
        return []
    low, high = max(0.0, known.low), min(1.0, known.high)
    pairs = predictions[wrong].groupby(["truth", "prediction"]).size().sort_values(ascending=False, kind="stable")
    evidence = (
        f"{share(int(wrong.sum()), len(predictions))} are wrong (95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    )
    evidence += f", over {many(known.n, 'group')})."
    if pairs.empty:
        return [Finding("Every example is right.", evidence, tone="good")]
    (truth, taken), count = pairs.index[0], int(pairs.iloc[0])
    evidence += f" {share(count, int(wrong.sum()))} of the errors take {truth} for {taken}."
    step = f"Look at the pictures of {truth} that are taken for {taken}."
    return [Finding(f"The most frequent error takes {truth} for {taken}.", evidence, step)]


def charts(tables: StudyTables) -> list[Figure]:
    figures: list[Figure] = []
    if tables.pictures:
        shown = tables.pictures[:PICTURES]
        caption = f"The {len(shown)} worst examples, the worst first, {tables.pictured}."
        figures.append(Gallery("worst", "Worst examples", caption, shown, wide=tables.output_kind == "image"))
    else:
        figures.append(Blank("worst", "Worst examples", "No pictures were left to show."))
    if tables.predictions.empty:
        return [*figures, Blank("errors", "Errors", "There are no predictions to draw.")]
    if tables.output_kind == "image":
        return [*figures, *restoration.charts(tables), *by_group.charts(tables)]
    figures.append(_scatter(tables) if tables.numbers else _confusion(tables))
    return [*figures, *([] if tables.numbers else calibration.charts(tables)), *by_group.charts(tables)]


def binned(predictions: pd.DataFrame) -> pd.DataFrame:
    """Mean error with its interval in bins of about equally many examples, along the truth."""
    table = predictions.assign(error=predictions["prediction"] - predictions["truth"], group=groups(predictions))
    edges = np.unique(np.quantile(table["truth"], np.linspace(0, 1, BINS + 1)))
    table["bin"] = np.clip(np.searchsorted(edges, table["truth"], side="right") - 1, 0, max(len(edges) - 2, 0))
    rows = []
    for _, part in table.groupby("bin"):
        if known := clustered(part["error"], part["group"]):
            rows.append((part["truth"].mean(), known.mean, known.low, known.high, len(part)))
    return pd.DataFrame(rows, columns=["truth", "mean", "low", "high", "examples"])


def _scatter(tables: StudyTables) -> Chart:
    predictions = tables.predictions
    points = predictions[["image", "truth", "prediction"]].assign(
        error=predictions["prediction"] - predictions["truth"]
    )
    caption = "Prediction minus truth. Large dots: the mean of about equally many examples, with its 95 % interval."
    if len(points) > DRAWN:
        worst = points["error"].abs().sort_values(ascending=False, kind="stable").index
        even = worst[evenly(len(worst), DRAWN)]
        points = points.loc[even.union(worst[:100])]
        caption += f" {share(len(points), len(predictions))} examples are drawn, the 100 worst among them."
    means = binned(predictions)
    return Chart(
        "errors",
        "Error against truth",
        caption,
        f"Error against truth for {many(len(predictions), 'example')}: from {number(points['error'].min())} to "
        f"{number(points['error'].max())}.",
        {"points": points.sort_values(["truth", "image"], kind="stable"), "means": means,
         "zero": pd.DataFrame({"error": [0.0]})},
        _draw_scatter,
        aside=("zero",),
    )  # fmt: skip


def _draw_scatter() -> Drawing:
    x = alt.X(
        "truth:Q",
        axis=alt.Axis(title="truth", tickCount=8, format=".6~g"),
        scale=alt.Scale(zero=False, nice=False, padding=12),
    )
    zero = alt.Chart(source("zero")).mark_rule(color=PAINT["ink"], strokeWidth=1).encode(y=alt.Y("error:Q", title=None))
    dots = (
        alt.Chart(source("points"))
        .mark_point(color=PAINT["plain"], size=26, opacity=0.4)
        .encode(
            x=x,
            y=alt.Y("error:Q", title=None),
            tooltip=[
                alt.Tooltip("image:N", title="example"),  # what is called image is shown as a picture's address
                "truth:Q",
                *(alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("prediction", "error")),
            ],
        )
    )
    means = alt.Chart(source("means"))
    bars = means.mark_rule(color=PAINT["winner"], strokeWidth=2).encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q")
    heads = means.mark_point(color=PAINT["winner"], size=80).encode(
        x=x, y=alt.Y("mean:Q", title=None),
        tooltip=[alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("mean", "low", "high", "examples")],
    )  # fmt: skip
    return alt.layer(zero, dots, bars, heads).properties(height=280, title=heading("error"))


def _confusion(tables: StudyTables) -> Figure:
    pairs = tables.predictions[["truth", "prediction"]].astype(str)
    names = [str(name) for name in tables.manifest.get("classes") or sorted({*pairs["truth"], *pairs["prediction"]})]
    counts = pairs.groupby(["truth", "prediction"], as_index=False).size().rename(columns={"size": "examples"})
    if len(names) > CLASSES:
        wrong = counts[counts["truth"] != counts["prediction"]].sort_values("examples", ascending=False, kind="stable")
        return Listing("errors", "Most frequent confusions", f"Of {len(names)} classes.", wrong.head(20))
    counts["share"] = counts["examples"] / counts.groupby("truth")["examples"].transform("sum")
    counts["right"] = counts["truth"] == counts["prediction"]
    right = int(counts.loc[counts["right"], "examples"].sum())
    return Chart(
        "errors",
        "Truth against prediction",
        "Number of examples; the tint is their share of the true class. Right ones lie on the diagonal.",
        f"Confusion table of {len(names)} classes: {share(right, len(pairs))} are right.",
        {"counts": counts},
        partial(_draw_confusion, names),
    )


def _draw_confusion(names: list[str]) -> Drawing:
    side = max(22, min(46, 480 // max(1, len(names))))
    x = alt.X("prediction:N", sort=names, scale=alt.Scale(domain=names),
              axis=alt.Axis(title="prediction", labelLimit=90, labelAngle=-40))  # fmt: skip
    y = alt.Y("truth:N", sort=names, scale=alt.Scale(domain=names), axis=alt.Axis(title=None, labelLimit=110))
    base = alt.Chart(source("counts")).encode(x=x, y=y)
    color = alt.Color(
        "right:N", legend=None, scale=alt.Scale(domain=[True, False], range=[PAINT["winner"], PAINT["diverged"]])
    )
    tint = alt.Opacity("share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.06, 0.6]))
    cells = base.mark_rect(cornerRadius=2).encode(
        color=color,
        opacity=tint,
        tooltip=["truth:N", "prediction:N", "examples:Q", alt.Tooltip("share:Q", format=".1%")],
    )
    text = base.mark_text(color=PAINT["ink"], fontSize=11.5).encode(text="examples:Q")
    return alt.layer(cells, text).properties(height=side * len(names), title=heading("truth"))
