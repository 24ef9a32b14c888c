"""What a person who watches a study reads."""

from typing import Literal

import pytest

from tests.helpers.paths import ROOT
from thalweg.config.load import load_config
from thalweg.engine.results import LaneResult, TrainedLane
from thalweg.search.progress_bar import StudyProgress, describe_trials
from thalweg.search.trials import Outcome, Trial
from thalweg.system.progress import Part

CONFIG = load_config(ROOT / "params.yaml").replace_values(
    {"study.trials": 48, "study.cohort": 6, "training.epochs": 16, "study.objective": "mae"}
)
Ending = Literal["complete", "pruned", "diverged"]


def build_trial(number: int, value: float | None) -> Trial:
    lane = LaneResult({}, 2, None if value is not None else 3, ended=True)
    state: Ending = "diverged" if value is None else "pruned" if value > 5 else "complete"
    return Trial(Outcome(number, {}, state, () if value is None else (value,)), (TrainedLane(1, 0, lane),))


def test_description_names_best_and_failures() -> None:
    trials = [build_trial(0, 2.5), build_trial(1, 1.25), build_trial(2, None), build_trial(3, 9.5)]
    assert describe_trials(CONFIG, trials) == "4 of 48 trials, best mae 1.25 (trial 1), 1 pruned, 1 diverged"


@pytest.mark.parametrize(
    ("trials", "text"),
    [([], "0 of 48 trials"), ([build_trial(0, None)], "1 of 48 trials, none complete yet, 1 diverged")],
)
def test_description_without_complete_trial(trials: list[Trial], text: str) -> None:
    assert describe_trials(CONFIG, trials) == text


def test_cohort_counts_whole() -> None:
    part = Part("training")
    watch = StudyProgress(CONFIG, 1, part)
    assert part.total == 48 * 16
    part.advance(5 * 16)  # a lane of six diverged at once
    watch.on_cohort([build_trial(number, 2.0) for number in range(6)])
    assert part.done == 6 * 16


def test_resumed_trials_are_no_work() -> None:
    part = Part("training")
    watch = StudyProgress(CONFIG, 1, part)
    watch.on_cohort([build_trial(number, 2.0) for number in range(12)])
    assert part.done == 12 * 16
    assert part.estimate_seconds_left() is None
