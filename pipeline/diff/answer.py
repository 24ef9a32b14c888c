"""What a comparison of two studies found, as data."""

from dataclasses import dataclass

from thalweg.artifacts.summary import Estimate
from thalweg.diff import changes, parameters, words
from thalweg.diff.changes import Change
from thalweg.diff.parameters import ParameterPair
from thalweg.diff.study import Study
from thalweg.diff.winners import Difference, Verdict, find_obstacles, judge_winners

COMPARISONS = {
    "params": changes.compare_params,
    "data": changes.compare_data,
    "code": changes.compare_code,
    "versions": changes.compare_versions,
    "winners": changes.compare_winners,
}
PARTS = {"data": "manifest", "code": "code", "versions": "record", "winners": "winner"}
"""The part of a study without which its data, code and so on are not known."""


@dataclass(frozen=True)
class StudySide:
    """A study: what the user wrote, the commit of a revision ('' for a folder), and its size.

    `winner`: its objective, `metric`, of the confirmed winner on fresh seeds, and the interval (null: not confirmed).
    `metric` is empty, and `minimize` null, where no winner is known by seed.
    """

    text: str
    commit: str
    trials: int | None
    winner: Estimate | None
    metric: str
    minimize: bool | None


@dataclass(frozen=True)
class DiffAnswer:
    """Two studies side by side. `verdict` is on the winner of B beside that of A; `sentence` says it in words.

    `verdict`: better or worse (beyond noise), unclear, or incomparable, for the reasons in `obstacles`. `difference` is
    in `metric`, which is of the `part` of the data that judged the winners; it is empty, and `minimize` null, where the
    sides have different ones. `params` to `winners` hold what differs (`winners`: in the values of the winners); of
    those that `unknown` names, a file is missing. `notes`: what could not be compared, and how to get it.
    """

    verdict: Verdict
    sentence: str
    a: StudySide
    b: StudySide
    metric: str
    minimize: bool | None
    part: str
    difference: Difference | None
    obstacles: tuple[str, ...]
    params: tuple[Change, ...]
    data: tuple[Change, ...]
    code: tuple[Change, ...]
    versions: tuple[Change, ...]
    winners: tuple[Change, ...]
    unknown: tuple[str, ...]
    parameters: tuple[ParameterPair, ...]
    notes: tuple[str, ...]


def compare_studies(a: Study, b: Study) -> DiffAnswer:
    """Compare two studies."""
    judged = a.judged or b.judged
    obstacles = words.list_unknown_winners((a, b))
    verdict, difference, sentence = _judge_pair(a, b, obstacles)
    metrics = {study.judged.objective for study in (a, b) if study.judged}
    is_one = len(metrics) == 1
    unknown = [name for name, part in PARTS.items() if not (getattr(a, part) and getattr(b, part))]
    if a.place.commit and b.place.commit and "code" in unknown:
        unknown.remove("code")  # git knows
    found = {name: () if name in unknown else compare(a, b) for name, compare in COMPARISONS.items()}
    return DiffAnswer(
        verdict=verdict,
        sentence=sentence,
        a=_describe_side(a),
        b=_describe_side(b),
        metric=judged.objective if judged and is_one else "",
        minimize=judged.sign > 0 if judged and is_one else None,
        part=judged.part if judged else "",
        difference=difference,
        obstacles=tuple(obstacles),
        **found,
        unknown=tuple(unknown),
        parameters=parameters.pair_parameters(a, b),
        notes=tuple(words.list_notes(a, b, difference)),
    )


def _judge_pair(a: Study, b: Study, obstacles: list[str]) -> tuple[Verdict, Difference | None, str]:
    """Judge the winners; add to `obstacles` what else stands in the way."""
    if a.judged and b.judged:
        obstacles += find_obstacles(a.judged, b.judged)
        if not obstacles:
            verdict, difference = judge_winners(a.judged, b.judged)
            return verdict, difference, words.describe_verdict(a.judged, b.judged, verdict, difference)
    return "incomparable", None, f"The winners cannot be compared. {' '.join(obstacles)}"


def _describe_side(study: Study) -> StudySide:
    summary = study.summary
    winner = summary.confirm.winner if summary and summary.confirm else None
    judged = study.judged
    return StudySide(
        text=study.place.text,
        commit=study.place.commit,
        trials=summary.study.trials if summary else None,
        winner=winner,
        metric=judged.objective if judged else "",
        minimize=judged.sign > 0 if judged else None,
    )
