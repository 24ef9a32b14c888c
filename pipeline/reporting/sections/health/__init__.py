"""How the trials trained: the monitor's verdicts, where in the space they lie, and what causes failures."""

import pandas as pd

from thalweg.reporting.advice import epochs, search_space
from thalweg.reporting.advice.settings import format_settings
from thalweg.reporting.analysis import constant_trials, failure_regions, training_length, winner_learning
from thalweg.reporting.analysis.failing_choice import find_failing_choice
from thalweg.reporting.analysis.separation import EFFECTIVE_RATE, LEARNING_RATE, MIN_TRIALS, Separation
from thalweg.reporting.finding import Finding, Step, Tone, sort_trials
from thalweg.reporting.page.figures import EmptyFigure, Figure, Table
from thalweg.reporting.sections.health import endings, verdict_map
from thalweg.reporting.sentences import describe_evidence
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    capitalise_first,
    format_code,
    format_count,
    format_number,
    format_share,
    join_items,
)

TITLE = "Health"
ORDER = 30
MIN_TROUBLE_SHARE = 1 / 3
"""The share of trials from which a problem calls for caution."""


def build_findings(tables: StudyTables) -> list[Finding]:
    total, diverged = len(tables.trials), _report_diverged_trials(tables)
    if not total or tables.count_trials("diverged") == total:
        return diverged
    finite = f"{format_count(total, 'trial')} had finite values throughout.{_describe_stopped_trials(tables)}"
    return [
        *diverged,
        *_report_constant_trials(tables),
        *_report_rate(tables, high=True),
        *_report_rate(tables, high=False),
        *_report_overfitting(tables),
        *endings.build_findings(tables),
        *([] if diverged else [Finding("No trial diverged.", finite, tone="good", numbers={"trials": total})]),
        *_report_winner(tables),
        *_report_short_trials(tables),
    ]


def _describe_stopped_trials(tables: StudyTables) -> str:
    """Say that trials that were stopped early may have failed later, but for audited ones; '' where none was."""
    stopped = tables.trials[tables.trials["state"] == "pruned"]
    unknown = stopped[stopped["audit"].isna()] if "audit" in stopped else stopped
    if unknown.empty:
        return ""
    was, it = ("was", "it") if len(unknown) == 1 else ("were", "they")
    alone = " and did not train on" if len(unknown) < len(stopped) else ""
    return f" {len(unknown):,} {was} stopped early{alone}: whether {it} would have failed later is not known."


def _report_short_trials(tables: StudyTables) -> list[Finding]:
    """Report once, for all verdicts, that some trials are too short for the monitor."""
    verdicts = constant_trials.correct_verdicts(tables)
    short = verdicts[verdicts["kind"] == failure_regions.TOO_SHORT_KIND]
    if short.empty:
        return []
    evidence = (
        f"At least {training_length.MIN_VALIDATIONS} validations are needed to judge the learning rate or overfitting. "
        "Shorter trials are only checked for having diverged or learned nothing."
    )
    stopped = int(tables.trials.loc[tables.trials["number"].isin(short["trial"]), "state"].eq("pruned").sum())
    if stopped:
        evidence += f" {capitalise_first(format_share(stopped, len(short)))} of them were stopped early."
    interval = int(tables.setting("training.validate_every") or 1)
    patch = {"training.validate_every": 1}
    step = Step(f"Validate more often: {format_settings(patch)}.", patch) if interval > 1 else Step("")
    verdict = f"{format_count(len(short), 'trial')} {'is' if len(short) == 1 else 'are'} too short to judge."
    return [Finding(verdict, evidence, step, sort_trials(short["trial"]), numbers={"short": len(short)})]


def _report_diverged_trials(tables: StudyTables) -> list[Finding]:
    total, diverged = len(tables.trials), tables.trials
    diverged = diverged[diverged["state"] == "diverged"] if total else diverged
    if diverged.empty:
        return []
    steps = diverged["diverged_step"].dropna() if "diverged_step" in diverged else pd.Series(dtype=float)
    evidence = f"{capitalise_first(format_share(len(diverged), total, 'trial'))} reached non-finite values"
    if len(steps):
        first, last = (format_number(int(end)) for end in (steps.min(), steps.max()))
        evidence += f", at step {first}" if first == last else f", the first at step {first}, the last at step {last}"
    evidence += "."
    trials = sort_trials(diverged["number"])
    if len(diverged) == total:
        advice = search_space.advise_all_diverged(tables)
        return [Finding("Every trial diverged.", evidence, advice, trials, "caution", numbers={"diverged": total})]
    cause, step = _explain_cause(tables, failure_regions.find_divergence_edge(tables), "diverged", diverged)
    evidence += f" {cause}{_describe_stopped_trials(tables)}"
    verdict, numbers = f"{format_count(len(diverged), 'trial')} diverged.", {"diverged": len(diverged), "trials": total}
    return [Finding(verdict, evidence, step, trials, "caution", numbers=numbers)]


def _report_constant_trials(tables: StudyTables) -> list[Finding]:
    constant = constant_trials.find_constant_trials(tables)
    if constant.empty:
        return []
    cause, step = _explain_cause(tables, failure_regions.find_constant_edge(tables), "learned nothing", constant)
    share = capitalise_first(format_share(len(constant), len(tables.trials), "trial"))
    evidence = (
        f"{share} ended, or were stopped, at the same {tables.objective_label}, "
        f"{format_number(float(constant['end'].median()))}. Each gives every example one and the same answer, "
        f"which may be a bad one. {cause}"
    )
    verdict = f"{format_count(len(constant), 'trial')} learned nothing."
    numbers = {"constant": len(constant), "trials": len(tables.trials)}
    return [Finding(verdict, evidence, step, sort_trials(constant["number"]), "caution", numbers=numbers)]


def _explain_cause(tables: StudyTables, edge: Separation | None, failure: str, failed: pd.DataFrame) -> tuple[str, str]:
    """Return a sentence on what explains failed trials, and the next step."""
    if edge is not None:
        return _describe_location(edge, failure), search_space.advise_lost_trials(tables, edge)
    step = search_space.advise_unexplained_losses(tables, failure)
    choice = find_failing_choice(tables, failed["number"], failure_regions.list_sound_trials(tables))
    if choice is not None:
        return f"{capitalise_first(choice.describe_counts(failure))}.", step
    if len(failed) >= MIN_TRIALS:
        return "No searched setting clearly explains which.", step
    few = "One trial is" if len(failed) == 1 else f"{len(failed)} trials are"
    rates = failed[LEARNING_RATE].dropna().sort_values().tolist() if LEARNING_RATE in failed else []
    values = join_items(list(dict.fromkeys(format_number(rate) for rate in rates)))
    sentence = f" {format_code(LEARNING_RATE)} was {values}." if rates else ""
    return f"{few} too few to say where in the space trials fail.{sentence}", step


def _describe_location(edge: Separation, failure: str) -> str:
    """Describe on which side of an edge failed trials lie."""
    level, side, elsewhere = ("high", "above", "below") if edge.is_high else ("low", "below", "above")
    failed = format_share(edge.selected_beyond, edge.beyond_count, "trial")
    others = format_share(edge.selected_elsewhere, edge.elsewhere_count)
    text = (
        f"They lie where {format_code(edge.name)} is {level}: {side} about {format_number(edge.threshold, 2)}, "
        f"{failed} {failure}; {elsewhere}, {others}."
    )
    if edge.choice is not None:
        text += f" {capitalise_first(side)} it, {edge.choice.describe_counts(failure)}."
    return f"{text} Trials that failed in another way are left out."


def _report_rate(tables: StudyTables, high: bool) -> list[Finding]:
    selected, judged = failure_regions.select_bad_rates(tables, high), failure_regions.select_long_verdicts(tables)
    edge = failure_regions.find_rate_edge(tables, high)
    if edge is None and failure_regions.find_rate_bias(tables) != ("low" if high else "high"):
        return []
    word, side = ("high", "above") if high else ("low", "below")
    evidence = f"The monitor finds this in {format_share(len(selected), len(judged), 'trial')} long enough to judge."
    if edge is None:
        verdict = f"Most trials train at a learning rate that is too {word}."
        step = search_space.advise_rate_range(tables, high)
    else:
        threshold = f"{side} about {format_number(edge.threshold, 2)}"
        rate = "Learning rate / (1 - momentum)" if edge.name == EFFECTIVE_RATE else "The learning rate"
        verdict, step = f"{rate} is too {word} {threshold}.", search_space.advise_lost_trials(tables, edge)
        evidence += (
            f" {threshold.capitalize()} it is {format_share(edge.selected_beyond, edge.beyond_count, 'trial')}, "
            f"elsewhere {format_share(edge.selected_elsewhere, edge.elsewhere_count)}; that leaves out trials that "
            "diverged or learned nothing."
        )
    numbers = {"trials": len(selected), "judged": len(judged)} | ({"threshold": edge.threshold} if edge else {})
    tone: Tone = "caution" if len(selected) / len(judged) >= MIN_TROUBLE_SHARE else "plain"
    evidence += f" {_describe_example(tables, selected)}"
    return [Finding(verdict, evidence, step, sort_trials(selected["trial"]), tone, numbers=numbers)]


def _report_overfitting(tables: StudyTables) -> list[Finding]:
    judged = failure_regions.select_rate_verdicts(tables)
    selected = judged[judged["kind"] == "overfitting"]
    if len(selected) < max(failure_regions.MIN_TRIALS, MIN_TROUBLE_SHARE * len(judged)):
        return []
    since = selected["since"].dropna()
    from_epoch = f", in half of these by epoch {int(since.median())}" if len(since) else ""
    evidence = (
        f"The monitor finds this in {format_share(len(selected), len(judged), 'trial')} that it could "
        f"judge{from_epoch}. {_describe_example(tables, selected)} The weights of the best validation are kept, so "
        "only time is lost."
    )
    step, trials = epochs.advise_regularization(tables), sort_trials(selected["trial"])
    verdict, numbers = (
        f"{format_count(len(selected), 'trial')} overfit.",
        {"overfit": len(selected), "judged": len(judged)},
    )
    return [Finding(verdict, evidence, step, trials, "caution", numbers=numbers)]


def _report_winner(tables: StudyTables) -> list[Finding]:
    """Report whether the winner learns at all, which Result and Errors ask if its predictions are poor."""
    winner, verdicts = winner_learning.measure_winner_learning(tables), constant_trials.correct_verdicts(tables)
    if winner is None:
        return []
    names = ("first_loss", "last_loss", "first_metric", "last_metric")
    numbers = dict(zip(names, (*winner.losses, *winner.metrics), strict=True))
    (first, last), (before, after) = ([format_number(end) for end in ends] for ends in (winner.losses, winner.metrics))
    evidence = (
        f"That is from epoch {winner.epochs[0]} to epoch {winner.epochs[1]}. On the validation set, its "
        f"{tables.objective_label} goes from {before} to {after}."
    )
    winner_verdicts = verdicts[verdicts["trial"] == tables.winner]
    if len(winner_verdicts):
        row = winner_verdicts.iloc[0]
        evidence += f" The monitor's verdict is {row['kind']}: {_describe_evidence(tables, row)}."
        if row["kind"] == "converged" and epochs.may_winner_gain(tables):
            evidence += " That does not rule out a gain from longer training: see Learning curves."
    trials = () if tables.winner is None else (tables.winner,)
    if winner.is_learning:
        verdict = f"The winner learns: its training loss falls from {first} to {last}."
        return [Finding(verdict, evidence, "", trials, "good", numbers=numbers)]
    verdict = f"The winner does not clearly learn: its training loss goes from {first} to {last}."
    return [Finding(verdict, evidence, "", trials, numbers=numbers)]


def _describe_example(tables: StudyTables, verdicts: pd.DataFrame) -> str:
    example = _select_example(tables, verdicts)
    return f"For example, trial {int(example['trial'])}: {_describe_evidence(tables, example)}."


def build_figures(tables: StudyTables) -> list[Figure]:
    if tables.trials.empty or tables.verdicts.empty:
        return [EmptyFigure("verdicts", "Verdicts", "The monitor gave no verdicts.")]
    verdicts, edge = constant_trials.correct_verdicts(tables), next(iter(failure_regions.list_edges(tables)), None)
    return [
        *verdict_map.build_verdict_map(tables, verdicts, edge),
        _build_verdicts_table(tables, verdicts),
        endings.build_best_steps_figure(tables),
    ]


def _build_verdicts_table(tables: StudyTables, verdicts: pd.DataFrame) -> Table:
    """Build the table with one row per verdict, and the evidence of one trial that has it."""
    rows = []
    for kind in verdict_map.order_kinds(verdicts["kind"].unique().tolist()):
        selected = verdicts[verdicts["kind"] == kind]
        first, trials = _select_example(tables, selected), sort_trials(set(selected["trial"]))
        rows.append({"verdict": kind, "count": len(trials), "trials": join_items(trials),
                     "example": f"trial {int(first['trial'])}", "since": first["since"],
                     "evidence": _describe_evidence(tables, first)})  # fmt: skip
    caption = (
        "Each verdict with an example, and the epoch since when it holds. The example is the best complete trial with "
        "this verdict, or else the first trial with it."
    )
    return Table("verdicts", "Verdicts of the monitor", caption, pd.DataFrame(rows))


def _describe_evidence(tables: StudyTables, verdict: pd.Series) -> str:
    return describe_evidence(verdict["evidence"], tables.objective_label)


def _select_example(tables: StudyTables, verdicts: pd.DataFrame) -> pd.Series:
    """Return the verdict of the best-ranked trial, else of the first by number."""
    rank = {int(trial): index for index, trial in enumerate(tables.ranked.get("number", []))}
    order = verdicts.assign(rank=verdicts["trial"].map(lambda trial: rank.get(int(trial), len(rank))))
    return order.sort_values(["rank", "trial", "since"], kind="stable").iloc[0]
