"""Findings on a scientific parameter: whether its values differ, each at its own best of all other parameters."""

from collections.abc import Mapping, Sequence

from thalweg.reporting.advice import questions as advice
from thalweg.reporting.analysis.isolation import ValueGroup, compute_chance_of_loss, group_trials_by_value
from thalweg.reporting.analysis.questions import Answer, LevelAnswer
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict, judge_parameter
from thalweg.reporting.finding import Finding, Measured, Tone, measure
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    format_code,
    format_count,
    format_interval,
    format_number,
    format_percent,
    join_items,
)
from thalweg.stats.interval import Interval
from thalweg.stats.level_measures import MIN_LEVEL_TRIALS

TONES: Mapping[str, Tone] = {"worse": "good", "lost": "good", "open": "caution", "unanswered": "caution"}


def report_isolation(tables: StudyTables, parameter: SearchedParameter) -> list[Finding]:
    """Report whether a scientific parameter matters, as fresh seeds show it; nothing without complete trials."""
    groups, verdict = group_trials_by_value(tables, parameter), judge_parameter(tables, parameter)
    if verdict is None:
        return []
    complete = [group for group in groups if group.best is not None]
    if verdict.answer is not None:
        parts = [*_describe_answer(tables, verdict.answer), _describe_search(verdict.answer)]
        trials = [verdict.answer.trial, *(other.trial for other in verdict.answer.others)]
    else:
        parts = [f"Best {tables.objective_label} of each value in the study: {describe_bests(complete)}."]
        trials = [group.best_trial for group in complete if group.best_trial is not None]
    parts += [
        _describe_failed_values(verdict),
        *_describe_missing_values(tables, groups),
        _describe_rare_values(groups, verdict),
    ]
    text = _state_verdict(tables, format_code(parameter.name), verdict)
    step = advice.advise_on_question(tables, parameter, verdict)
    evidence = " ".join(part for part in parts if part)
    tone = TONES.get(verdict.kind, "plain")
    if verdict.answer is not None:
        return [Finding(text, evidence, step, tuple(trials), tone, **_measure_answer(tables, verdict.answer))]
    numbers = {group.label: group.best for group in complete if group.best is not None}
    return [Finding(text, evidence, step, tuple(trials), tone, numbers=numbers)]


def _measure_answer(tables: StudyTables, answer: Answer) -> Measured:
    """Return how each level differs from the leader, by its label, in the metric's own direction."""
    differences = dict[str, Interval]()
    for other in answer.others:
        low, high = sorted((tables.sign * other.low, tables.sign * other.high))
        differences[other.label] = Interval(tables.sign * other.difference, low, high, answer.seeds)
    return measure(differences)


def _state_verdict(tables: StudyTables, name: str, verdict: ScientificVerdict) -> str:
    lost_text = join_items([_describe_lost(group) for group in verdict.lost_groups]) if verdict.lost_groups else ""
    ahead = "" if verdict.answer is None else _describe_ahead(tables, name, verdict.answer)
    also = "".join(f"; {text}" for text in (lost_text, ahead) if text)
    close = "" if verdict.answer is None else _describe_close(verdict.answer)
    match verdict.kind:
        case "worse":
            lost = {group.label for group in verdict.lost_groups}
            worse = join_items([label for label in verdict.worse_values if label not in lost])
            scope = f"each at its own best in this space{close}"
            return f"{name} matters: {verdict.leader} is better than {worse}, {scope}{also}."
        case "lost":
            return f"{name} matters:{also.removeprefix(';')}."
        case "alike":
            effect = _format_smallest_effect(tables, verdict.answer)
            values = join_items(verdict.equal_values)
            return f"{name} makes no difference of {effect} between the best trials of {values}{also}."
        case "unanswered":
            reason = "fewer than two of its values were retrained"
            if verdict.failed_trials:
                one = "the best trial of" if len(verdict.failed_trials) == 1 else "the best trials of"
                fail = "fails" if len(verdict.failed_trials) == 1 else "fail"
                reason = f"{one} {join_items([*verdict.failed_trials])} {fail} on fresh seeds"
            return f"It is not known which {name} is best: {reason}{also}."
        case _ if verdict.answer is not None and verdict.answer.list_labels("behind"):
            behind = join_items(verdict.answer.list_labels("behind"))
            return f"{verdict.leader} leads {behind} in {name}, but more trials may change that{close}{also}."
        case _ if ahead:
            return f"{ahead}{f'; {lost_text}' if lost_text else ''}."
        case _:
            return f"It is not clear yet whether {name} matters{also}."


def _describe_close(answer: Answer) -> str:
    """Name the values that are neither worse nor better than the leader, after a semicolon; '' if there are none."""
    labels = [other.label for other in answer.others if other.verdict in ("alike", "open")]
    verb = "is" if len(labels) == 1 else "are"
    return f"; {join_items(labels, len(labels))} {verb} not clearly worse" if labels else ""


def _describe_ahead(tables: StudyTables, name: str, answer: Answer) -> str:
    """Name the values that the test set puts before the one that validation chose; '' if there are none."""
    labels = answer.list_labels("ahead")
    verb = "is" if len(labels) == 1 else "are"
    where = f"{name} on the {tables.split} set, but the validation set chose {answer.leader}"
    return f"{join_items(labels)} {verb} better than {answer.leader} in {where}" if labels else ""


def _format_smallest_effect(tables: StudyTables, answer: Answer | None) -> str:
    effect = None if answer is None else answer.smallest_effect
    return f"{format_number(effect or 0.0, 2)} or more in {tables.objective_label}"


def _describe_answer(tables: StudyTables, answer: Answer) -> list[str]:
    """Describe the comparison on fresh seeds: how it was made, and its differences."""
    differences = join_items([_describe_difference(tables, other) for other in answer.others])
    sentences = [
        f"`confirm` retrained the best trial of each value on {format_count(answer.seeds, 'fresh seed')}. On the "
        f"{tables.split} set, {tables.objective_label} differs from that of {answer.leader} (trial "
        f"{answer.trial}, the best of {format_count(answer.trial_count, 'trial')}) by {differences}. With 95 % "
        "confidence all of these intervals hold the true differences of these trials."
    ]
    if answer.smallest_effect is not None:
        chosen = tables.setting("study.smallest_effect") is not None
        source = "`study.smallest_effect`" if chosen else "the standard deviation over a trial's seeds"
        first, *others = [(other.label, format_number(other.bound, 2)) for other in answer.others]
        bounds = [f"The value {first[0]} is at most {first[1]} worse or better", *(" ".join(other) for other in others)]
        sentences.append(
            f"A difference below {format_number(answer.smallest_effect, 2)} counts as none ({source}). "
            f"{join_items(bounds, len(bounds))} (two one-sided tests at 5 %)."
        )
    return sentences


def _describe_difference(tables: StudyTables, other: LevelAnswer) -> str:
    """Give a level's difference from the leader in the metric's own direction."""
    low, high = sorted((tables.sign * other.low, tables.sign * other.high))
    difference = format_interval(tables.sign * other.difference, low, high, signed=True)
    return f"{difference} for {other.label} (trial {other.trial}, the best of {other.trial_count})"


def _describe_search(answer: Answer) -> str:
    """Say how much the search may leave between equal values, which the intervals leave out."""
    gaps = join_items([f"{format_number(other.search_gap, 2)} for {other.label}" for other in answer.others])
    return (
        f"More trials may still improve a value: the second half of its trials gained {gaps}. So the search alone may "
        f"leave a difference of {format_number(answer.search_margin, 2)} between values that are equally good. A value "
        "is called worse only if its difference exceeds what search, seeds and groups together may leave."
    )


def _describe_lost(group: ValueGroup) -> str:
    count, is_stopped = len(group.costs), bool((group.trials["state"] == "pruned").all())
    if count == 1:
        return f"{group.label} {'was stopped early in' if is_stopped else 'did not complete'} its only trial"
    return f"{group.label} {'was stopped early in all' if is_stopped else 'completed none of'} {count:,} trials"


def describe_bests(groups: Sequence[ValueGroup]) -> str:
    return join_items(
        [
            f"{format_number(group.best)} with {group.label} ({format_count(len(group.costs), 'trial')})"
            for group in groups
            if group.best is not None
        ]
    )


def _describe_rare_values(groups: Sequence[ValueGroup], verdict: ScientificVerdict) -> str:
    """Name the values that were tried too rarely to come to their own best; '' if there are none."""
    rare = [group for group in groups if group.label in verdict.rare_values and len(group.costs)]
    if not rare:
        return ""
    counts = join_items([f"{group.label} ({format_count(len(group.costs), 'trial')})" for group in rare])
    return f"Fewer than {MIN_LEVEL_TRIALS} trials are too few for a value to come to its own best: {counts}."


def _describe_failed_values(verdict: ScientificVerdict) -> str:
    """Name the values that fresh seeds leave out, because their best trial fails there; '' if there are none."""
    names = [f"{label} (trial {trial})" for label, trial in verdict.failed_trials.items()]
    return f"Left out, because it has no result on some fresh seed: {join_items(names)}." if names else ""


def _describe_missing_values(tables: StudyTables, groups: Sequence[ValueGroup]) -> list[str]:
    """Name the values that no trial had, and those of which no trial trained to its end."""
    missing = [group.label for group in groups if not len(group.costs)]
    sentences = [f"No trial had {join_items(missing)}."] if missing else []
    for group in groups:
        if group.is_lost:
            chance = format_percent(compute_chance_of_loss(tables, groups, group))
            sentences.append(
                f"No trial with {group.label} trained to its end; if all values were alike, as many of its trials "
                f"would fail in {chance} of studies."
            )
    return sentences
