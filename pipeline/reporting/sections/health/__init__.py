"""How the trials trained: what the monitor saw, where in the space, and what goes with being lost."""

import pandas as pd

from thalweg.reporting.advice import epochs, search_space
from thalweg.reporting.analysis import constant_trials, failure_regions, training_length
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE, Separation
from thalweg.reporting.finding import Finding, Tone, sort_trials
from thalweg.reporting.page.figures import EmptyFigure, Figure, Table
from thalweg.reporting.sections.health import endings, verdict_map
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, format_share, join_items, metric_label

TITLE = "Health"
ORDER = 60
MIN_TROUBLE_SHARE = 1 / 3
"""The share of trials from which on they are a trouble."""


def build_findings(tables: StudyTables) -> list[Finding]:
    total, lost = len(tables.trials), _report_diverged_trials(tables)
    if not total or tables.count("diverged") == total:
        return lost
    finite = (
        f"{format_count(total, 'trial')} kept finite numbers to where each ended.{_describe_stopped_trials(tables)}"
    )
    sound = [] if lost else [Finding("No trial diverged.", finite, tone="good")]
    rates = [*_report_rate(tables, high=True), *_report_rate(tables, high=False), *_report_overfitting(tables)]
    return [
        *lost,
        *_report_constant_trials(tables),
        *rates,
        *endings.build_findings(tables),
        *sound,
        *_report_short_trials(tables),
    ]


def _describe_stopped_trials(tables: StudyTables) -> str:
    """That trials which were stopped early may have diverged later, as a sentence; '' where none was."""
    stopped = tables.count("pruned")
    how = "was" if stopped == 1 else "were"
    return f" {stopped:,} {how} stopped early: what would have become of them is not known." if stopped else ""


def _report_short_trials(tables: StudyTables) -> list[Finding]:
    """That some trials are too short for the monitor, said once for all that it judges."""
    told = constant_trials.correct_verdicts(tables)
    short = told[told["kind"] == failure_regions.TOO_SHORT_KIND]
    if short.empty:
        return []
    evidence = (
        f"Whether a rate is right, or a network overfits, is told from {training_length.MIN_VALIDATIONS} validations on; "
        "of shorter trials it is counted only that they diverged, or learned nothing."
    )
    stopped = int(tables.trials.loc[tables.trials["number"].isin(short["trial"]), "state"].eq("pruned").sum())
    if stopped:
        evidence += (
            f" {'All' if stopped == len(short) else format_share(stopped, len(short))} of them were stopped early."
        )
    every = int(tables.setting("training.validate_every") or 1)
    step = "Validate more often: `training.validate_every: 1`." if every > 1 else ""
    verdict = f"{format_count(len(short), 'trial')} {'is' if len(short) == 1 else 'are'} too short to be judged."
    return [Finding(verdict, evidence, step, sort_trials(short["trial"]))]


def _report_diverged_trials(tables: StudyTables) -> list[Finding]:
    total, diverged = len(tables.trials), tables.trials
    diverged = diverged[diverged["state"] == "diverged"] if total else diverged
    if diverged.empty:
        return []
    steps = diverged["diverged_step"].dropna() if "diverged_step" in diverged else pd.Series(dtype=float)
    first, last = (format_number(int(end)) for end in (steps.min(), steps.max())) if len(steps) else ("", "")
    evidence = f"{format_share(len(diverged), total)} of the trials became non-finite"
    evidence += f", first at step {first} and last at step {last}." if first else "."
    trials = sort_trials(diverged["number"])
    if len(diverged) == total:
        return [Finding("Every trial diverged.", evidence, search_space.advise_all_diverged(tables), trials, "caution")]
    cause, step = _explain_cause(tables, failure_regions.find_divergence_edge(tables), "diverged")
    evidence += f" {cause}{_describe_stopped_trials(tables)}"
    return [Finding(f"{format_count(len(diverged), 'trial')} diverged.", evidence, step, trials, "caution")]


def _report_constant_trials(tables: StudyTables) -> list[Finding]:
    stuck = constant_trials.find_constant_trials(tables)
    if stuck.empty:
        return []
    cause, step = _explain_cause(tables, failure_regions.find_constant_edge(tables), "learned nothing")
    evidence = (
        f"{format_share(len(stuck), len(tables.trials))} of the trials ended, or were stopped, at the same "
        f"{metric_label(tables.objective)}, {format_number(float(stuck['value'].median()))}, whatever their parameters: such a "
        f"network gives one answer to every example. {cause}"
    )
    verdict = f"{format_count(len(stuck), 'trial')} learned nothing."
    return [Finding(verdict, evidence, step, sort_trials(stuck["number"]), "caution")]


def _explain_cause(tables: StudyTables, edge: Separation | None, what: str) -> tuple[str, str]:
    """What sets lost trials apart, and what to do about it."""
    if edge is None:
        return "Nothing searched sets them apart clearly.", f"Look at the curves of the trials that {what}."
    return edge.describe_location(), search_space.advise_lost_trials(tables, edge)


def _report_rate(tables: StudyTables, high: bool) -> list[Finding]:
    these, told = failure_regions.select_bad_rates(tables, high), failure_regions.select_long_verdicts(tables)
    bound = failure_regions.find_rate_edge(tables, high)
    if bound is None and failure_regions.find_rate_bias(tables) != ("low" if high else "high"):
        return []
    word, side = ("high", "above") if high else ("low", "below")
    evidence = (
        f"The monitor says so of {format_share(len(these), len(told))} of the trials that were long enough to tell"
    )
    if bound is None:
        verdict, step = f"Most trials train at a rate that is too {word}.", search_space.advise_rate_range(tables, high)
    else:
        over = ", divided by 1 - momentum, it is" if bound.name == EFFECTIVE_RATE else " it is"
        verdict = f"The learning rate is too {word} where{over} {side} about {format_number(bound.threshold, 2)}."
        step = search_space.advise_lost_trials(tables, bound)
        evidence += f": {side} {format_number(bound.threshold, 2)} of {format_share(bound.selected_beyond, bound.beyond_count)}, elsewhere of "
        evidence += f"{format_share(bound.selected_elsewhere, bound.elsewhere_count)}; those that diverged or learned nothing are left aside"
    tone: Tone = "caution" if len(these) / len(told) >= MIN_TROUBLE_SHARE else "plain"
    return [
        Finding(verdict, f"{evidence}. {_describe_example(tables, these)}", step, sort_trials(these["trial"]), tone)
    ]


def _report_overfitting(tables: StudyTables) -> list[Finding]:
    judged = failure_regions.select_rate_verdicts(tables)
    these = judged[judged["kind"] == "overfitting"]
    if len(these) < max(failure_regions.MIN_TRIALS, MIN_TROUBLE_SHARE * len(judged)):
        return []
    since = these["since"].dropna()
    from_epoch = f", half of them by epoch {int(since.median())}" if len(since) else ""
    evidence = (
        f"So the monitor says of {format_share(len(these), len(judged))} of the trials that it could judge{from_epoch}. "
        f"{_describe_example(tables, these)} The weights of the best validation are kept, so nothing is lost but time."
    )
    step, trials = epochs.advise_regularization(tables), sort_trials(these["trial"])
    return [Finding(f"{format_count(len(these), 'trial')} overfit.", evidence, step, trials, "caution")]


def _describe_example(tables: StudyTables, these: pd.DataFrame) -> str:
    one = _select_example(tables, these)
    return f"Trial {int(one['trial'])}, for one: {one['evidence']}."


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or tables.verdicts.empty:
        return [EmptyFigure("verdicts", "Verdicts", "The monitor left no verdicts.")]
    told = constant_trials.correct_verdicts(tables)
    return [
        *verdict_map.build_verdict_map(tables, told, next(iter(failure_regions.list_edges(tables)), None)),
        _build_verdicts_table(tables, told),
        endings.build_best_steps_figure(tables),
    ]


def _build_verdicts_table(tables: StudyTables, told: pd.DataFrame) -> Table:
    """One row a kind, with the evidence of the best-ranked trial that has it."""
    rows = []
    for kind in verdict_map.order_kinds(told["kind"].unique().tolist()):
        these = told[told["kind"] == kind]
        first, trials = _select_example(tables, these), sort_trials(set(these["trial"]))
        rows.append({"verdict": kind, "count": len(trials), "trials": join_items(trials),
                     "example": f"trial {int(first['trial'])}", "since": first["since"],
                     "evidence": first["evidence"]})  # fmt: skip
    caption = "One example for each verdict, from the best trial that has it, since which epoch."
    return Table("verdicts", "Verdicts of the monitor", caption, pd.DataFrame(rows))


def _select_example(tables: StudyTables, told: pd.DataFrame) -> pd.Series:
    """The best-ranked trial of some verdicts, else the first by number."""
    rank = {int(trial): place for place, trial in enumerate(tables.ranked.get("number", []))}
    order = told.assign(rank=told["trial"].map(lambda trial: rank.get(int(trial), len(rank))))
    return order.sort_values(["rank", "trial", "since"], kind="stable").iloc[0]
