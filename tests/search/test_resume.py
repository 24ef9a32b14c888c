"""A study that is stopped and goes on: the same trials whatever happens on the way."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.study_runs import CONDITIONAL, PRUNING, SegmentRecorder, format_csv
from tests.helpers.training_calls import count_steps
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.engine import fleet
from thalweg.engine.state_folder import SNAPSHOT, Journal
from thalweg.search import study
from thalweg.search.trials import Trial
from thalweg.training.plan import TrainingData

SETTINGS = [
    pytest.param({"study.sampler": "random"}, marks=pytest.mark.slow),
    pytest.param({"study.sampler": "tpe"}, marks=pytest.mark.slow),
    pytest.param({"study.sampler": "tpe", "study.in_flight": 2, **PRUNING}, marks=pytest.mark.slow),
    # long enough for TPE to lead, with parameters that a trial may not have
    {"study.sampler": "tpe", "study.in_flight": 2, **CONDITIONAL, "study.trials": 48},
    pytest.param({"study.sampler": "nsga2", "study.also": ["rmse"], **PRUNING}, marks=pytest.mark.slow),
    {"study.randomness": "independent", "training.patience": 1, **PRUNING, "training.epochs": 6},
]


class Uninterrupted(NamedTuple):
    """A study that was run at once: its experiment, trials, how many steps it trained."""

    config: Config
    trials: list[Trial]
    steps: int


@pytest.fixture(scope="module", params=SETTINGS)
def uninterrupted_study(
    request: pytest.FixtureRequest,
    config: Config,
    data_spec: DataSpec,
    training_data: TrainingData,
    tmp_path_factory: pytest.TempPathFactory,
) -> Uninterrupted:
    config = config.replace_values(request.param)
    with pytest.MonkeyPatch.context() as patch:
        steps = count_steps(patch)
        trials = study.run_trials(config, data_spec, training_data, tmp_path_factory.mktemp("at once"), []).trials
    return Uninterrupted(config, trials, sum(steps))


def test_interrupted_study_resumes(
    uninterrupted_study: Uninterrupted,
    data_spec: DataSpec,
    training_data: TrainingData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trained_steps: list[int],
) -> None:
    monkeypatch.setattr(fleet, "SNAPSHOT_SECONDS", 0.0)  # a snapshot at every segment
    config, trials, steps = uninterrupted_study
    stops = 0
    while True:
        monkeypatch.setattr(fleet, "SEGMENT_SECONDS", 1e-9 if stops % 2 else 2.0)  # one validation at a time, or more
        try:
            resumed = study.run_trials(
                config, data_spec, training_data, tmp_path / "stopped", [SegmentRecorder(1 + stops % 3)]
            )
            break
        except KeyboardInterrupt:
            stops += 1
    assert format_csv(config, resumed.trials) == format_csv(config, trials)
    assert stops > 1
    assert sum(trained_steps) == steps  # nothing is trained twice, since every segment ended with a snapshot
    assert not (tmp_path / "stopped" / SNAPSHOT).exists()  # whether one was due hangs on the clock


def test_extended_study_equals_long_study(
    uninterrupted_study: Uninterrupted,
    data_spec: DataSpec,
    training_data: TrainingData,
    tmp_path: Path,
    trained_steps: list[int],
) -> None:
    config, trials, steps = uninterrupted_study
    half = config.study.trials // config.study.cohort // 2 * config.study.cohort
    first = study.run_trials(
        config.replace_values({"study.trials": half}), data_spec, training_data, tmp_path / "grown", []
    )
    grown = study.run_trials(config, data_spec, training_data, tmp_path / "grown", [])
    assert format_csv(config, grown.trials) == format_csv(config, trials)
    assert format_csv(config, grown.trials[:half]) == format_csv(config, first.trials)
    assert sum(trained_steps) == steps  # only the new ones were trained


def test_stopped_study_can_go_on(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    short = config.replace_values({"study.stop": {"epochs": 12}, "study.trials": 16})
    stopped = study.run_trials(short, data_spec, training_data, tmp_path, [])
    assert len(stopped.trials) == 4
    assert stopped.stop_reason == {"cohort": 1, "reason": "epochs", "limit": 12, "reached": 12}
    longer = study.run_trials(config.replace_values({"study.trials": 16}), data_spec, training_data, tmp_path, [])
    assert (len(longer.trials), longer.stop_reason) == (16, None)
    assert format_csv(config, longer.trials[:4]) == format_csv(config, stopped.trials)
    timed = study.run_trials(
        config.replace_values({"study.stop": {"seconds": 1e-9}}), data_spec, training_data, tmp_path / "timed", []
    )
    assert (timed.trials, timed.stop_reason) == ([], {"cohort": 0, "reason": "seconds", "limit": 1e-9})
    assert Journal(tmp_path / "timed").stops == [(0, {"reason": "seconds", "limit": 1e-9})]
