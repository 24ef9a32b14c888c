"""What the study and its confirmation came to: reports/summary.json and artifacts/study/found.json, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from thalweg.stats.intervals import Interval
from thalweg.system import files
from thalweg.system.paths import STUDY_RECORD, SUMMARY


@dataclass(frozen=True)
class Estimate:
    """A mean over fresh seeds with its 95 % interval, on so many groups of examples.

    `groups_error` is the standard error that no number of seeds takes away (`thalweg.stats.intervals.group_error`).
    """

    mean: float
    low: float
    high: float
    seeds: int
    groups: int | None = None
    groups_error: float | None = None

    @property
    def interval(self) -> Interval:
        return Interval(self.mean, self.low, self.high, self.seeds)


@dataclass(frozen=True)
class Confirmation:
    """The objective of winner and baseline on fresh seeds, and winner minus baseline.

    The corrected values are without what choosing the winner flatters (`thalweg.confirm.compare`).
    """

    winner: Estimate
    baseline: Estimate
    difference: Estimate
    corrected: Estimate | None = None
    corrected_difference: Estimate | None = None

    @property
    def decisive_difference(self) -> Estimate:
        """The difference that decides: without what choosing the winner flatters, where that is known."""
        return self.corrected_difference or self.difference


@dataclass(frozen=True)
class RankedTrial:
    """A complete trial: its number, its searched values, and its objective."""

    number: int
    params: dict[str, Any]
    value: float


@dataclass(frozen=True)
class StudySummary:
    """The study in numbers: its trials by how they ended, the epochs trained over all lanes, and its best trial.

    `infeasible` is known where there are limits, `front` (trials that no other beats) where there are more objectives,
    `stop` where the study ended before its last cohort: its reason, limit, and what was reached.
    """

    trials: int
    cohorts: int
    complete: int
    pruned: int
    diverged: int
    best: RankedTrial | None
    epochs: int
    infeasible: int | None = None
    front: tuple[int, ...] | None = None
    stop: dict[str, Any] | None = None


@dataclass(frozen=True)
class Summary:
    """reports/summary.json. `test` has the winner's mean metrics on the test part, where there is one."""

    study: StudySummary
    confirm: Confirmation | None
    test: Mapping[str, float]


@dataclass(frozen=True)
class Provenance:
    """What made a study: its fingerprint, the versions of the libraries, the device."""

    fingerprint: str
    versions: dict[str, str]
    device: str


@dataclass(frozen=True)
class StudyRecord:
    """artifacts/study/found.json: what the study leaves to the stages after it; complete trials, best first."""

    made: Provenance
    study: StudySummary
    ranked: tuple[RankedTrial, ...]


def to_json(record: Summary | StudyRecord) -> dict[str, Any]:
    """Return the record as JSON has it: without what is not known."""
    known: dict[str, Any] = TypeAdapter(type(record)).dump_python(record, exclude_defaults=True)
    return known


def read_summary() -> Summary:
    return TypeAdapter(Summary).validate_python(files.read_json(SUMMARY))


def read_study_record() -> StudyRecord:
    return TypeAdapter(StudyRecord).validate_python(files.read_json(STUDY_RECORD))
