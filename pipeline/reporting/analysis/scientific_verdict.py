"""The verdict on a scientific parameter: from its values at their own best, lost values, and its importance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from thalweg.reporting.analysis import isolation
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_number, join_items
from thalweg.stats.samples import SeedNoise


@dataclass(frozen=True)
class ScientificVerdict:
    """A verdict on a scientific parameter, additional evidence, its tone, and what follows for its values.

    - `worse_values`: surely worse than the best, or never completed. `equal_values`: make no difference.
    - `rare_values`: need more trials. `is_noisy`: needs more seeds.
    """

    text: str
    evidence: str = ""
    tone: Literal["good", "caution", "plain"] = "plain"
    worse_values: tuple[str, ...] = ()
    equal_values: tuple[str, ...] = ()
    rare_values: tuple[str, ...] = ()
    is_noisy: bool = False


def judge_parameter(tables: StudyTables, parameter: SearchedParameter) -> ScientificVerdict | None:
    """Judge a parameter that the study asks about; None if no trial completed."""
    groups, noise = isolation.group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    if not any(group.best is not None for group in groups):
        return None
    name, (leader, comparisons) = format_code(parameter.name), isolation.compare_values(groups, noise) or (None, [])
    lost = [group for group in groups if group.is_lost]
    surely_lost = [
        group.label for group in lost if isolation.chance_all_lost(groups, group) <= isolation.ALPHA / len(groups)
    ]
    behind = [comparison.group.label for comparison in comparisons if comparison.verdict == "worse"]
    lost_text, worse = _describe_lost(lost), (*behind, *surely_lost)
    suffix = f"; {lost_text}" if lost_text else ""
    if leader is not None and behind:
        text = f"{name} matters: {leader.label} is better than {join_items(behind)}, each at its own best{suffix}."
        return ScientificVerdict(text, tone="good", worse_values=worse)
    if surely_lost:
        others = "" if leader is None else "; no clear difference between the other values"
        return ScientificVerdict(f"{name} matters: {lost_text}{others}.", tone="good", worse_values=worse)
    if leader is None:
        never = tuple(group.label for group in groups if group.best is None)
        text = f"It is not clear yet whether {name} matters{suffix}."
        return ScientificVerdict(text, tone="caution", rare_values=never)
    return _judge_unsettled(tables, parameter, groups, leader, comparisons, noise, suffix)


def _judge_unsettled(
    tables: StudyTables,
    parameter: SearchedParameter,
    groups: Sequence[isolation.ValueGroup],
    leader: isolation.ValueGroup,
    comparisons: Sequence[isolation.ValueComparison],
    noise: SeedNoise | None,
    suffix: str,
) -> ScientificVerdict:
    """Judge a parameter without a surely worse value: its values are alike, or it is not clear."""
    name, judged = format_code(parameter.name), [leader, *(comparison.group for comparison in comparisons)]
    open_groups = [comparison.group for comparison in comparisons if comparison.verdict == "open"]
    frequent = [group for group in judged if not group.is_rare]
    decisive = ([leader] if leader.is_rare else open_groups) or [group for group in judged if group.is_rare]
    decisive = sorted(decisive if frequent else judged, key=lambda group: len(group.costs))
    rare_first = tuple(group.label for group in decisive)
    importance = rank_importances(tables)
    if importance is not None and importance.has_important(parameter.name):
        evidence = "Its importance shows that it matters; the best trials of its values do not show which is best."
        return ScientificVerdict(f"It is not clear yet which {name} is best{suffix}.", evidence, rare_values=rare_first)
    if open_groups or len(frequent) < 2 or noise is None:
        text = f"It is not clear yet whether {name} matters{suffix}."
        return ScientificVerdict(text, tone="caution", rare_values=rare_first)
    best, values = [float(group.costs[0]) for group in frequent], tables.ranked["value"] * tables.sign
    # a difference is judged by the gap between the best and the median complete trial
    bound, spread = max(best) - min(best) + noise.least_significant_difference, float(values.median() - values.min())
    spread_text = f"the best and the median trial differ by {format_number(spread, 2)}."
    if bound > spread:
        trials = format_count(sum(len(group.costs) for group in groups), "trial")
        evidence = f"Noise may hide differences of up to {format_number(bound, 2)}; {spread_text}"
        text = f"It is not clear from {trials} whether {name} matters{suffix}."
        return ScientificVerdict(text, evidence, is_noisy=True)
    between = "" if len(frequent) == len(groups) else f" between {join_items([group.label for group in frequent])}"
    evidence = f"Differences above {format_number(bound, 2)} are ruled out; {spread_text}"
    if rare_labels := [group.label for group in judged if group.is_rare]:
        evidence += f" Too few trials to judge {join_items(rare_labels)}: fewer than {isolation.MIN_VALUE_TRIALS}."
    text = f"{name} makes no relevant difference{between}, each value at its own best{suffix}."
    return ScientificVerdict(text, evidence, equal_values=tuple(group.label for group in frequent))


def _describe_lost(lost_groups: Sequence[isolation.ValueGroup]) -> str:
    """Describe the values of which no trial completed; '' if there are none."""
    descriptions = []
    for group in lost_groups:
        is_stopped, count = bool((group.trials["state"] == "pruned").all()), len(group.costs)
        how = f"was stopped early in {count} of {count}" if is_stopped else f"completed none of {count}"
        descriptions.append(f"{group.label} {how} trial{'' if count == 1 else 's'}")
    return join_items(descriptions) if descriptions else ""
