"""What more images would gain, and how many of them the augmentation is worth: the winner trained with less."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import Finding, Tone
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import (
    build_layer,
    build_tooltips,
    build_window_heading,
    encode_window_y,
    plot_haloed_text,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_count,
    format_fixed,
    format_interval,
    format_number,
    metric_label,
)
from thalweg.stats.intervals import Interval, compare_with_zero

TITLE = "Data"
ORDER = 55
CHART_HEIGHT_PIXELS = 280
"""Pixels of the chart's height."""


def build_findings(tables: StudyTables) -> list[Finding]:
    return (
        []
        if len(ablation_effects.compute_data_scaling(tables)) < 2
        else [*_report_image_gain(tables), *_report_augmentation(tables)]
    )


def _report_image_gain(tables: StudyTables) -> list[Finding]:
    """Whether more images would help: what the last step to all of them gained, seed by seed."""
    known, apart = ablation_effects.compute_data_scaling(tables), ablation_effects.compute_effect(tables, "images")
    if apart is None:
        return []
    few, total = (round(images) for images in known["images"].tail(2))
    evidence = (
        f"At the {_name_candidate(tables)}'s settings, trained for as many steps on {few:,} of the {total:,} images, drawn anew "
        f"for each seed, {_describe_difference(tables, apart)}"
    )
    tone: Tone = "plain"
    match compare_with_zero(apart, tables.sign):
        case "worse":
            verdict = "More images would help."
            step = f"Gather more images, of places that train does not know yet.{_describe_expected_gain(known, tables.sign)}"
        case "better":
            verdict, tone = f"The {_name_candidate(tables)} is better with fewer images.", "caution"
            step = "Look at the labels of train: some may be wrong, or of another kind than validation's."
        case _:
            verdict = "Whether more images would help cannot be told: seeds are too noisy."
            step = more_seeds.advise_diagnose_seeds(tables)
    return [Finding(verdict, evidence, step, _list_winner(tables), tone)]


def _describe_expected_gain(known: pd.DataFrame, sign: int) -> str:
    """What as large a step again may gain, if gains go on shrinking as they did; '' where that cannot be said."""
    if len(known) < 3:
        return ""
    before, last = -sign * np.diff(known["value"].to_numpy()[-3:])
    factors = known["images"].to_numpy()[-2:] / known["images"].to_numpy()[-3:-1]
    if before <= 0 or abs(factors[1] / factors[0] - 1) > 0.1:
        return ""
    # a power law's gains from equal factors fall by the same share each time
    expected = last * min(1.0, last / before)
    return (
        f" {factors[1]:.2g} times as many would gain about {expected:.2g}, if gains go on as they did: "
        f"{before:.2g}, then {last:.2g}."
    )


def _report_augmentation(tables: StudyTables) -> list[Finding]:
    """How many images the augmentation is worth."""
    whole, apart = (
        ablation_effects.objective_by_seed(tables, "images", 1.0),
        ablation_effects.compute_effect(tables, "augmentation"),
    )
    if apart is None:
        return []
    evidence = f"Without it, at the {_name_candidate(tables)}'s settings, {_describe_difference(tables, apart)}"
    tone: Tone = "plain"
    match compare_with_zero(apart, tables.sign):
        case "worse":
            images, most = ablation_effects.count_equal_images(tables, whole.mean() + apart.mean)
            total = round(ablation_effects.compute_data_scaling(tables)["images"].iloc[-1])
            few, least = ("at most ", "at least ") if most else ("", "")
            times = total / images
            worth = f"{100 * (times - 1):.0f} % more images" if times < 2 else f"{times:.2g} times the images"
            evidence += f" So {total:,} images without it do what {few}{images:,.0f} do with it."
            verdict, step, tone = f"Augmentation is worth {least}{worth}.", "", "good"
        case "better":
            verdict, tone = f"The {_name_candidate(tables)} is better without augmentation.", "caution"
            step = "Weaken `augment.online`, or search its strengths: what it draws may not look like validation."
        case _:
            verdict = "Augmentation shows no effect beyond noise."
            step = "Search the strengths of the augmentation (`augment.online.…`), if it is to help."
    return [Finding(verdict, evidence, step, _list_winner(tables), tone)]


def _describe_difference(tables: StudyTables, apart: Interval) -> str:
    """What the objective differs by, `0.106 worse (0.043 to 0.169)`, as the end of a sentence, and what flatters it.

    The interval is of what the mean is, and crosses zero with a minus.
    """
    way = 1 if apart.mean >= 0 else -1
    low, high = sorted((way * apart.low, way * apart.high))
    mean, _, rest = format_interval(way * apart.mean, low, high).partition(" ")
    worse = "worse" if way * tables.sign > 0 else "better"
    told = f"{metric_label(tables.objective)} on validation is {mean} {worse} {rest}, from {format_count(apart.n, 'seed')}."
    if not _is_selected_winner(tables):
        return told
    return f"{told} The runs with all images are those that chose the winner, which flatters them a little."


def _is_selected_winner(tables: StudyTables) -> bool:
    """Whether the runs with all images chose the winner."""
    known = build_confirmed_result(tables)
    return known is not None and known.contender_count > 1


def _name_candidate(tables: StudyTables) -> str:
    """At whose settings it was trained: the baseline's where there is no winner."""
    return "winner" if tables.has_winner else "baseline"


def _list_winner(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def build_figures(tables: StudyTables) -> list[Figure]:
    means = ablation_effects.compute_data_scaling(tables).rename(columns={"value": "mean"})
    if len(means) < 2:
        reason = "The winner was not trained with fewer images: see `diagnose` in params.yaml."
        if not tables.ablations.empty:
            reason = "No training with fewer images came to its end."
        return [EmptyFigure("images", "Number of images", reason)]
    seeds = [
        ablation_effects.objective_by_seed(tables, "images", share).rename("value").reset_index().assign(images=images)
        for share, images in zip(means.pop("share"), means["images"], strict=True)
    ]
    points = pd.concat(seeds)[["images", "seed", "value"]]
    without = ablation_effects.objective_by_seed(tables, "augmentation", 1.0)
    rule = pd.DataFrame([{"value": without.mean(), "name": "no augmentation"}] if len(without) else [])
    # few seeds have wide intervals: the means and seeds set the scale
    also, bounds = [*means["mean"], *rule.get("value", [])], tables.bounds_of(tables.objective)
    seen = compute_window(points["value"], tables.sign, also, allow_log=False, bounds=bounds)
    points["shown"] = points["value"].clip(seen.low, seen.high)
    means[["low", "high"]] = means[["low", "high"]].clip(seen.low, seen.high)
    places = count_decimals((seen.high - seen.low) / 4)
    means["told"] = [format_fixed(mean, places) for mean in means["mean"]]
    whole = "the runs that chose the winner" if _is_selected_winner(tables) else "the confirmed runs"
    caption = (
        f"On validation at the {_name_candidate(tables)}'s settings, trained for the same number of steps on parts of the images, "
        f"drawn anew for each seed; with all of them, {whole}. Small dots: seeds; large dots: means with 95 % "
        "intervals over seeds; what reaches beyond the chart is drawn to its edge. "
        f"{'Lower' if tables.sign > 0 else 'Higher'} is better."
    )
    short = metric_label(tables.objective)
    told = [
        f"{round(n):,} images {format_number(mean)}" for n, mean in zip(means["images"], means["mean"], strict=True)
    ]
    told += [f"all images without augmentation {format_number(without.mean())}"] if len(rule) else []
    spoken = f"{short.capitalize()} of the {_name_candidate(tables)}: {'; '.join(told)}."
    title, data = f"{short.capitalize()} against the number of images", {"points": points, "means": means, "rule": rule}
    draw = partial(_plot_image_counts, seen, means["images"].tolist(), short, PAINT[_name_candidate(tables)])
    return [Chart("images", title, caption, spoken, data, draw)]


def _plot_image_counts(seen: Window, images: list[float], metric: str, paint: str) -> AltairChart:
    scale = alt.Scale(type="log", domain=[0.85 * images[0], 1.18 * images[-1]], nice=False)
    axis = alt.Axis(title="images, log scale; below them the mean", titlePadding=28, values=images, format=",.0f")
    x = alt.X("images:Q", scale=scale, axis=axis)
    shown, mean, low, value = (encode_window_y(seen, name) for name in ("shown", "mean", "low", "value"))
    dots = build_layer("points").mark_point(size=26, opacity=0.45, color=paint, xOffset=11)
    seeds = dots.encode(x=x, y=shown, tooltip=["seed:O", *build_tooltips(".4~g", "value")])
    means = build_layer("means").encode(x=x)
    line = means.mark_line(color=paint, strokeWidth=1.2).encode(y=mean)
    bars = means.mark_rule(color=paint, strokeWidth=3).encode(y=low, y2="high:Q")
    heads = means.mark_point(color=paint, size=110)
    heads = heads.encode(y=mean, tooltip=build_tooltips(".4~g", "images", "mean", "low", "high"))
    # below the axis, where no line crosses them
    told = means.mark_text(baseline="top").encode(y=alt.value(CHART_HEIGHT_PIXELS + 24), text="told:N")
    rule = build_layer("rule").mark_rule(color=PAINT["ink"], strokeWidth=1.4, strokeDash=[5, 4]).encode(y=value)
    at = {"x": alt.value(0), "y": value, "text": "name:N"}
    words = plot_haloed_text("rule", at, align="left", baseline="bottom", dx=4, dy=-4)
    return alt.layer(rule, line, bars, heads, seeds, told, *words).properties(
        height=CHART_HEIGHT_PIXELS, title=build_window_heading(seen, metric)
    )
