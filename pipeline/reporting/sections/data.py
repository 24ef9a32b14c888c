"""Gains from more images, and the images that augmentation is worth: the winner trained with less."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting import text
from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import Finding, Tone, measure
from thalweg.reporting.page import marks
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.sentences import describe_joint_intervals
from thalweg.reporting.tables import StudyTables
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import compare_with_zero

TITLE = "Data"
ORDER = 50
CHART_HEIGHT_PIXELS = 280


def build_findings(tables: StudyTables) -> list[Finding]:
    if len(ablation_effects.compute_data_scaling(tables)) < 2:
        return []
    return [*_report_image_gain(tables), *_report_augmentation(tables)]


def _report_image_gain(tables: StudyTables) -> list[Finding]:
    """Report whether more images would help: what the last step to all of them gained, seed by seed."""
    scaling = ablation_effects.compute_data_scaling(tables)
    effect = ablation_effects.compute_effects(tables).get("images")
    if effect is None:
        return []
    few, total = (round(images) for images in scaling["images"].tail(2))
    candidate = _name_candidate(tables)
    tone: Tone = "plain"
    evidence = (
        f"With {few:,} of the {total:,} {_name_images(tables)}, {_describe_effect(tables, effect)} Both train the "
        f"{candidate}'s settings from fresh weights, for the same number of steps; each seed draws its own images."
        f"{describe_joint_intervals(len(ablation_effects.compute_effects(tables)))}"
    )
    match compare_with_zero(effect, tables.sign):
        case "worse":
            verdict = "More images would help."
            step = (
                "Collect more images, from groups that are not in the training set yet."
                f"{_describe_expected_gain(tables, scaling)}"
            )
        case "better":
            verdict, tone = f"The {candidate} is better with fewer images.", "caution"
            step = "Check the labels of the training set: some may be wrong, or of another kind than for validation."
        case _:
            most = text.format_number(max(0.0, *(tables.sign * end for end in (effect.low, effect.high))), 2)
            gained = f"{few:,} to {total:,} of them gained {most} at most"
            verdict = f"It is unclear whether more images would help: from {gained}."
            step = more_seeds.advise_diagnose_seeds()
    measured = measure({"difference": effect}, fewer_images=few, images=total)
    return [Finding(verdict, evidence, step, _list_winner(tables), tone, **measured)]


def _describe_expected_gain(tables: StudyTables, scaling: pd.DataFrame) -> str:
    """Return what the next step of the same size may gain if gains keep shrinking; "" if that cannot be said."""
    if len(scaling) < 3:
        return ""
    before, last = -tables.sign * np.diff(scaling["value"].to_numpy()[-3:])
    factors = scaling["images"].to_numpy()[-2:] / scaling["images"].to_numpy()[-3:-1]
    if before <= 0 or abs(factors[1] / factors[0] - 1) > 0.1:
        return ""
    # a power law's gains from equal factors fall by the same share each time
    expected = last * min(1.0, last / before)
    fewest, few, total = (f"{round(images):,}" for images in scaling["images"].tail(3))
    return (
        f" From {fewest} to {few} images {tables.objective_label} improved by {before:.2g}, from {few} to "
        f"{total} by {last:.2g}. If gains continue like this, {factors[1]:.2g} times as many gain about {expected:.2g}."
    )


def _report_augmentation(tables: StudyTables) -> list[Finding]:
    """Report how many images the augmentation is worth."""
    effect = ablation_effects.compute_effects(tables).get("augmentation")
    if effect is None:
        return []
    candidate = _name_candidate(tables)
    tone: Tone = "plain"
    evidence = (
        f"Without augmentation, {_describe_effect(tables, effect)} Both train the {candidate}'s settings from fresh "
        "weights."
    )
    match compare_with_zero(effect, tables.sign):
        case "worse":
            value = ablation_effects.objective_by_seed(tables, "images", 1.0).mean() + effect.mean
            images, is_bound = ablation_effects.count_equal_images(tables, value)
            total = round(ablation_effects.compute_data_scaling(tables)["images"].iloc[-1])
            at_most, at_least = ("at most ", "at least ") if is_bound else ("", "")
            ratio = total / images
            worth = (
                f"{text.format_percent(ratio - 1, whole=True)} more images"
                if ratio < 2
                else f"{ratio:.2g} times the images"
            )
            evidence += f" So {total:,} images without augmentation do as well as {at_most}{images:,.0f} with it."
            verdict, step, tone = f"Augmentation is worth {at_least}{worth}.", "", "good"
        case "better":
            verdict, tone = f"The {candidate} is better without augmentation.", "caution"
            step = (
                "Weaken `augment.online` or search its strengths: augmented images may look unlike the validation set."
            )
        case _:
            verdict = "It is unclear whether augmentation helps."
            step = more_seeds.advise_diagnose_seeds()
    return [Finding(verdict, evidence, step, _list_winner(tables), tone, **measure({"difference": effect}))]


def _describe_effect(tables: StudyTables, effect: Interval) -> str:
    """Return `MAE on the validation set is 0.1 worse (0.0 to 0.2), over 4 seeds.`"""
    low, high = sorted((tables.sign * effect.low, tables.sign * effect.high))
    change = text.format_change(tables.sign * effect.mean, low, high)
    seeds = text.format_count(effect.n, "seed")
    return f"{tables.objective_label} on the validation set is {change}, over {seeds}."


def _name_images(tables: StudyTables) -> str:
    return "training images of a fold" if tables.setting("data.split.by") == "folds" else "images"


def _name_candidate(tables: StudyTables) -> str:
    """Name the candidate whose settings were used: the baseline if there is no winner."""
    return "winner" if tables.has_winner else "baseline"


def _list_winner(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def build_figures(tables: StudyTables) -> list[Figure]:
    means = ablation_effects.compute_data_scaling(tables).rename(columns={"value": "mean"})
    if len(means) < 2:
        reason = "The winner was not trained with fewer images. `diagnose` in params.yaml asks for that."
        if not tables.ablations.empty:
            reason = "No training with fewer images finished."
        return [EmptyFigure("images", "Number of images", reason)]
    seeds = [
        ablation_effects.objective_by_seed(tables, "images", share).rename("value").reset_index().assign(images=images)
        for share, images in zip(means.pop("share"), means["images"], strict=True)
    ]
    points = pd.concat(seeds)[["images", "seed", "value"]]
    without = ablation_effects.objective_by_seed(tables, "augmentation", 1.0)
    rule = pd.DataFrame([{"value": without.mean(), "name": "no augmentation"}] if len(without) else [])
    # few seeds have wide intervals: the means and seeds set the scale
    references, bounds = [*means["mean"], *rule.get("value", [])], tables.bounds_of(tables.objective)
    window = compute_window(points["value"], tables.sign, references, allow_log=False, bounds=bounds)
    points["shown"] = points["value"].clip(window.low, window.high)
    means[["low", "high"]] = means[["low", "high"]].clip(window.low, window.high)
    decimals = text.count_decimals((window.high - window.low) / 4)
    means["label"] = [text.format_fixed(mean, decimals) for mean in means["mean"]]
    candidate, metric = _name_candidate(tables), tables.objective_label
    caption = (
        f"The {candidate}'s settings, judged on the validation set. Each seed trains on images that it draws itself, "
        "for as many steps as with all images. No seed had a part in choosing the winner. Small dots: seeds. Large "
        "dots: means with 95 % intervals over seeds, cut at the edges. "
        f"{'Lower' if tables.sign > 0 else 'Higher'} is better."
    )
    values = [
        f"{round(n):,} images {text.format_number(mean)}"
        for n, mean in zip(means["images"], means["mean"], strict=True)
    ]
    values += [f"all images without augmentation {text.format_number(without.mean())}"] if len(rule) else []
    description = f"{metric.capitalize()} of the {candidate}: {'; '.join(values)}."
    title, data = f"{metric.capitalize()} by number of images", {"points": points, "means": means, "rule": rule}
    draw = partial(_plot_image_counts, window, means["images"].tolist(), metric, PAINT[candidate])
    return [Chart("images", title, caption, description, data, draw)]


def _plot_image_counts(window: Window, images: list[float], metric: str, paint: str) -> AltairChart:
    scale = alt.Scale(type="log", domain=[0.85 * images[0], 1.18 * images[-1]], nice=False)
    axis = alt.Axis(title="images, log scale; the mean below", titlePadding=28, values=images, format=",.0f")
    x = alt.X("images:Q", scale=scale, axis=axis)
    shown, mean, low, value = (marks.encode_window_y(window, name) for name in ("shown", "mean", "low", "value"))
    dots = marks.build_layer("points").mark_point(size=26, opacity=0.45, color=paint, xOffset=11)
    seeds = dots.encode(x=x, y=shown, tooltip=["seed:O", *marks.build_tooltips(".4~g", "value")])
    means = marks.build_layer("means").encode(x=x)
    line = means.mark_line(color=paint, strokeWidth=1.2).encode(y=mean)
    bars = means.mark_rule(color=paint, strokeWidth=3).encode(y=low, y2="high:Q")
    heads = means.mark_point(color=paint, size=110)
    heads = heads.encode(y=mean, tooltip=marks.build_tooltips(".4~g", "images", "mean", "low", "high"))
    # below the axis, where no line crosses them
    labels = means.mark_text(baseline="top").encode(y=alt.value(CHART_HEIGHT_PIXELS + 24), text="label:N")
    rule = marks.build_layer("rule").mark_rule(color=PAINT["ink"], strokeWidth=1.4, strokeDash=[5, 4]).encode(y=value)
    channels = {"x": alt.value(0), "y": value, "text": "name:N"}
    words = marks.plot_haloed_text("rule", channels, align="left", baseline="bottom", dx=4, dy=-4)
    return alt.layer(rule, line, bars, heads, seeds, labels, *words).properties(
        height=CHART_HEIGHT_PIXELS, title=marks.build_window_heading(window, metric)
    )
