"""The course of the search, and whether more trials would help."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd

from thalweg.reporting.advice import rules
from thalweg.reporting.analysis import constant_trials, random_search
from thalweg.reporting.analysis.mean_curves import values_by_epoch
from thalweg.reporting.analysis.progress import SearchGain, compute_best_so_far, compute_gain
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.analysis.window import Window
from thalweg.reporting.finding import Finding, Tone
from thalweg.reporting.page import marks
from thalweg.reporting.page.figures import AltairChart, Chart, EmptyFigure, Figure
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.sentences import describe_outliers
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_percent

TITLE = "History"
ORDER = 42
VERDICT_SENTENCES = {
    "gaining": "The search was still gaining when it ended.",
    "flat": "The search has flattened out within this space.",
}
UNKNOWN_NOISE = " The noise of a value is not known, so a late gain may be luck."


def build_findings(tables: StudyTables) -> list[Finding]:
    gain = compute_gain(tables)
    if gain is None:
        return []
    is_gaining = gain.kind == "gaining"
    verdict = VERDICT_SENTENCES.get(gain.kind, "It is unclear whether more trials would help.")
    step = rules.advise_growing_measure(tables, is_gaining)
    tone: Tone = "good" if is_gaining else "plain"
    measured = {"gain": gain.gain, "best_value": gain.best_value, "noise": gain.noise, "later_trials": gain.later_count}
    numbers = {name: value for name, value in measured.items() if value is not None}
    evidence = _describe_gain(gain)
    evidence += "" if gain.gain is not None or estimate_seed_noise(tables) else UNKNOWN_NOISE
    return [Finding(verdict, evidence, step, (gain.best_trial,), tone, numbers=numbers)]


def _describe_gain(gain: SearchGain) -> str:
    cohort = "" if gain.cohort is None else f" (cohort {gain.cohort} of {gain.cohort_count})"
    sentences = [
        f"Trial {gain.best_trial}{cohort} has the best value, {format_number(gain.best_value)}; "
        f"{format_count(gain.later_count, 'trial') if gain.later_count else 'no trial'} came after it."
    ]
    if gain.gain is None:
        return sentences[0]
    amount, noise_sentence = format_number(gain.gain, 2), f"Gains below {format_number(gain.noise, 2)} may be noise."
    if gain.best_chance is None:
        sentences += [f"The last third of the trials improved it by {amount}.", noise_sentence]
    else:
        sentences += [
            f"Averaged over all orders of these random trials, the last {gain.last_count} improve it by {amount}; "
            f"{gain.last_count} more would improve it by no more than that.",
            noise_sentence,
            f"The best of all would be among those {gain.last_count} more with a chance of "
            f"{'at most ' if gain.is_bound else ''}{format_percent(gain.best_chance, whole=True)}.",
        ]
    if gain.kind == "drowned":
        sentences.append("Since the first trial, the best value has improved by less than the noise.")
    return " ".join(sentences)


def _describe_order(tables: StudyTables, reason: random_search.OrderReason) -> str:
    """Describe why the study cannot be compared with random search."""
    sampler = tables.setting("study.sampler") or "the sampler"
    reasons = {
        "planned": f"`{sampler}` plans the order of its trials",
        "adaptive": f"`{sampler}` chooses each trial by the earlier ones",
        "exhausted": "every combination was tried",
        "stopped": "the final values of the stopped trials are not known",
        "few": f"fewer than {format_count(random_search.MIN_DRAWN_TRIALS, 'trial')} were drawn at random and completed",
    }
    return f"The chart has no band for random search: {reasons[reason]}."


def build_figures(tables: StudyTables) -> list[Figure]:
    trials = tables.trials
    if trials.empty:
        return [EmptyFigure("history", "Value by trial", "No trial was run.")]
    if trials["value"].notna().sum() == 0:
        return [EmptyFigure("history", "Value by trial", "Every trial diverged: there is no value to draw.")]
    trials = trials.sort_values("number")
    base, name = tables.baseline_curves.assign(trial=0), tables.objective
    reference = float(values_by_epoch(base, name, tables.sign).to_numpy()[0, -1]) if name in base else float("nan")
    window = constant_trials.compute_trial_window(tables, [reference])
    best = compute_best_so_far(tables).dropna()
    better = "Lower" if tables.sign > 0 else "Higher"
    caption = f"One mark per trial, in the order of the search. Line: the best so far. {better} is better."
    caption += f" {describe_outliers(*constant_trials.find_outliers(tables, trials, window))}".rstrip()
    caption += " Stopped trials have their value from when they stopped." if tables.count_trials("pruned") else ""
    draws = random_search.find_random_draws(tables)
    if isinstance(draws, str):
        comparison, expected = _describe_order(tables, draws), pd.DataFrame()
    else:
        comparison = "Dotted: the expected best of random search by then. Grey: its range in 95 of 100 random orders."
        expected = pd.DataFrame({"trial": trials["number"].to_numpy()[draws.given_count :]})
        for end in ("mean", "low", "high"):
            values = tables.sign * getattr(draws.best_by_count, end)
            expected[end] = np.clip(values, window.low, window.high)
    description = f"Value by trial for {format_count(len(trials), 'trial')}. "
    if len(best):
        description += f"The best so far goes from {format_number(best.iloc[0])} to {format_number(best.iloc[-1])}."
    points = marks.build_trial_points(trials, window, tables.sign, tables.winner)
    data = {
        "points": points,
        "best": pd.DataFrame({"trial": best.index, "value": best, "shown": best.clip(window.low, window.high)}),
        "expected": expected,
        "rule": pd.DataFrame({"value": [reference], "name": ["baseline"]}).dropna(),
    }
    name = tables.objective_label
    last = int(trials["number"].max())
    draw = partial(_plot_history, window, last, sorted(points["role"].unique()), name)
    return [Chart("history", f"{name.capitalize()} by trial", f"{caption} {comparison}", description, data, draw)]


def _plot_history(window: Window, last: int, roles: list[str], axis: str) -> AltairChart:
    scale = alt.Scale(domain=[-0.5, last + 0.5], nice=False)
    only = {"values": [0]} if last == 0 else {"tickMinStep": 1}
    x = alt.X("trial:Q", scale=scale, axis=alt.Axis(title="trial", format="d", **only))
    expected = marks.build_layer("expected").encode(x=x)
    span = expected.mark_area(color=PAINT["faint"], opacity=0.3, interpolate="step-after")
    mean = expected.mark_line(color=PAINT["quiet"], strokeWidth=1.2, strokeDash=[2, 3], interpolate="step-after")
    rule = marks.build_layer("rule").mark_rule(color=PAINT["baseline"], strokeWidth=1.5, strokeDash=[5, 4])
    end = {"y": marks.encode_window_y(window, "value"), "x": alt.value("width"), "text": "name:N"}
    word = marks.plot_haloed_text("rule", end, width=5, align="right", baseline="bottom", dy=-4, fontWeight="bold")
    best = marks.build_layer("best").mark_line(interpolate="step-after", color=PAINT["winner"], strokeWidth=1.8)
    position = {"x": x, "y": marks.encode_window_y(window, "shown")}
    layers = [
        span.encode(y=marks.encode_window_y(window, "low"), y2="high:Q"),
        mean.encode(y=marks.encode_window_y(window, "mean")),
        rule.encode(y=marks.encode_window_y(window, "value")),
        best.encode(**position),
        marks.build_layer("points")
        .mark_point()
        .encode(
            tooltip=["trial:Q", "role:N", marks.build_tooltip("value")],
            **position,
            **marks.encode_roles(roles, last + 1),
        ),
    ]
    return alt.layer(*layers, *word).properties(height=300, title=marks.build_window_heading(window, axis))
