"""The verdict on a scientific parameter: from its values at their own best, lost values, and its importance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from thalweg.reporting.analysis import isolation
from thalweg.reporting.analysis.importance import rank_importances
from thalweg.reporting.analysis.isolation import ValueComparison, ValueGroup
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.stats.samples import SeedNoise


@dataclass(frozen=True)
class ScientificVerdict:
    """A verdict on a scientific parameter, and what follows for its values.

    - `kind`: `worse`, some values are surely worse than the leader. `lost`, some values surely do not train. `alike`,
      no relevant difference. `important`, it matters, but the best value is not clear. `noisy`, seeds hide it.
      `unclear`, too few trials.
    - `behind_values`: worse than the leading value. `lost_groups`: values of which no trial completed.
    - `worse_values`: surely worse than the best, or surely lost. `equal_values`: make no difference. `rare_values`:
      need more trials.
    - `bound`: the largest difference that noise may hide, judged against `spread`, the difference of the best and the
      median trial. `unjudged_values`: tried too rarely for that. `is_partial`: only `equal_values` were judged.
    """

    kind: Literal["worse", "lost", "alike", "important", "noisy", "unclear"]
    leader: str | None
    lost_groups: tuple[ValueGroup, ...]
    behind_values: tuple[str, ...] = ()
    worse_values: tuple[str, ...] = ()
    equal_values: tuple[str, ...] = ()
    rare_values: tuple[str, ...] = ()
    bound: float = 0.0
    spread: float = 0.0
    unjudged_values: tuple[str, ...] = ()
    is_partial: bool = False


def judge_parameter(tables: StudyTables, parameter: SearchedParameter) -> ScientificVerdict | None:
    """Judge a parameter that the study asks about; None if no trial completed."""
    groups, noise = isolation.group_trials_by_value(tables, parameter), estimate_seed_noise(tables)
    if not any(group.best is not None for group in groups):
        return None
    leader, comparisons = isolation.compare_values(groups, noise) or (None, [])
    lost_groups = tuple(group for group in groups if group.is_lost)
    limit = isolation.ALPHA / len(groups)
    surely_lost = tuple(group.label for group in lost_groups if isolation.chance_all_lost(groups, group) <= limit)
    behind = tuple(comparison.group.label for comparison in comparisons if comparison.verdict == "worse")
    label = None if leader is None else leader.label
    verdict = ScientificVerdict("unclear", label, lost_groups, behind, worse_values=(*behind, *surely_lost))
    if verdict.worse_values:
        return replace(verdict, kind="worse" if behind else "lost")
    if leader is None:
        return replace(verdict, rare_values=tuple(group.label for group in groups if group.best is None))
    return _judge_unsettled(tables, parameter, groups, leader, comparisons, noise, verdict)


def _judge_unsettled(
    tables: StudyTables,
    parameter: SearchedParameter,
    groups: Sequence[ValueGroup],
    leader: ValueGroup,
    comparisons: Sequence[ValueComparison],
    noise: SeedNoise | None,
    verdict: ScientificVerdict,
) -> ScientificVerdict:
    """Judge a parameter without a surely worse value: its values are alike, or it is not clear."""
    judged = [leader, *(comparison.group for comparison in comparisons)]
    open_groups = [comparison.group for comparison in comparisons if comparison.verdict == "open"]
    frequent = [group for group in judged if not group.is_rare]
    decisive = [leader] if leader.is_rare else [group for group in judged if group.is_rare]
    if open_groups and not leader.is_rare:
        decisive = open_groups if any(group.is_rare for group in open_groups) else [leader, *open_groups]
    decisive = sorted(decisive if frequent else judged, key=lambda group: len(group.costs))
    rare_first = tuple(group.label for group in decisive)
    importance = rank_importances(tables)
    if importance is not None and importance.has_important(parameter.name):
        return replace(verdict, kind="important", rare_values=rare_first)
    if open_groups or len(frequent) < 2 or noise is None:
        return replace(verdict, rare_values=rare_first)
    best, values = [float(group.costs[0]) for group in frequent], tables.ranked["value"] * tables.sign
    # a difference is judged by the gap between the best and the median complete trial
    bound, spread = max(best) - min(best) + noise.least_significant_difference, float(values.median() - values.min())
    if bound > spread:
        return replace(verdict, kind="noisy", bound=bound, spread=spread)
    return replace(
        verdict,
        kind="alike",
        equal_values=tuple(group.label for group in frequent),
        bound=bound,
        spread=spread,
        unjudged_values=tuple(group.label for group in judged if group.is_rare),
        is_partial=len(frequent) < len(groups),
    )
