"""What more images would gain, and how many of them the augmentation is worth: the winner trained with less."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import more_seeds
from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.analysis.confirmed import confirmed
from thalweg.reporting.analysis.window import Window, window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Drawing, Figure, source
from thalweg.reporting.page.scales import window_axis, window_heading, window_scale
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import decimals, fixed, label, many, number, span
from thalweg.stats.intervals import Interval, interval, judge

TITLE = "Data"
ORDER = 55
TALL = 280
"""Pixels of the chart's height."""


def findings(tables: StudyTables) -> list[Finding]:
    return [] if len(ablation_effects.steps(tables)) < 2 else [*_more(tables), *_augmentation(tables)]


def _more(tables: StudyTables) -> list[Finding]:
    """Whether more images would help: what the last step to all of them gained, seed by seed."""
    known, behind = ablation_effects.steps(tables), _behind(tables)
    last, every = known.iloc[-2], known.iloc[-1]
    apart = ablation_effects.lost(tables, "images")
    if apart is None:
        return []
    few, total = round(last["images"]), round(every["images"])
    evidence = (
        f"At the {_who(tables)}'s settings, trained for as many steps on {few:,} of the {total:,} images, drawn anew "
        f"for each seed, {label(tables.objective)} on validation is {_worse(apart, tables.sign)}, from "
        f"{many(apart.n, 'seed')}.{_chosen(tables)}"
    )
    match judge(apart, tables.sign):
        case "worse":
            step = f"Gather more images, of places that train does not know yet. {_outlook(known, tables.sign)}".strip()
            return [Finding("More images would help.", evidence, step, behind)]
        case "better":
            step = "Look at the labels of train: some may be wrong, or of another kind than validation's."
            return [Finding(f"The {_who(tables)} is better with fewer images.", evidence, step, behind, "caution")]
        case _:
            verdict = "Whether more images would help cannot be told: seeds are too noisy."
            return [Finding(verdict, evidence, more_seeds.of_diagnosis(tables), behind)]


def _chosen(tables: StudyTables) -> str:
    """That the runs with all of it are those which chose the winner, as a sentence; '' where nothing was chosen."""
    known = confirmed(tables)
    if known is None or known.chosen_among < 2:
        return ""
    return " The runs with all images are those that chose the winner, which flatters them a little."


def _outlook(known: pd.DataFrame, sign: int) -> str:
    """What as large a step again may gain, if gains go on shrinking as they did; '' where that cannot be said."""
    if len(known) < 3:
        return ""
    gains = -sign * np.diff(known["value"].to_numpy()[-3:])
    factors = known["images"].to_numpy()[-2:] / known["images"].to_numpy()[-3:-1]
    if gains[0] <= 0 or abs(factors[1] / factors[0] - 1) > 0.1:
        return ""
    # a power law's gains from equal factors fall by the same share each time
    expected = gains[1] * min(1.0, gains[1] / gains[0])
    return (
        f"{factors[1]:.2g} times as many would gain about {expected:.2g}, if gains go on as they did: "
        f"{gains[0]:.2g}, then {gains[1]:.2g}."
    )


def _augmentation(tables: StudyTables) -> list[Finding]:
    """How many images the augmentation is worth."""
    whole, apart = ablation_effects.by_seed(tables, "images", 1.0), ablation_effects.lost(tables, "augmentation")
    if apart is None:
        return []
    behind, total = _behind(tables), round(ablation_effects.steps(tables)["images"].iloc[-1])
    evidence = (
        f"Without it, at the {_who(tables)}'s settings, {label(tables.objective)} on validation is "
        f"{_worse(apart, tables.sign)}, from {many(apart.n, 'seed')}.{_chosen(tables)}"
    )
    match judge(apart, tables.sign):
        case "worse":
            images, most = ablation_effects.equal_images(tables, whole.mean() + apart.mean)
            few = f"{'at most ' if most else ''}{images:,.0f}"
            evidence += f" So {total:,} images without it do what {few} do with it."
            times = total / images
            verdict = f"Augmentation is worth {'at least ' if most else ''}{_times(times)}."
            return [Finding(verdict, evidence, trials=behind, tone="good")]
        case "better":
            step = "Weaken `augment.online`, or search its strengths: what it draws may not look like validation."
            return [Finding(f"The {_who(tables)} is better without augmentation.", evidence, step, behind, "caution")]
        case _:
            step = "Search the strengths of the augmentation (`augment.online.…`), if it is to help."
            return [Finding("Augmentation shows no effect beyond noise.", evidence, step, behind)]


def _worse(apart: Interval, sign: int) -> str:
    """`0.106 worse (0.043 to 0.169)`, or better; the interval is of what the mean is, and crosses zero with a minus."""
    way = 1 if apart.mean >= 0 else -1
    low, high = sorted((way * apart.low, way * apart.high))
    mean, _, rest = span(way * apart.mean, low, high).partition(" ")
    return f"{mean} {'worse' if way * sign > 0 else 'better'} {rest}"


def _times(times: float) -> str:
    return f"{100 * (times - 1):.0f} % more images" if times < 2 else f"{times:.2g} times the images"


def _who(tables: StudyTables) -> str:
    """At whose settings it was trained: the baseline's where there is no winner."""
    return "winner" if tables.has_winner else "baseline"


def _behind(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def charts(tables: StudyTables) -> list[Figure]:
    known = ablation_effects.steps(tables)
    if len(known) < 2:
        reason = "The winner was not trained with fewer images: see `diagnose` in params.yaml."
        if not tables.less.empty:
            reason = "No training with fewer images came to its end."
        return [Blank("images", "Number of images", reason)]
    metric = label(tables.objective)
    seeds, bars = [], []
    for share, images, mean in known.itertuples(index=False):
        values = ablation_effects.by_seed(tables, "images", share)
        seeds += [{"images": images, "seed": seed, "value": value} for seed, value in values.items()]
        spread = interval(values)
        low, high = (spread.low, spread.high) if spread else (mean, mean)
        bars.append({"images": images, "mean": mean, "low": low, "high": high})
    without = ablation_effects.by_seed(tables, "augmentation", 1.0)
    rule = pd.DataFrame([{"value": without.mean(), "name": "no augmentation"}] if len(without) else [])
    means, points = pd.DataFrame(bars), pd.DataFrame(seeds)
    # few seeds have wide intervals: the means and seeds set the scale
    seen = window(
        points["value"],
        tables.sign,
        [*means["mean"], *rule.get("value", [])],
        logs=False,
        bounds=tables.bounds_of(tables.objective),
    )
    points["shown"] = points["value"].clip(seen.low, seen.high)
    means[["low", "high"]] = means[["low", "high"]].clip(seen.low, seen.high)
    way = "Lower" if tables.sign > 0 else "Higher"
    runs = "the runs that chose the winner" if _chosen(tables) else "the confirmed runs"
    caption = (
        f"On validation at the {_who(tables)}'s settings, trained for the same number of steps on parts of the images, "
        f"drawn anew for each seed; with all of them, {runs}. Small dots: seeds; large dots: means with 95 % intervals "
        f"over seeds; what reaches beyond the chart is drawn to its edge. {way} is better."
    )
    spoken = "; ".join(f"{round(images):,} images {number(mean)}" for _, images, mean in known.itertuples(index=False))
    if len(rule):
        spoken += f"; all images without augmentation {number(without.mean())}"
    places = decimals((seen.high - seen.low) / 4)
    return [
        Chart(
            "images",
            f"{metric.capitalize()} against the number of images",
            caption,
            f"{metric.capitalize()} of the {_who(tables)}: {spoken}.",
            {"points": points, "means": means.assign(told=[fixed(v, places) for v in means["mean"]]), "rule": rule},
            partial(_draw, seen, means["images"].tolist(), metric, bool(len(rule)), _who(tables)),
        )
    ]


def _draw(seen: Window, images: list[float], metric: str, rule: bool, who: str) -> Drawing:
    scale = alt.Scale(type="log", domain=[0.85 * images[0], 1.18 * images[-1]], nice=False)
    axis = alt.Axis(title="images, log scale; below them the mean", titlePadding=28, values=images, format=",.0f")
    x = alt.X("images:Q", scale=scale, axis=axis)

    def height(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", scale=window_scale(seen), axis=window_axis(seen))

    dots = alt.Chart(source("points")).mark_point(size=26, opacity=0.45, color=PAINT[who], xOffset=11)
    seeds = dots.encode(x=x, y=height("shown"), tooltip=["seed:O", alt.Tooltip("value:Q", format=".4~g")])
    means = alt.Chart(source("means"))
    tips = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("images", "mean", "low", "high")]
    line = means.mark_line(color=PAINT[who], strokeWidth=1.2).encode(x=x, y=height("mean"))
    bars = means.mark_rule(color=PAINT[who], strokeWidth=3).encode(x=x, y=height("low"), y2="high:Q")
    heads = means.mark_point(color=PAINT[who], size=110).encode(x=x, y=height("mean"), tooltip=tips)
    # below the axis, where no line crosses them
    told = means.mark_text(baseline="top").encode(x=x, y=alt.value(TALL + 24), text="told:N")
    layers = [line, bars, heads, seeds, told]
    if rule:
        base = alt.Chart(source("rule"))
        dashed = base.mark_rule(color=PAINT["ink"], strokeWidth=1.4, strokeDash=[5, 4]).encode(y=height("value"))
        layers = [dashed, *layers]
        for paints in ({"stroke": PAINT["paper"], "strokeWidth": 4}, {"color": PAINT["ink"]}):
            word = base.mark_text(align="left", baseline="bottom", dx=4, dy=-4, **paints)
            layers.append(word.encode(y=height("value"), x=alt.value(0), text="name:N"))
    return alt.layer(*layers).properties(height=TALL, title=window_heading(seen, metric))
