"""Findings on a scientific parameter: whether its values differ, each at its own best of all other parameters."""

from collections.abc import Mapping, Sequence

from thalweg.reporting.advice import more_seeds, more_trials, search_space
from thalweg.reporting.analysis.isolation import (
    ALPHA,
    MAX_COUNT_RATIO,
    MIN_VALUE_TRIALS,
    ValueComparison,
    ValueGroup,
    chance_all_lost,
    compare_values,
    group_trials_by_value,
)
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict, judge_parameter
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.finding import Finding, Tone
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_number, format_percent, join_items, metric_label

TONES: Mapping[str, Tone] = {"worse": "good", "lost": "good", "unclear": "caution"}


def report_isolation(tables: StudyTables, parameter: SearchedParameter) -> list[Finding]:
    """Report whether a scientific parameter matters, as far as its trials can show; nothing without complete trials."""
    groups, noise = group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    verdict = judge_parameter(tables, parameter)
    if verdict is None:
        return []
    complete = [group for group in groups if group.best is not None]
    leader, others = compare_values(groups, noise) or (complete[0], [])
    best = [leader, *(other.group for other in others)]
    parts = [f"Best {metric_label(tables.objective)} of each value: {describe_bests(best)}."]
    if not others:
        parts = [f"Only {leader.label} has a trial that trained to its end."]
    elif noise is not None:
        least_difference = format_number(noise.least_significant_difference, 2)
        parts.append(f"Differences below {least_difference} are within noise.")
    worse, unclear, ties = ([other for other in others if other.verdict == kind] for kind in ("worse", "open", "tie"))
    rare = [other for other in unclear if leader.is_rare or other.group.is_rare]
    # a rare tie counts as rare only where the next step is to try it more often
    rare += [other for other in ties if other.group.label in verdict.rare_values and not leader.is_rare]
    shown = [other for other in [*worse, *unclear] if other not in rare][:3]
    near = [other for other in ties if other not in rare]
    near = near if len(near) < len(others) else []
    if any(other.equal_count for other in [*shown, *near, *([] if leader.is_rare else rare)]):
        parts.append(
            f"A value with more than {MAX_COUNT_RATIO} times the trials of another finds a better best by chance. Such "
            "values are compared by the average best of equally many trials."
        )
    parts += [_describe_comparison(leader, other) for other in shown]
    if any(other.verdict == "open" for other in shown):
        limit, count = format_percent(shown[0].chance_limit), len(best)
        parts.append(
            f"The report calls a value worse only if this share is at most {limit}: {format_percent(ALPHA)}, divided "
            f"by the {count * (count - 1)} ways to choose a better and a worse one of {count} values."
        )
    if near:
        parts.append(f"Within noise of {leader.label}: {join_items([_describe_tie(other) for other in near])}.")
    parts += _describe_rare_values(leader, rare)
    parts += [*_describe_unjudged_values(groups), _describe_judgement(verdict)]
    trials = [group.best_trial for group in best if group.best_trial is not None and others]
    trial_count = sum(len(group.costs) for group in groups)
    text = _state_verdict(format_code(parameter.name), verdict, format_count(trial_count, "trial"))
    step, tone = _advise_next_step(tables, parameter, verdict), TONES.get(verdict.kind, "plain")
    return [Finding(text, " ".join(part for part in parts if part), step, tuple(trials), tone)]


def _state_verdict(name: str, verdict: ScientificVerdict, trials: str) -> str:
    lost_text = join_items([_describe_lost(group) for group in verdict.lost_groups]) if verdict.lost_groups else ""
    also = f"; {lost_text}" if lost_text else ""
    match verdict.kind:
        case "worse":
            behind = join_items(verdict.behind_values)
            return f"{name} matters: {verdict.leader} is better than {behind}, each at its own best{also}."
        case "lost" if verdict.leader is None:
            return f"{name} matters: {lost_text}."
        case "lost":
            return f"{name} matters: {lost_text}; no clear difference between the other values."
        case "important":
            return f"It is not clear yet which {name} is best{also}."
        case "noisy":
            return f"It is not clear from {trials} whether {name} matters{also}."
        case "alike":
            between = f" between {join_items(verdict.equal_values)}" if verdict.is_partial else ""
            return f"{name} makes no relevant difference{between}, each value at its own best{also}."
        case _:
            return f"It is not clear yet whether {name} matters{also}."


def _describe_lost(group: ValueGroup) -> str:
    count, is_stopped = len(group.costs), bool((group.trials["state"] == "pruned").all())
    if count == 1:
        return f"{group.label} {'was stopped early in' if is_stopped else 'did not complete'} its only trial"
    return f"{group.label} {'was stopped early in all' if is_stopped else 'completed none of'} {count:,} trials"


def _describe_judgement(verdict: ScientificVerdict) -> str:
    """Describe what importance or seed noise adds; '' if nothing."""
    bound, spread = (format_number(difference, 2) for difference in (verdict.bound, verdict.spread))
    rare = join_items(verdict.unjudged_values)
    match verdict.kind:
        case "important":
            return (
                "Its importance shows that it matters; the best trial of each value does not show which value is best."
            )
        case "noisy":
            return f"Noise may hide differences of up to {bound}; the best and the median trial differ by {spread}."
        case "alike" if verdict.unjudged_values:
            return (
                f"With noise, the true difference may reach {bound}: less than from the best to the median trial "
                f"({spread}). Too few trials to judge {rare}: fewer than {MIN_VALUE_TRIALS}."
            )
        case "alike":
            return (
                f"With noise, the true difference may reach {bound}: less than from the best to the median trial "
                f"({spread})."
            )
        case _:
            return ""


def describe_bests(groups: Sequence[ValueGroup]) -> str:
    return join_items(
        [
            f"{format_number(group.best)} with {group.label} ({format_count(len(group.costs), 'trial')})"
            for group in groups
            if group.best is not None
        ]
    )


def _describe_comparison(leader: ValueGroup, other: ValueComparison) -> str:
    """Say how far a value is behind the leading one, and how often chance would do this."""
    total = len(leader.costs) + len(other.group.costs)
    best = f"the {other.trials_ahead} best all have {leader.label}"
    if other.trials_ahead == 1:
        best = f"the best has {leader.label}"
    gap, chance = _describe_gap(other, f" than {leader.label}"), format_percent(other.chance)
    return (
        f"{other.group.label} is {gap}. Of the {total} trials with one of the two, {best}. If both were equally good, "
        f"chance would do this in {chance} of studies."
    )


def _describe_gap(other: ValueComparison, than: str = "") -> str:
    """Say how far a value is from the leader: the best of each, or the expected best of equal numbers of trials."""
    gap = f"{format_number(abs(other.difference), 2)} {'worse' if other.difference > 0 else 'better'}{than}"
    return gap if other.equal_count is None else f"{gap} for {format_count(other.equal_count, 'trial')} of each"


def _describe_tie(other: ValueComparison) -> str:
    """Name a value within noise of the leader, with its gap and a small number of trials where these matter."""
    notes = [_describe_gap(other)] if other.equal_count else []
    notes += [f"it has only {format_count(len(other.group.costs), 'trial')}"] if other.group.is_rare else []
    return f"{other.group.label} ({'; '.join(notes)})" if notes else other.group.label


def _describe_rare_values(leader: ValueGroup, rare: Sequence[ValueComparison]) -> list[str]:
    """Name the values that were tried too rarely to be judged."""
    if not rare:
        return []
    if leader.is_rare:
        return [f"{leader.label} leads with fewer than {MIN_VALUE_TRIALS} trials, which may be luck."]
    gaps = join_items([f"{other.group.label} ({_describe_gap(other)})" for other in rare])
    return [f"Tried in fewer than {MIN_VALUE_TRIALS} trials, too few to find their own best: {gaps}."]


def _describe_unjudged_values(groups: Sequence[ValueGroup]) -> list[str]:
    """Name the values that no trial had, and those of which no trial trained to its end."""
    missing = [group.label for group in groups if not len(group.costs)]
    sentences = [f"No trial had {join_items(missing)}."] if missing else []
    for group in groups:
        if group.is_lost:
            chance = format_percent(chance_all_lost(groups, group))
            sentences.append(
                f"No trial with {group.label} trained to its end; if all values were alike, this would happen in "
                f"{chance} of studies."
            )
    return sentences


def _advise_next_step(tables: StudyTables, parameter: SearchedParameter, verdict: ScientificVerdict) -> str:
    """Advise another space, trials with some values, or more seeds per trial."""
    if verdict.worse_values or verdict.equal_values:
        return search_space.advise_search(tables)
    if verdict.rare_values:
        if tables.is_space_exhausted:
            return more_seeds.advise_study_seeds(tables)
        return more_trials.advise_rare_values(tables, parameter, verdict.rare_values)
    return more_seeds.advise_study_seeds(tables) if verdict.kind == "noisy" else ""
