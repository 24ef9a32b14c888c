"""The results of study and confirmation: reports/summary.json and artifacts/study/found.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from thalweg.artifacts.damage import explain_damage
from thalweg.stats.interval import Interval
from thalweg.system import files
from thalweg.system.paths import STUDY_RECORD, SUMMARY


@dataclass(frozen=True)
class Estimate:
    """A mean over fresh seeds with its 95 % interval, and the number of groups of examples.

    More seeds do not reduce `groups_error`, a standard error with `groups_dof` degrees of freedom
    (`thalweg.stats.intervals.group_variance`).
    """

    mean: float
    low: float
    high: float
    seeds: int
    groups: int | None = None
    groups_error: float | None = None
    groups_dof: float | None = None

    @property
    def interval(self) -> Interval:
        return Interval(self.mean, self.low, self.high, self.seeds)


@dataclass(frozen=True)
class Confirmation:
    """The objective of winner and baseline on fresh seeds, and winner minus baseline.

    The corrected values remove the optimism from selecting the winner (`thalweg.confirm.compare`).
    """

    winner: Estimate
    baseline: Estimate
    difference: Estimate
    corrected: Estimate | None = None
    corrected_difference: Estimate | None = None

    @property
    def decisive_difference(self) -> Estimate:
        """The difference to judge by: corrected for the selection of the winner, if known."""
        return self.corrected_difference or self.difference


@dataclass(frozen=True)
class Comparison:
    """A runner-up or a simple answer beside the winner: its objective minus the winner's on fresh seeds."""

    name: str
    difference: Estimate


@dataclass(frozen=True)
class RunnerUp:
    """The objective of a runner-up on fresh seeds, and its own minus the baseline's."""

    name: str
    value: Estimate
    difference: Estimate


@dataclass(frozen=True)
class LevelDifference:
    """A level's best trial, and its objective minus the leader's on fresh seeds.

    The intervals of all levels of a question hold together in 95 % of studies. `low_90` to `high_90` is the 90 %
    interval of this difference alone: two one-sided tests at 5 %
    (`thalweg.stats.intervals.compute_equivalence_interval`).
    """

    level: int
    trial: int
    difference: Estimate
    low_90: float
    high_90: float


@dataclass(frozen=True)
class FailedLevel:
    """A level whose best trial has no value on some fresh seed, so that it is not compared."""

    level: int
    trial: int


@dataclass(frozen=True)
class Question:
    """The best trials of the levels of a scientific parameter, retrained; the leader is the best on the validation set.

    A level is an index of the parameter's choices, or of the thirds of its range (`thalweg.config.levels`). `level` and
    `trial` are the leader's; None if all levels failed.
    """

    parameter: str
    level: int | None
    trial: int | None
    others: tuple[LevelDifference, ...]
    failed: tuple[FailedLevel, ...] = ()


@dataclass(frozen=True)
class RankedTrial:
    """A complete trial: its number, its searched values, and its objective."""

    number: int
    params: dict[str, Any]
    value: float


@dataclass(frozen=True)
class StudySummary:
    """The study in numbers: its trials by their end, the epochs trained over all lanes, and its best trial.

    Where trials repeat a setting, `settings` is the number of different ones, and these are counted by their end.
    `infeasible` needs constraints, `front` (the undominated trials) several objectives. `stop` is for a study that
    ended before its last cohort: the reason, the limit, and the value reached.
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
    settings: int | None = None


@dataclass(frozen=True)
class Summary:
    """reports/summary.json. `test` has the winner's mean metrics on the test set, if there is one.

    In 95 % of studies no interval of `runners_up` wrongly leaves out zero (`thalweg.stats.intervals.judge_together`).
    `answers` are simple ones, which need no network; their intervals are 95 % each. `others` are the runners-up beside
    the baseline, in the same intervals as the winner.
    """

    study: StudySummary
    confirm: Confirmation | None
    test: Mapping[str, float]
    questions: tuple[Question, ...] = ()
    runners_up: tuple[Comparison, ...] = ()
    answers: tuple[Comparison, ...] = ()
    others: tuple[RunnerUp, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """A study's fingerprint, the versions of its libraries, and its device."""

    fingerprint: str
    versions: dict[str, str]
    device: str


@dataclass(frozen=True)
class StudyRecord:
    """artifacts/study/found.json, for the later stages. `ranked` has the complete trials, best first."""

    made: Provenance
    study: StudySummary
    ranked: tuple[RankedTrial, ...]


def to_json(record: Summary | StudyRecord) -> dict[str, Any]:
    """Return the record as JSON values, without unknown ones."""
    values: dict[str, Any] = TypeAdapter(type(record)).dump_python(record, exclude_defaults=True)
    return values


def read_summary() -> Summary:
    """Read reports/summary.json. Raises `UserError` if it is damaged, as `read_study_record` does."""
    with explain_damage(SUMMARY, files.UserError, ValidationError):
        return TypeAdapter(Summary).validate_python(files.read_json(SUMMARY))


def read_study_record() -> StudyRecord:
    with explain_damage(STUDY_RECORD, files.UserError, ValidationError):
        return TypeAdapter(StudyRecord).validate_python(files.read_json(STUDY_RECORD))
