"""Trade-offs between the objectives of a study that has several."""

from functools import partial
from itertools import combinations
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd
from scipy.special import stdtrit

from thalweg.reporting.advice import more_seeds, rules
from thalweg.reporting.analysis.pareto_growth import (
    compute_costs,
    compute_front_growth,
    compute_volume_shares,
    list_objectives,
    metric_noise,
    metric_sign,
    select_reference_trials,
)
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure, Table
from thalweg.reporting.page.marks import (
    build_heading,
    build_layer,
    build_tooltip,
    build_window_axis,
    build_window_heading,
    build_window_scale,
    encode_window_y,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    capitalise_first,
    format_count,
    format_fixed,
    format_number,
    format_share,
    join_items,
)
from thalweg.stats.pareto import pareto_front

TITLE = "Trade-offs"
ORDER = 12
MAX_FRONT_ROWS = 30
"""Rows of the front's table; trials."""
MAX_GAP_SHARE = 0.25
"""How far behind the best value a recommended trial may be, as a share of the median trial's gap."""


def is_applicable(tables: StudyTables) -> bool:
    """Return whether the study has more than one objective."""
    return len(list_objectives(tables)) > 1


def build_findings(tables: StudyTables) -> list[Finding]:
    if not is_applicable(tables) or tables.trials.empty:
        return []
    table = compute_costs(tables)
    if len(table) < 2:
        return []
    best = table[pareto_front(table)].sort_values(tables.objective)
    return [_report_front(tables, table, best), *_report_front_growth(tables)]


def _report_front(tables: StudyTables, table: pd.DataFrame, best: pd.DataFrame) -> Finding:
    """Report the trials on the front, and whether the objectives conflict at all."""
    trials, metrics = tuple(int(trial) for trial in best.index), list_objectives(tables)
    names, count = join_items([tables.label_metric(name) for name in metrics]), format_count(len(best), "trial")
    numbers = {"front": len(best), "complete": len(table)}
    if len(best) == 1:
        verdict = f"Trial {trials[0]} is best in every objective: there is no trade-off."
        evidence = f"Of {format_count(len(table), 'complete trial')} it has the best {names}."
        return Finding(verdict, evidence, "", trials, "good", numbers=numbers)
    ends = dict.fromkeys(int(best.index[int(best[name].argmin())]) for name in metrics)
    share = f"{capitalise_first(format_share(len(best), len(table), 'complete trial'))} are not beaten by another"
    share = f"No other trial beats any of the {len(table):,} complete trials" if len(best) == len(table) else share
    evidence = (
        f"{share} in {names} at once. "
        f"The best in each: {'; '.join(f'trial {end} with {_describe_values(tables, best, end)}' for end in ends)}."
    )
    noise = [estimate.least_significant_difference for name in metrics if (estimate := metric_noise(tables, name))]
    reference = select_reference_trials(tables, table)
    if len(noise) == len(metrics):
        if drowned := [
            tables.label_metric(name)
            for name, least in zip(metrics, noise, strict=True)
            if least > np.ptp(reference[name])
        ]:
            evidence += f" In {join_items(drowned)}, seed noise is larger than the differences between trials."
            verdict = f"Seed noise hides which of {format_count(len(best), 'trade-off')} is best."
            return Finding(verdict, evidence, more_seeds.advise_study_seeds(tables), trials, numbers=numbers)
        reach = (MAX_GAP_SHARE * (reference.median() - table.min())).clip(upper=pd.Series(noise, index=table.columns))
        near: pd.Series = ((best - table.min()) / reach).fillna(0.0).max(axis=1)
        if near.min() <= 1:
            trial = int(str(near.idxmin()))
            evidence += (
                f" Trial {trial} ({_describe_values(tables, best, trial)}) is within noise of the best in each, so "
            )
            evidence += "the objectives hardly conflict."
            step = f"Take trial {trial}, unless more seeds show that the trade-offs differ."
            verdict = "One trial is within noise of the best in every objective."
            return Finding(verdict, evidence, step, trials, "good", numbers=numbers)
    step = (
        "Choose by what each kind of error costs. The winner in this report is the best in the first objective alone."
    )
    return Finding(f"{count} are the best trade-offs.", evidence, step, trials, numbers=numbers)


def _describe_values(tables: StudyTables, table: pd.DataFrame, trial: int) -> str:
    names = list_objectives(tables)
    return ", ".join(
        f"{tables.label_metric(name)} {format_number(metric_sign(tables, name) * table[name][trial])}" for name in names
    )


def _report_front_growth(tables: StudyTables) -> list[Finding]:
    """Report whether the last third of the trials still improved the front by more than seed noise."""
    growth = compute_front_growth(tables)
    if growth is None:
        return []
    if growth.noise_share is None:
        noise = "The noise of this share is not known."
    elif growth.kind == "unknown":
        noise = "Seeds alone can change it by as much."
    else:
        noise = f"Seeds alone can change it by up to {format_fixed(100 * growth.noise_share, 1)} points."
    evidence = (
        f"The front covers {format_fixed(100 * growth.volume_share, 1)} % of the box between the worst and the best of "
        f"each objective. The last third of the trials added {format_fixed(100 * growth.gain, 1)} points. {noise}"
    )
    numbers = {"covered": growth.volume_share, "gain": growth.gain}
    if growth.kind == "unknown":
        return [Finding("It is not clear whether the front of best trade-offs still grows.", evidence, numbers=numbers)]
    step = rules.advise_growing_measure(tables, growth.kind == "gaining")
    if growth.kind == "flat":
        verdict = "The front of best trade-offs has stopped growing."
        return [Finding(verdict, evidence, step, growth.new_trials, numbers=numbers)]
    verdict = "The front of best trade-offs was still growing when the search ended."
    return [Finding(verdict, evidence, step, growth.new_trials, "good", numbers=numbers)]


def build_figures(tables: StudyTables) -> list[Figure]:
    if not is_applicable(tables):
        return []
    table = compute_costs(tables) if len(tables.trials) else pd.DataFrame()
    if len(table) < 2:
        return [EmptyFigure("front", "Trade-offs", "There are fewer than two complete trials.")]
    pairs = list(combinations(list_objectives(tables), 2))
    charts = [_build_pair_chart(tables, table, index, pair, len(pairs) > 1) for index, pair in enumerate(pairs)]
    return [*charts, *_build_hypervolume_figures(tables, table), _build_front_table(tables, table)]


def _build_pair_chart(tables: StudyTables, table: pd.DataFrame, index: int, pair: tuple[str, str], half: bool) -> Chart:
    """Build the chart of two objectives against each other, with the front of these two alone."""
    x_label, y_label = map(tables.label_metric, pair)
    signs, noises = [metric_sign(tables, name) for name in pair], [metric_noise(tables, name) for name in pair]
    reference = select_reference_trials(tables, table)
    windows = [compute_window(sign * reference[name], sign) for name, sign in zip(pair, signs, strict=True)]
    real = {"one": signs[0] * table[pair[0]].array, "two": signs[1] * table[pair[1]].array}
    points = pd.DataFrame({"trial": table.index, **real})
    points["x"], points["y"] = (points[n].clip(s.low, s.high) for n, s in zip(("one", "two"), windows, strict=True))
    is_best = pareto_front(table[list(pair)])
    best = points[is_best].sort_values("one")
    for axis, column, noise, window in zip("xy", ("one", "two"), noises, windows, strict=True):
        reach = float(stdtrit(noise.dof, 0.975)) * noise.std if noise else np.nan
        best[f"{axis}_low"] = (best[column] - reach).clip(window.low, window.high)
        best[f"{axis}_high"] = (best[column] + reach).clip(window.low, window.high)
    first, second = ("lower" if sign > 0 else "higher" for sign in signs)
    better = f"{first.capitalize()} {x_label} and {second} {y_label} are better"
    if first == second:
        better = f"{first.capitalize()} is better in both"
    caption = f"One mark per complete trial. Diamonds: trials that no other beats. {better}."
    if any(noises):
        caption += " Bars: range of one trial's values from seed to seed, 95 %."
    if windows[0].is_log or windows[1].is_log:
        caption += " Log scale."
    spoken = f"{y_label} against {x_label} for {format_count(len(points), 'trial')}; not beaten: trials "
    spoken += f"{join_items(best['trial'].tolist())}."
    title = f"{x_label.capitalize()} and {y_label}"
    bars = best.dropna(subset=["x_low", "y_low"], how="all")
    data = {"points": points[~is_best], "best": best, "bars": bars}
    draw = partial(_plot_pair, windows[0], windows[1], x_label, y_label, signs[0])
    return Chart(f"front-{index}", title, caption, spoken, data, draw, half)


def _plot_pair(across: Window, up: Window, x_label: str, y_label: str, sign: int) -> AltairChart:
    """Plot two objectives; `sign` of the first one says on which side of a mark the front's step goes."""

    def build_x(field: str) -> alt.X:
        ticks = build_window_axis(across)
        ticks["title"] = x_label
        return alt.X(f"{field}:Q", scale=build_window_scale(across), axis=ticks)

    position, color = {"x": build_x("x"), "y": encode_window_y(up, "y")}, PAINT["winner"]
    tips = ["trial:Q", build_tooltip("one", title=x_label), build_tooltip("two", title=y_label)]
    side: Literal["step-after", "step-before"] = "step-after" if sign > 0 else "step-before"
    steps = build_layer("best").mark_line(color=color, strokeWidth=1.2, interpolate=side, opacity=0.7)
    bars = build_layer("bars").mark_rule(color=color, opacity=0.6)
    return alt.layer(
        build_layer("points").mark_point(color=PAINT["faint"], size=44).encode(tooltip=tips, **position),
        steps.encode(order=alt.Order("one:Q"), **position),
        bars.encode(x=build_x("x_low"), x2="x_high:Q", y=encode_window_y(up, "y")),
        bars.encode(x=build_x("x"), y=encode_window_y(up, "y_low"), y2="y_high:Q"),
        build_layer("best").mark_point(color=color, size=90, shape="diamond").encode(tooltip=tips, **position),
    ).properties(height=300, title=build_window_heading(up, y_label))


def _build_hypervolume_figures(tables: StudyTables, table: pd.DataFrame) -> list[Figure]:
    reference = select_reference_trials(tables, table)
    title = "How much the front covers"
    if (reference.max() == reference.min()).any():
        return [
            EmptyFigure(
                "volume",
                title,
                "All complete trials have the same value in one objective, so there is no area to cover.",
            )
        ]
    volume = compute_volume_shares(tables)
    caption = "Hypervolume: how much of the box between the worst and the best value of each objective the trials so "
    caption += "far dominate."
    spoken = f"Hypervolume so far by trial: {format_number(volume.iloc[-1])} of the box at the end."
    frame = pd.DataFrame({"trial": volume.index, "volume": volume.to_numpy()})
    return [Chart("volume", title, caption, spoken, {"volume": frame}, _plot_hypervolume)]


def _plot_hypervolume() -> AltairChart:
    y = alt.Y("volume:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=3))
    line: alt.Chart = build_layer("volume").mark_line(color=PAINT["winner"], interpolate="step-after", strokeWidth=1.8)
    return line.encode(
        x=alt.X("trial:Q", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        y=y,
        tooltip=["trial:Q", build_tooltip("volume", ".1%")],
    ).properties(height=160, title=build_heading("share covered"))


def _build_front_table(tables: StudyTables, table: pd.DataFrame) -> Table:
    """Build the table of the front with its parameters, sorted by the first objective."""
    best = table[pareto_front(table)].sort_values(tables.objective)
    rows = tables.trials.set_index("number").loc[best.index]
    columns = {"trial": best.index} | {
        tables.label_metric(name): metric_sign(tables, name) * best[name].to_numpy() for name in list_objectives(tables)
    }
    columns |= {parameter.name: rows[parameter.name].to_numpy() for parameter in tables.parameters}
    caption = "Trials that no other beats, sorted by the first objective."
    if len(best) > MAX_FRONT_ROWS:
        caption += f" The first {MAX_FRONT_ROWS} of {len(best)}."
    return Table("front", "The front", caption, pd.DataFrame(columns).head(MAX_FRONT_ROWS), is_sortable=True)
