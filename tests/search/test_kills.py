"""A study in a process of its own, killed or elsewhere: the same trials."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import xla_flags
from tests.helpers.paths import ROOT
from tests.helpers.study_runs import CONDITIONAL, PRUNING, format_csv
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.search import study
from thalweg.training.plan import TrainingData

SCRIPT = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import thalweg
import numpy as np
from tests.helpers import small_study, study_runs
from thalweg.training import build
from thalweg.system import timing
from thalweg.search import study
from thalweg.engine import fleet
fleet.SNAPSHOT_SECONDS, fleet.SEGMENT_SECONDS = 0.05, 1e-9  # a validation at a time
examples, splits = small_study.draw_examples(), small_study.split_examples()
config = small_study.CONFIG.replace_values(json.loads(sys.argv[3]))

class SlowListener:
    def on_segment(self, over, alive):
        print(over, flush=True)
        time.sleep(0.01)
    def on_cohort(self, trials): pass

data = build.build_data(config, examples, splits, np.zeros(0, np.int64))
trials = study.run_trials(config, build.build_data_spec(examples), data, Path(sys.argv[2]), [SlowListener()]).trials
Path(sys.argv[2], "compiles").write_text(str(len(timing.COMPILE_SECONDS)))
Path(sys.argv[2], "trials.csv").write_text(study_runs.format_csv(config, trials))
"""
KILLED = {"study.sampler": "tpe", **PRUNING, "training.epochs": 8, "study.trials": 24, "training.patience": 6}


def start_study_process(folder: Path, settings: dict[str, Any] = KILLED, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(ROOT), str(folder), json.dumps(settings)]
    return subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True)


def run_killed_study(folder: Path, kills: int, seed: int, settings: dict[str, Any] = KILLED) -> str:
    """Run a study that is killed at random moments, so many times; return its tables once it is let live."""
    draw, done = random.Random(seed), 0
    while done < kills:
        with start_study_process(folder, settings) as process:
            assert process.stdout is not None
            for _ in range(draw.randrange(1, 3)):  # so many segments, and somewhere within the next
                process.stdout.readline()
            try:
                process.wait(draw.uniform(0.0, 0.04))
                raise AssertionError(f"the study was over after {done} kills; it must be longer")
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                done += 1
    with start_study_process(folder, settings) as process:
        process.communicate()
        assert process.returncode == 0
    return (folder / "trials.csv").read_text()


@pytest.fixture(scope="module")
def undisturbed_tables(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path_factory: pytest.TempPathFactory
) -> str:
    config = config.replace_values(KILLED)
    return format_csv(
        config, study.run_trials(config, data_spec, training_data, tmp_path_factory.mktemp("never"), []).trials
    )


@pytest.mark.slow
def test_killed_study_resumes(undisturbed_tables: str, tmp_path: Path) -> None:
    assert run_killed_study(tmp_path, 1, 0) == undisturbed_tables


@pytest.mark.slow
def test_study_killed_20_times_resumes(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    longer = KILLED | {"study.trials": 100, "study.in_flight": 2, **CONDITIONAL}
    config = config.replace_values(longer)
    wanted = format_csv(config, study.run_trials(config, data_spec, training_data, tmp_path / "never", []).trials)
    (tmp_path / "killed").mkdir()
    assert run_killed_study(tmp_path / "killed", 20, 1, longer) == wanted


@pytest.mark.slow
def test_devices_cores_and_hashes_do_not_matter(
    undisturbed_tables: str,
    config: Config,
    data_spec: DataSpec,
    training_data: TrainingData,
    tmp_path: Path,
    trained_steps: list[int],
) -> None:
    """Renamed, and with the space in another order, it is still the same."""
    space = {
        "optimizer.momentum": {"low": 0.0, "high": 0.9},
        "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    }
    settings = KILLED | {"study.name": "another", "study.space": space}
    with start_study_process(
        tmp_path, settings, XLA_FLAGS=xla_flags.build_device_flags(1), NPROC="2", PYTHONHASHSEED="5"
    ) as process:
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        process.communicate()
    assert (tmp_path / "trials.csv").read_text() == undisturbed_tables
    assert (tmp_path / "compiles").read_text() == "1"  # one program for all trials, rungs and cohorts
    again = config.replace_values(settings)
    assert (
        format_csv(again, study.run_trials(again, data_spec, training_data, tmp_path, []).trials) == undisturbed_tables
    )
    assert trained_steps == []
