"""One verdict on a scientific parameter from all that is known of it.

Which of its values are better at their own best, which lost before they came to an end, and whether it is among what
sets the best trials apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.isolation import (
    ALPHA,
    MIN_VALUE_TRIALS,
    ValueComparison,
    ValueGroup,
    chance_all_lost,
    compare_values,
    group_trials_by_value,
)
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_number, join_items
from thalweg.stats.samples import SeedNoise


@dataclass(frozen=True)
class ScientificVerdict:
    """A verdict, what its evidence must hold besides, its tone; and what follows for the values of the parameter.

    `drop` are surely worse than the best or never come to an end, `alike` make no difference among each other, `few`
    are those of which more trials would tell more; `noisy`: more seeds would.
    """

    text: str
    evidence: str = ""
    tone: Literal["good", "caution", "plain"] = "plain"
    worse_values: tuple[str, ...] = ()
    equal_values: tuple[str, ...] = ()
    rare_values: tuple[str, ...] = ()
    is_noisy: bool = False


def judge_parameter(tables: StudyTables, parameter: SearchedParameter) -> ScientificVerdict | None:
    """What is said of a parameter that the study asks about; None where no trial came to an end."""
    known, noise = group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    if not any(side.best is not None for side in known):
        return None
    name, (leader, others) = format_code(parameter.name), compare_values(known, noise) or (None, [])
    gone = [side for side in known if side.is_lost]
    out = [side.label for side in gone if chance_all_lost(known, side) <= ALPHA / len(known)]
    behind = [one.group.label for one in others if one.verdict == "worse"]
    fell, drop = _describe_lost(gone), (*behind, *out)
    if leader is not None and behind:
        text = f"{name} matters: {leader.label} is better than {join_items(behind)}, each at its own best{fell}."
        return ScientificVerdict(text, tone="good", worse_values=drop)
    if out:
        rest_of = "" if leader is None else "; of the others it cannot be told"
        return ScientificVerdict(f"{name} matters{fell}{rest_of}.", tone="good", worse_values=drop)
    if leader is None:
        never = tuple(side.label for side in known if side.best is None)
        return ScientificVerdict(f"Whether {name} matters cannot be told yet{fell}.", tone="caution", rare_values=never)
    return _judge_unsettled(tables, parameter, known, leader, others, noise, fell)


def _judge_unsettled(
    tables: StudyTables,
    parameter: SearchedParameter,
    groups: Sequence[ValueGroup],
    leader: ValueGroup,
    comparisons: Sequence[ValueComparison],
    noise: SeedNoise | None,
    lost_text: str,
) -> ScientificVerdict:
    """No value is surely worse: because they are alike, or because it cannot be told."""
    name, judged = format_code(parameter.name), [leader, *(one.group for one in comparisons)]
    still = [one.group for one in comparisons if one.verdict == "open"]
    often = [side for side in judged if not side.is_rare]
    sought = ([leader] if leader.is_rare else still) or [side for side in judged if side.is_rare]
    few = tuple(one.label for one in sorted(sought if often else judged, key=lambda one: len(one.costs)))
    found = rank_importances(tables)
    if found is not None and found.has_important(parameter.name):
        more = "That it matters is told by what sets the best trials apart, not by the best of each."
        return ScientificVerdict(f"Which {name} is best cannot be told yet{lost_text}.", more, rare_values=few)
    if still or len(often) < 2 or noise is None:
        return ScientificVerdict(
            f"Whether {name} matters cannot be told yet{lost_text}.", tone="caution", rare_values=few
        )
    best, values = [float(side.costs[0]) for side in often], tables.ranked["value"] * tables.sign
    # a difference is worth what the middle one of the complete trials is behind the best
    reach, worth = max(best) - min(best) + noise.least_significant_difference, float(values.median() - values.min())
    of_worth = f"from the best trial to the middle one it is {format_number(worth, 2)}."
    if reach > worth:
        trials = format_count(sum(len(side.costs) for side in groups), "trial")
        more = f"Differences of up to {format_number(reach, 2)} may hide in the noise; {of_worth}"
        return ScientificVerdict(
            f"Whether {name} matters cannot be told from {trials}{lost_text}.", more, is_noisy=True
        )
    between = "" if len(often) == len(groups) else f" between {join_items([side.label for side in often])}"
    more = f"More than {format_number(reach, 2)} is ruled out; {of_worth}"
    if rare := [side.label for side in judged if side.is_rare]:
        more += f" Of {join_items(rare)}, with fewer than {MIN_VALUE_TRIALS} trials, little is known."
    text = f"{name} makes no difference worth having{between}, each value at its own best{lost_text}."
    return ScientificVerdict(text, more, equal_values=tuple(side.label for side in often))


def _describe_lost(lost_groups: Sequence[ValueGroup]) -> str:
    """Which values never came to an end, as the end of a verdict."""
    told = []
    for side in lost_groups:
        stopped = bool((side.trials["state"] == "pruned").all())
        how = "lost at the rungs" if stopped else "came to no end"
        told.append(f"{side.label} {how} ({len(side.costs)} of {len(side.costs)})")
    return f": {join_items(told)}" if told else ""
