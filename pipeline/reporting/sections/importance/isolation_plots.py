"""What is said and drawn of a scientific parameter: does it matter after each value had its own best of the others?"""

from collections.abc import Sequence
from functools import partial

import altair as alt
import pandas as pd

from thalweg.reporting.advice import more_seeds, more_trials, search_space
from thalweg.reporting.analysis.good_region import jitter_trials
from thalweg.reporting.analysis.isolation import (
    MIN_VALUE_TRIALS,
    ValueComparison,
    ValueGroup,
    chance_all_lost,
    compare_values,
    group_trials_by_value,
)
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict, judge_parameter
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.window import Window, compute_window
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.marks import (
    build_layer,
    build_tooltip,
    build_trial_points,
    build_window_heading,
    encode_jitter,
    encode_roles,
    encode_window_y,
)
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_percent, join_items, metric_label


def report_isolation(tables: StudyTables, parameter: SearchedParameter) -> list[Finding]:
    """Whether a scientific parameter matters, as far as its trials can tell; nothing where no trial was completed."""
    known, noise = group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    judged, told = [side for side in known if side.best is not None], judge_parameter(tables, parameter)
    if told is None:
        return []
    result = compare_values(known, noise)
    leader, others = result or (judged[0], [])
    parts = [
        f"The best of each, {metric_label(tables.objective)}: {_describe_bests([leader, *(one.group for one in others)])}."
    ]
    if not others:
        parts = [f"Only {leader.label} has a trial that trained to its end."]
    elif noise is not None:
        parts.append(
            f"Two values closer than {format_number(noise.least_significant_difference, 2)} are not told apart."
        )
    worse, still = ([one for one in others if one.verdict == kind] for kind in ("worse", "open"))
    barely = [one for one in still if leader.is_rare or one.group.is_rare]
    parts += [_describe_comparison(leader, one) for one in [*worse, *still] if one not in barely][:3]
    ties = [one.group.label for one in others if one.verdict == "tie"]
    if ties and len(ties) < len(others):
        parts.append(f"Within noise of {leader.label}: {join_items(ties)}.")
    parts += [*_describe_rare_values(leader, barely), *_describe_unjudged_values(known), told.evidence]
    behind = [
        side.best_trial for side in (leader, *(one.group for one in others)) if side.best_trial is not None and others
    ]
    evidence = " ".join(part for part in parts if part)
    return [Finding(told.text, evidence, _advise_next_step(tables, parameter, told), tuple(behind), told.tone)]


def _advise_next_step(tables: StudyTables, parameter: SearchedParameter, told: ScientificVerdict) -> str:
    """What follows: another space, trials with some values, or more seeds a trial."""
    if told.worse_values or told.equal_values:
        return search_space.advise_search(tables)
    if told.rare_values:
        return more_trials.advise_rare_values(parameter.name, told.rare_values)
    return more_seeds.advise_study_seeds(tables) if told.is_noisy else ""


def _describe_bests(known: Sequence[ValueGroup]) -> str:
    told = [side for side in known if side.best is not None]
    return join_items(
        [f"{format_number(side.best)} with {side.label} ({format_count(len(side.costs), 'trial')})" for side in told]
    )


def _describe_comparison(leader: ValueGroup, one: ValueComparison) -> str:
    """Why a value is called worse, or cannot be told."""
    both = len(leader.costs) + len(one.group.costs)
    text = f"{one.group.label} is {format_number(abs(one.difference), 2)} {'behind' if one.difference > 0 else 'ahead'}"
    text += _describe_trial_count(one)
    share = format_percent(one.chance)
    best, all_ = (f"best {one.trials_ahead}", "all ") if one.trials_ahead > 1 else ("best", "")
    luck = f"the {best} of the {both} trials with either {all_}had {leader.label}, which is luck in {share} of cases"
    if one.verdict == "worse":
        return f"{text}, and {luck}."
    return f"{text}; {luck}: with so many comparisons less than {format_percent(one.chance_limit)} would tell."


def _describe_trial_count(one: ValueComparison) -> str:
    """At how many trials a difference was taken, where that is not the one between the best of each."""
    return "" if one.equal_count is None else f" at equal numbers of trials, the expected best of {one.equal_count}"


def _describe_rare_values(leader: ValueGroup, known: Sequence[ValueComparison]) -> list[str]:
    """The values that are behind, but were tried too rarely."""
    if not known:
        return []
    if leader.is_rare:
        return [f"{leader.label} leads with fewer than {MIN_VALUE_TRIALS} trials, which may be luck."]
    behind = join_items(
        [f"{one.group.label} (by {format_number(abs(one.difference), 2)}{_describe_trial_count(one)})" for one in known]
    )
    return [f"Behind, but with fewer than {MIN_VALUE_TRIALS} trials, too few to come to their own best: {behind}."]


def _describe_unjudged_values(known: Sequence[ValueGroup]) -> list[str]:
    """The values that could not be judged."""
    never = [side.label for side in known if not len(side.costs)]
    told = [f"No trial had {join_items(never)}."] if never else []
    for side in known:
        if side.is_lost:
            luck = f"luck in {format_percent(chance_all_lost(known, side))} of cases where all are alike"
            told.append(f"No trial with {side.label} trained to its end, which is {luck}.")
    return told


def build_isolation_figure(tables: StudyTables, index: int, parameter: SearchedParameter) -> Figure:
    """The best of each value with its noise, over all trials, faint."""
    name, known, noise = parameter.name, group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    shown = [side for side in known if len(side.costs)]
    if not any(side.best is not None for side in shown):
        reason = "No trial that has this parameter trained to its end."
        return EmptyFigure(f"isolation-{index}", f"{name}: the best of each value", reason, is_half_width=True)
    seen = compute_window(tables.trials["value"], tables.sign, bounds=tables.bounds_of(tables.objective))
    tilted = len(shown) > 4 and parameter.is_range
    apart = " · " if tilted else "|"  # tilted lines below each other would run into their neighbours
    rows = [f"{side.label}{apart}{format_count(len(side.costs), 'trial')}" for side in shown]
    points = pd.concat(
        [
            build_trial_points(side.trials, seen, tables.sign, at=row, aside=jitter_trials(side.trials["number"], 0.7))
            for row, side in zip(rows, shown, strict=True)
        ],
        ignore_index=True,
    )
    half = noise.least_significant_difference / 2**0.5 if noise else 0.0
    own = pd.DataFrame(
        {"at": rows, "trial": [side.best_trial for side in shown], "best": [side.best for side in shown]}
    )
    best = own.dropna(subset="best").astype({"trial": int, "best": float})
    best["low"], best["high"] = ((best["best"] + way * half).clip(seen.low, seen.high) for way in (-1, 1))
    caption = "Each value at its own best over all other parameters (diamond); all trials faint. "
    caption += "The bar is the 95 % noise of a seed. " if noise else "How large the noise of a seed is, is not known. "
    better = "Lower" if tables.sign > 0 else "Higher"
    caption += f"{better} is better; the best of more trials is better by chance alone."
    spoken = f"The best {metric_label(tables.objective)} for each value of {name}: {_describe_bests(shown)}."
    draw = partial(
        _plot_isolation, seen, rows, points["role"].tolist(), metric_label(tables.objective), index == 0, tilted
    )
    title = f"{name}: the best of each value"
    return Chart(
        f"isolation-{index}", title, caption, spoken, {"points": points, "best": best}, draw, is_half_width=True
    )


def _plot_isolation(
    seen: Window, rows: list[str], roles: list[str], axis: str, legend: bool, tilted: bool
) -> AltairChart:
    angle, limit = (-55, 180) if tilted else (0, 110)
    along = alt.Axis(title=None, labelAngle=angle, labelLimit=limit, labelExpr="split(datum.label, '|')")
    at = alt.X("at:N", sort=rows, scale=alt.Scale(domain=rows), axis=along)
    trials = build_layer("points").mark_point(opacity=0.5)
    tips, roles_marked = ["trial:Q", "role:N", build_tooltip("value")], encode_roles(roles, len(roles), legend)
    bars = build_layer("best").mark_rule(strokeWidth=2.5, color=PAINT["ink"])
    best = build_layer("best").mark_point(
        shape="diamond", size=130, color=PAINT["ink"], stroke=PAINT["paper"], strokeWidth=1
    )
    return alt.layer(
        trials.encode(x=at, y=encode_window_y(seen, "shown"), xOffset=encode_jitter(), tooltip=tips, **roles_marked),
        bars.encode(x=at, y=encode_window_y(seen, "low"), y2="high:Q"),
        best.encode(x=at, y=encode_window_y(seen, "best"), tooltip=["trial:Q", build_tooltip("best")]),
    ).properties(height=240, title=build_window_heading(seen, axis))
