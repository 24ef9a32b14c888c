"""The winner's errors: pictures, and patterns such as bias or outlying groups."""

from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.groups import assign_groups, bin_errors, compute_bias, name_units
from thalweg.reporting.analysis.seed_noise import drop_diverged_runs
from thalweg.reporting.finding import Finding, measure
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure, Gallery, Table
from thalweg.reporting.page.marks import build_category_scale, build_heading, build_layer, build_tooltips
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.page.thin import subsample_indices
from thalweg.reporting.sections.errors import by_group, calibration, restoration
from thalweg.reporting.sentences import refer_to_section
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    capitalise_first,
    format_count,
    format_fixed,
    format_interval,
    format_number,
    format_range,
    format_share,
)
from thalweg.stats.intervals import cluster_robust_interval
from thalweg.system.paths import PREDICTIONS

TITLE = "Errors"
ORDER = 14
MAX_POINTS = 1500
MAX_MATRIX_CLASSES = 24
MAX_PICTURES = 24
SHORT_NAME = 3  # characters of a class that stand upright below the table


def build_findings(tables: StudyTables) -> list[Finding]:
    if tables.predictions.empty:
        return []
    if tables.output_kind == "image":
        return [*restoration.build_findings(tables), *by_group.build_findings(tables)]
    if tables.has_number_outputs:
        return [*_report_bias(tables), *by_group.build_findings(tables)]
    return [
        *_report_confusions(tables),
        *calibration.build_findings(tables),
        *by_group.build_findings(tables),
    ]


def _report_bias(tables: StudyTables) -> list[Finding]:
    predictions = tables.predictions
    bias = compute_bias(predictions)
    if bias is None:
        return []
    rank = predictions["truth"].rank(pct=True)
    quantity = "number of objects" if tables.setting("task.kind") == "detect" else "truth"
    ends = [
        *_report_bias_at_end(predictions[rank > 2 / 3], "Large", quantity),
        *_report_bias_at_end(predictions[rank < 1 / 3], "Small", quantity),
    ]
    if [end.verdict for end in ends] == ["Large truths are underestimated.", "Small truths are overestimated."]:
        evidence = " ".join(end.evidence for end in ends)
        step = "Check that the training set has enough examples of large truths, and of small ones."
        numbers = {f"bias_{size}": end.numbers["bias"] for size, end in zip(("large", "small"), ends, strict=True)}
        verdict, confidence = "Predictions are pulled towards the middle.", ends[0].confidence
        ends = [Finding(verdict, evidence, step, tone="caution", numbers=numbers, confidence=confidence)]
    includes_zero = bias.low <= 0 <= bias.high
    evidence = (
        f"The bias (prediction minus truth) is {format_interval(bias.mean, bias.low, bias.high, signed=True)} over "
        f"{format_count(len(predictions), 'example')} in {format_count(bias.n, 'group')}; its interval "
        f"{'includes' if includes_zero else 'excludes'} zero. The interval is over {name_units(predictions)}; it is "
        f"wider because three biases are tested. {_describe_networks(tables)}"
    )
    if includes_zero:
        verdict = "On average the predictions show no bias beyond noise."
        return [*ends, Finding(verdict, evidence, tone="plain" if ends else "good", **measure({"bias": bias}))]
    step = "Look for what the worst examples have in common; a loss term or an augmentation may help. "
    step += refer_to_section(TITLE, "these examples")
    if tables.setting("task.kind") == "detect":
        step = _advise_threshold(tables, is_low=bias.mean < 0)
    verdict = f"The predictions are too {'high' if bias.mean > 0 else 'low'} on average."
    return [Finding(verdict, evidence, step, tone="caution", **measure({"bias": bias})), *ends]


def _advise_threshold(tables: StudyTables, is_low: bool) -> str:
    """Advise on the confidence from which a detection counts, which sets how many objects are found."""
    change, term = ("Lower", "missed") if is_low else ("Raise", "false_alarms")
    value = format_number(tables.setting("task.threshold", 0.5))
    return f"{change} `task.threshold` ({value}), from which a detection counts, or raise the weight of `{term}`."


def _describe_networks(tables: StudyTables) -> str:
    """Say whose predictions these are, and how their bias differs from the one in Result."""
    candidate = "winner" if tables.has_winner else "baseline"
    runs, members = tables.runs, int(tables.setting("confirm.members", 1))
    folds = int(tables.setting("data.split.folds", 5)) if tables.setting("data.split.by") == "folds" else 1
    sound = len(drop_diverged_runs(runs[runs["candidate"] == candidate])) if len(runs) else members
    used = min(members, sound) or 1
    networks = f"the {candidate}'s network with the best seed by validation"
    if folds * used > 1:
        networks = f"means over the {candidate}'s {folds * used} networks"
        networks += f" ({format_count(used, 'seed')}, {folds} folds)" if folds > 1 else ""
        networks += f", with the best seed{'s' if used > 1 else ''} by validation" if used < sound else ""
    text = f"The predictions are those of the final model: {networks}."
    if tables.setting("confirm.refit") == "all":
        text = f"The predictions come from before `confirm.refit` trained the final model: {networks}."
    if f"{tables.split}_bias" in runs:
        seeds = format_count(int((runs["candidate"] == candidate).sum()), "fresh seed")
        text += f" The bias in Result is the mean over {seeds}, with an interval over seeds alone."
    return text


def _report_bias_at_end(predictions: pd.DataFrame, word: str, quantity: str) -> list[Finding]:
    """Report a bias among the examples whose truth is large, or small."""
    bias = compute_bias(predictions) if len(predictions) >= 5 else None
    if bias is None or bias.low <= 0 <= bias.high:
        return []
    truth = predictions["truth"]
    bound = f"{format_number(truth.min())} or more" if word == "Large" else f"{format_number(truth.max())} or less"
    evidence = (
        f"Where the {quantity} is {bound}, the bias is "
        f"{format_interval(bias.mean, bias.low, bias.high, signed=True)} over "
        f"{format_count(len(predictions), 'example')} in {format_count(bias.n, 'group')}."
    )
    step = f"Check that the training set has enough examples whose {quantity} is {bound}."
    verdict = f"{word} truths are {'over' if bias.mean > 0 else 'under'}estimated."
    return [Finding(verdict, evidence, step, tone="caution", **measure({"bias": bias}))]


def _report_confusions(tables: StudyTables) -> list[Finding]:
    predictions = tables.predictions
    wrong = predictions["truth"].astype(str) != predictions["prediction"].astype(str)
    rate = cluster_robust_interval(wrong.astype(float), assign_groups(predictions), bounds=(0.0, 1.0))
    if rate is None or not wrong.any():
        return []
    share = capitalise_first(format_share(int(wrong.sum()), len(predictions)))
    low, high = (format_fixed(100 * end, 1) for end in (rate.low, rate.high))
    unit = "example" if name_units(predictions) == "examples" else "group"
    evidence = (
        f"{share} examples are wrong (95 % interval {format_range(low, high)} %, over {format_count(rate.n, unit)})."
    )
    pairs = predictions[wrong].groupby(["truth", "prediction"]).size().sort_values(ascending=False, kind="stable")
    (truth, prediction), count = pairs.index[0], int(pairs.iloc[0])
    share = capitalise_first(format_share(count, int(wrong.sum())))
    evidence += f" {share} of the errors predict {prediction} instead of {truth}."
    step = f"Look at the pictures of {truth} that are predicted as {prediction}: `{PREDICTIONS}` names them."
    shown = sum(
        str(row["truth"]) == str(truth) and str(row["prediction"]) == str(prediction) for row in tables.pictures
    )
    step += f" The section Errors shows {shown} of {count:,} among its worst examples." if shown else ""
    verdict = f"The most frequent error predicts {prediction} instead of {truth}."
    return [Finding(verdict, evidence, step, **measure({"wrong_share": rate}, errors=int(wrong.sum()), confused=count))]


def build_figures(tables: StudyTables) -> list[Figure]:
    worst: Figure = EmptyFigure("worst", "Worst examples", "There are no pictures to show.")
    if shown := tables.pictures[:MAX_PICTURES]:
        caption = f"The {len(shown)} worst examples, the worst first, {tables.picture_caption}."
        worst = Gallery("worst", "Worst examples", caption, shown, is_wide=tables.output_kind == "image")
    if tables.predictions.empty:
        return [worst, EmptyFigure("errors", "Errors", "There are no predictions to draw.")]
    if tables.output_kind == "image":
        return [worst, *restoration.build_figures(tables), *by_group.build_figures(tables)]
    if tables.has_number_outputs:
        return [worst, _build_scatter_chart(tables.predictions), *by_group.build_figures(tables)]
    return [worst, _build_confusion_figure(tables), *calibration.build_figures(tables), *by_group.build_figures(tables)]


def _build_scatter_chart(predictions: pd.DataFrame) -> Chart:
    points = predictions[["image", "truth", "prediction"]]
    points = points.assign(error=points["prediction"] - points["truth"])
    caption = "Prediction minus truth. Large dots: means over bins of about equally many examples with 95 % intervals."
    if len(points) > MAX_POINTS:
        worst = points["error"].abs().sort_values(ascending=False, kind="stable").index
        points = points.loc[worst[subsample_indices(len(worst), MAX_POINTS)].union(worst[:100])]
        caption += f" {format_share(len(points), len(predictions))} examples are drawn, among them the 100 worst."
    least, most = (format_number(end) for end in (points["error"].min(), points["error"].max()))
    description = f"Error against truth for {format_count(len(predictions), 'example')}: from {least} to {most}."
    points = points.sort_values(["truth", "image"], kind="stable")
    data = {"points": points, "means": bin_errors(predictions), "zero": pd.DataFrame({"error": [0.0]})}
    return Chart(
        "errors", "Error against truth", caption, description, data, _plot_scatter, decoration_tables=("zero",)
    )


def _plot_scatter() -> AltairChart:
    axis = alt.Axis(title="truth", tickCount=8, format=".6~g")
    x = alt.X("truth:Q", axis=axis, scale=alt.Scale(zero=False, nice=False, padding=12))
    y, low, mean = (alt.Y(f"{name}:Q", title=None) for name in ("error", "low", "mean"))
    zero = build_layer("zero").mark_rule(color=PAINT["ink"], strokeWidth=1).encode(y=y)
    # Vega shows a field titled "image" as a picture
    tooltip = [alt.Tooltip("image:N", title="example"), "truth:Q", *build_tooltips(".3~g", "prediction", "error")]
    dots = (
        build_layer("points").mark_point(color=PAINT["plain"], size=26, opacity=0.4).encode(x=x, y=y, tooltip=tooltip)
    )
    means = build_layer("means").encode(x=x)
    bars = means.mark_rule(color=PAINT["winner"], strokeWidth=2).encode(y=low, y2="high:Q")
    heads = means.mark_point(color=PAINT["winner"], size=80)
    heads = heads.encode(y=mean, tooltip=build_tooltips(".3~g", "mean", "low", "high", "examples"))
    return alt.layer(zero, dots, bars, heads).properties(height=280, title=build_heading("error"))


def _build_confusion_figure(tables: StudyTables) -> Figure:
    pairs = tables.predictions[["truth", "prediction"]].astype(str)
    names = [str(name) for name in tables.manifest.get("classes") or sorted({*pairs["truth"], *pairs["prediction"]})]
    counts = pairs.groupby(["truth", "prediction"], as_index=False).size().rename(columns={"size": "examples"})
    if len(names) > MAX_MATRIX_CLASSES:
        wrong = counts[counts["truth"] != counts["prediction"]].sort_values("examples", ascending=False, kind="stable")
        return Table(
            "errors",
            "Most frequent confusions",
            f"Most frequent first, of {format_count(len(names), 'class', 'classes')}.",
            wrong.head(20),
        )
    counts["share"] = counts["examples"] / counts.groupby("truth")["examples"].transform("sum")
    counts["right"] = counts["truth"] == counts["prediction"]
    right = format_share(int(counts.loc[counts["right"], "examples"].sum()), len(pairs))
    title = "Truth against prediction"
    caption = "Number of examples. Tint: their share of the true class. Correct predictions lie on the diagonal."
    description = f"Confusion table of {format_count(len(names), 'class', 'classes')}: {right} are right."
    return Chart("errors", title, caption, description, {"counts": counts}, partial(_plot_confusion, names))


def _plot_confusion(names: list[str]) -> AltairChart:
    domain = alt.Scale(domain=names)
    is_short = max(map(len, names), default=0) <= SHORT_NAME
    across = alt.Axis(title="prediction", labelLimit=90, labelAngle=0 if is_short else -40)
    x = alt.X("prediction:N", sort=names, scale=domain, axis=across)
    y = alt.Y("truth:N", sort=names, scale=domain, axis=alt.Axis(title=None, labelLimit=110))
    base = build_layer("counts").encode(x=x, y=y)
    cells = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color(
            "right:N", legend=None, scale=build_category_scale({True: PAINT["winner"], False: PAINT["diverged"]})
        ),
        opacity=alt.Opacity("share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.06, 0.6])),
        tooltip=["truth:N", "prediction:N", "examples:Q", *build_tooltips(".1%", "share")],
    )
    text = base.mark_text(color=PAINT["ink"], fontSize=11.5).encode(text="examples:Q")
    side = max(22, min(46, 480 // max(1, len(names))))
    return alt.layer(cells, text).properties(height=side * len(names), title=build_heading("truth"))
