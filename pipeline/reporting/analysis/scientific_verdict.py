"""The verdict on a scientific parameter: from its levels on fresh seeds, and from levels whose trials all failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from thalweg.reporting.analysis import isolation
from thalweg.reporting.analysis.isolation import ValueGroup
from thalweg.reporting.analysis.questions import Answer, answer_question, find_failed_levels
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables


@dataclass(frozen=True)
class ScientificVerdict:
    """A verdict on a scientific parameter, and what follows for its values.

    - `kind`: `worse`, some values are surely worse than the leader. `lost`, some values surely do not train. `alike`,
      all others differ from the leader by less than the smallest effect. `open`, fresh seeds do not show it.
      `unanswered`, fewer than two values have a result on all fresh seeds.
    - `answer`: the comparison on fresh seeds; None if unanswered. `leader`: the value that leads there.
    - `lost_groups`: values of which no trial completed. `worse_values`: surely worse than the leader, or surely lost.
    - `equal_values`: the leader and all that are not worse, if they are alike. `rare_values`: need more trials to come
      to their own best. `failed_trials`: of values without a result on some fresh seed, the trial.
    """

    kind: Literal["worse", "lost", "alike", "open", "unanswered"]
    answer: Answer | None
    lost_groups: tuple[ValueGroup, ...]
    worse_values: tuple[str, ...]
    equal_values: tuple[str, ...]
    rare_values: tuple[str, ...]
    failed_trials: Mapping[str, int]

    @property
    def leader(self) -> str | None:
        return None if self.answer is None else self.answer.leader


def judge_parameter(tables: StudyTables, parameter: SearchedParameter) -> ScientificVerdict | None:
    """Judge a parameter that the study asks about; None if no trial completed."""
    groups = isolation.group_trials_by_value(tables, parameter)
    if not any(group.best is not None for group in groups):
        return None
    answer, limit = answer_question(tables, parameter), isolation.ALPHA / len(groups)
    lost_groups = tuple(group for group in groups if group.is_lost)
    surely_lost = [
        group.label for group in lost_groups if isolation.compute_chance_of_loss(tables, groups, group) <= limit
    ]
    failed = find_failed_levels(tables, parameter)
    worse = [] if answer is None else answer.list_labels("worse")
    alike = [] if answer is None else answer.list_labels("alike")
    remaining = [group.label for group in groups if group.label not in (*worse, *surely_lost)]
    equal = [answer.leader, *alike] if answer is not None and alike and len(remaining) == 1 + len(alike) else []
    kind: Literal["worse", "lost", "alike", "open", "unanswered"] = "unanswered" if answer is None else "open"
    if worse or surely_lost or equal:
        kind = "worse" if worse else "lost" if surely_lost else "alike"
    rare = tuple(group.label for group in groups if group.is_rare and group.label in remaining)
    return ScientificVerdict(kind, answer, lost_groups, (*worse, *surely_lost), tuple(equal), rare, failed)
