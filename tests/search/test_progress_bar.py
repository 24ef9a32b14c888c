"""What a person who watches a study sees where there is no terminal."""

from typing import Literal

import pytest

from tests.helpers.paths import ROOT
from thalweg.config.load import load_config
from thalweg.engine.results import LaneResult, TrainedLane
from thalweg.search.progress_bar import StudyProgress
from thalweg.search.trials import Outcome, Trial

CONFIG = load_config(ROOT / "params.yaml")
Ending = Literal["complete", "pruned", "diverged"]


def build_trial(number: int, value: float | None) -> Trial:
    lane = LaneResult({}, 2, None if value is not None else 3, ended=True)
    state: Ending = "diverged" if value is None else "pruned" if value > 5 else "complete"
    return Trial(Outcome(number, {}, state, () if value is None else (value,)), (TrainedLane(1, 0, lane),))


def test_cohort_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(CONFIG) as watch:
        watch.on_segment(0, 4)
        watch.on_cohort([build_trial(0, 2.5), build_trial(1, 1.25), build_trial(2, None), build_trial(3, 9.5)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("4 of 48 trials, best mae 1.25 (trial 1), 1 pruned, 1 diverged")


def test_cohort_without_complete_trial(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress(CONFIG) as watch:
        watch.on_segment(0, 4)
        watch.on_cohort([build_trial(0, None)])
    assert "none complete yet" in capsys.readouterr().out


def test_resumed_trials_take_no_time(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    resumed = [build_trial(number, 2.0 + number) for number in range(6)]
    with StudyProgress(CONFIG) as watch:
        watch.on_cohort(resumed[:2])
        watch.on_cohort(resumed[:4])
        watch.on_segment(4, 2)
        began = watch._began
        monkeypatch.setattr("time.monotonic", lambda: began + 10.0)
        watch.on_cohort(resumed)
    before, after = capsys.readouterr().out.splitlines()
    assert before == "4 trials finished before, best mae 2 (trial 0)"
    # two trials took ten seconds, so 42 more take 210
    assert after.endswith("10 s, about 210 s left")
