"""The effects of all settings: a chart, and what an effect is in words."""

from dataclasses import asdict
from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.analysis.importance import MIN_TRIALS, Importance, ImportanceRanking
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import build_layer, build_tooltip
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.sentences import describe_epoch
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_interval, format_number, join_items

MATTERED = "mattered"
LITTLE = "mattered little"
UNCLEAR = "not clear"


def describe_method(ranking: ImportanceRanking) -> str:
    """Say what is compared, and where failed trials count."""
    trials, epoch = format_count(ranking.trial_count, "trial"), ranking.equal_training.epoch
    if ranking.model_count < ranking.trial_count:
        trials = f"{ranking.model_count:,} of the {trials}, evenly spaced"
    text = f"Effects come from a smooth model of {trials}, averaged over all other settings."
    if epoch is not None:
        text += f" Each trial counts with its value {describe_epoch(epoch)}."
    if ranking.worst_value is not None:
        text += f" Failed trials, and values beyond {format_number(ranking.worst_value)}, count as that value."
    return text


def describe_effect(parameter: Importance) -> str:
    """Describe an effect: `rate`: from worst (0.1 to 1) to best (0.001 to 0.01) 0.31 (0.22 to 0.40)."""
    amount = format_interval(parameter.difference, parameter.low, parameter.high)
    tuned = ", the other settings at the best known for each" if parameter.is_tuned else ""
    return f"{format_code(parameter.name)}: from worst ({parameter.worst}) to best ({parameter.best}) {amount}{tuned}."


def build_effects_figure(tables: StudyTables, ranking: ImportanceRanking | None) -> Figure:
    """Build the chart of all effects, or say why there is none."""
    label = tables.objective_label
    title = f"Effect of each setting on {label}"
    if ranking is None:
        reason = (
            f"{format_count(len(tables.trials), 'trial')} cannot show what matters: {MIN_TRIALS} trials that can be "
            "compared are needed, and some must be better than the others."
        )
        if tables.count_trials("diverged") == len(tables.trials):
            reason = "Every trial diverged, so no setting explains which did best."
        return EmptyFigure("importance", title, reason)
    rows, equal_training = [split_label(parameter.name) for parameter in ranking.parameters], ranking.equal_training
    table = pd.DataFrame([asdict(parameter) for parameter in ranking.parameters]).rename(columns={"name": "parameter"})
    table = table.assign(row=rows, verdict=[_name_verdict(parameter) for parameter in ranking.parameters])
    smallest = ranking.parameters[0].smallest_effect
    caption = (
        f"From the worst third of a range, or the worst choice, to the best. {describe_method(ranking)} Thin bar: "
    )
    caption += "the 95 % interval."
    if smallest is not None:
        caption += f" Upright line: the smallest difference that counts, {format_number(smallest, 2)}."
    if equal_training.epoch is not None:
        caption += " Stopped trials count, because the others alone would mislead."
    if count := equal_training.unknown_count:
        then, verb = "" if equal_training.epoch is None else " by then", "is" if count == 1 else "are"
        caption += f" {format_count(count, 'trial')} without a value{then} {verb} left out."
    if ranking.rare_parameters:
        rare = [f"{format_code(name)} ({count})" for name, count in ranking.rare_parameters.items()]
        caption += f" Left out, because too few trials have them: {join_items(rare)}."
    effects = " ".join(describe_effect(parameter) for parameter in ranking.parameters)
    description = f"Effect on {label}. {effects}"
    draw = partial(_plot_effects, rows, label, smallest is not None)
    return Chart("importance", title, caption, description, {"effects": table}, draw)


def _name_verdict(parameter: Importance) -> str:
    return MATTERED if parameter.is_important else LITTLE if parameter.is_minor else UNCLEAR


def split_label(name: str) -> str:
    """Return a row's label in two lines: the last part of a name, then the parts before it."""
    above, _, last = name.rpartition(".")
    return f"{last}\n{above}" if above and " " not in name else name


def _plot_effects(rows: list[str], label: str, has_smallest: bool) -> AltairChart:
    y = alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(labelExpr=r"split(datum.label, '\n')", labelLimit=140))
    shades = [PAINT["plain"], PAINT["faint"], PAINT["faint"]]
    paint = alt.Scale(domain=[MATTERED, LITTLE, UNCLEAR], range=shades)
    across = alt.Axis(title=label, tickCount=5, grid=True)
    tips = ["parameter:N", "worst:N", "best:N", *(build_tooltip(name) for name in ("difference", "low", "high"))]
    effects, ink = build_layer("effects"), PAINT["ink"]
    small = effects.mark_tick(color=ink, thickness=2, height=26)
    return alt.layer(
        effects.mark_bar(height=16, cornerRadiusEnd=2).encode(
            x=alt.X("difference:Q", axis=across),
            y=y,
            color=alt.Color("verdict:N", scale=paint, legend=alt.Legend(columns=2)),  # fits a phone
            tooltip=[*tips, "trials:Q"],
        ),
        effects.mark_rule(color=ink, strokeWidth=1.4).encode(x=alt.X("low:Q", axis=across), x2="high:Q", y=y),
        *([small.encode(x=alt.X("smallest_effect:Q", axis=across), y=y)] if has_smallest else []),
    ).properties(height=42 * len(rows))
