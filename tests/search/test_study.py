"""A study from its first cohort to its last: the same trials whatever happens on the way."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.helpers import xla_flags
from tests.helpers.paths import ROOT
from tests.helpers.training_calls import count_steps
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import fleet, population, results
from thalweg.engine.state_folder import Journal
from thalweg.engine.workers import copy_to_devices
from thalweg.search import study, trials
from thalweg.search.run import build_trials_table
from thalweg.search.trials import Trial
from thalweg.system import timing
from thalweg.system.files import UserError
from thalweg.training.plan import TrainingData

PRUNING = {"study.prune": {"first": 1, "eta": 2, "audit": 0.5}, "training.epochs": 4, "study.trials": 12}


class Told:
    """A listener that keeps what it is told, and ends the run as a kill would after so many segments."""

    def __init__(self, last: int | None = None) -> None:
        self.segments: list[Any] = []
        self.cohorts: list[Any] = []
        self.last = last

    def on_segment(self, over: int, alive: int) -> None:
        self.segments.append((over, alive))
        if len(self.segments) == self.last:
            raise KeyboardInterrupt

    def on_cohort(self, found: Sequence[Trial]) -> None:
        self.cohorts.append(len(found))


@pytest.fixture
def trained_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that lanes are trained from here on."""
    return count_steps(monkeypatch)


@pytest.fixture(scope="module")
def data(config: Config, parts: Splits, compose_data: Callable[[Config, Splits], TrainingData]) -> TrainingData:
    return compose_data(config, parts)


def list_reached_values(curve: Sequence[float | None]) -> list[float]:
    """The values of a curve whose lane went on to its end."""
    return [value for value in curve if value is not None]


def format_csv(config: Config, found: Sequence[Trial]) -> str:
    lanes = [(trial.outcome.number, *lane) for trial in found for lane in trial.lanes]
    return build_trials_table(config, found).to_csv() + build_curves_table(config, lanes).to_csv()


@pytest.fixture(scope="module")
def whole_study(
    config: Config, shape: DataSpec, data: TrainingData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Trial], Told]:
    """The study run once without a stop: its folder, trials, listener."""
    folder, listener = tmp_path_factory.mktemp("study"), Told()
    return folder, study.run_trials(config, shape, data, folder, [listener]).trials, listener


def test_trials_come_in_order(whole_study: tuple[Path, list[Trial], Told]) -> None:
    _, found, listener = whole_study
    assert [trial.outcome.number for trial in found] == list(range(8))
    assert all(trial.outcome.value is not None and trial.epochs == 3 for trial in found)
    assert len({tuple(trial.outcome.values.values()) for trial in found}) == 8
    assert found[0].outcome.values == {"optimizer.learning_rate": 0.01, "optimizer.momentum": 0.5}
    assert listener.segments[-1] == (4, 0)  # told before the cohort that has arrived is judged
    assert {alive for _, alive in listener.segments} <= {0, 4}
    assert listener.cohorts == [4, 8]


def test_trial_value_is_its_best(whole_study: tuple[Path, list[Trial], Told]) -> None:
    for trial in whole_study[1]:
        ((_, _, result),) = trial.lanes
        assert trial.outcome.intermediate == dict(enumerate(result.curves["mae"], 1))
        assert trial.outcome.value == min(list_reached_values(result.curves["mae"]))


def test_rerun_trains_nothing(
    whole_study: tuple[Path, list[Trial], Told],
    config: Config,
    shape: DataSpec,
    data: TrainingData,
    trained_steps: list[int],
) -> None:
    before = len(timing.COMPILE_SECONDS)
    again = study.run_trials(config, shape, data, whole_study[0], [])
    assert format_csv(config, again.trials) == format_csv(config, whole_study[1])
    assert trained_steps == []
    assert len(timing.COMPILE_SECONDS) == before


def test_trial_equals_lone_run(
    whole_study: tuple[Path, list[Trial], Told], config: Config, shape: DataSpec, data: TrainingData
) -> None:
    from thalweg.training import build

    for trial in whole_study[1][2:5]:
        chosen = config.replace_values(trial.outcome.values)
        plan = build.build_plan(chosen, shape, data, searched=True)
        ((seed, fold),) = results.list_lane_seeds(config.seed, "study", 1, 1)
        state = population.init_lane(plan, seed, fold)
        (alone,) = population.advance_lanes(
            plan, [build.build_hyper(chosen)], [state], copy_to_devices(data), [plan.epochs]
        )
        assert results.build_lane_result(plan, alone) == trial.lanes[0].result


CONDITIONAL = {
    "study.space": {
        "loss.terms.count.kind": {"choices": ["l1", "huber"]},
        "loss.terms.count.delta": {"low": 0.1, "high": 2.0, "when": {"loss.terms.count.kind": "huber"}},
        "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    },
    "loss.terms.count.kind": "huber",
}
SETTINGS = [
    pytest.param({"study.sampler": "random"}, marks=pytest.mark.slow),
    pytest.param({"study.sampler": "tpe"}, marks=pytest.mark.slow),
    {"study.sampler": "tpe", "study.in_flight": 2, **PRUNING},
    # long enough for TPE to lead, with parameters that a trial may not have
    {"study.sampler": "tpe", "study.in_flight": 2, **CONDITIONAL, "study.trials": 48},
    pytest.param({"study.sampler": "nsga2", "study.also": ["rmse"], **PRUNING}, marks=pytest.mark.slow),
    {"study.randomness": "independent", "training.patience": 1, **PRUNING, "training.epochs": 6},
]


class Uninterrupted(NamedTuple):
    """A study that was run at once: its experiment, trials, how many steps it trained."""

    config: Config
    found: list[Trial]
    steps: int


@pytest.fixture(scope="module", params=SETTINGS)
def uninterrupted_study(
    request: pytest.FixtureRequest,
    config: Config,
    shape: DataSpec,
    data: TrainingData,
    tmp_path_factory: pytest.TempPathFactory,
) -> Uninterrupted:
    config = config.replace_values(request.param)
    with pytest.MonkeyPatch.context() as patch:
        steps = count_steps(patch)
        found = study.run_trials(config, shape, data, tmp_path_factory.mktemp("at once"), []).trials
    return Uninterrupted(config, found, sum(steps))


def test_interrupted_study_resumes(
    uninterrupted_study: Uninterrupted,
    shape: DataSpec,
    data: TrainingData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trained_steps: list[int],
) -> None:
    monkeypatch.setattr(fleet, "SNAPSHOT_SECONDS", 0.0)  # a snapshot at every segment
    config, whole, steps = uninterrupted_study
    stops = 0
    while True:
        monkeypatch.setattr(fleet, "SEGMENT_SECONDS", 1e-9 if stops % 2 else 2.0)  # one validation at a time, or more
        try:
            found = study.run_trials(config, shape, data, tmp_path / "stopped", [Told(1 + stops % 3)])
            break
        except KeyboardInterrupt:
            stops += 1
    assert format_csv(config, found.trials) == format_csv(config, whole)
    assert stops > 1
    assert sum(trained_steps) == steps  # nothing is trained twice, since every segment ended with a snapshot


def test_extended_study_equals_long_study(
    uninterrupted_study: Uninterrupted, shape: DataSpec, data: TrainingData, tmp_path: Path, trained_steps: list[int]
) -> None:
    config, whole, steps = uninterrupted_study
    half = config.study.trials // config.study.cohort // 2 * config.study.cohort
    first = study.run_trials(config.replace_values({"study.trials": half}), shape, data, tmp_path / "grown", [])
    grown = study.run_trials(config, shape, data, tmp_path / "grown", [])
    assert format_csv(config, grown.trials) == format_csv(config, whole)
    assert format_csv(config, grown.trials[:half]) == format_csv(config, first.trials)
    assert sum(trained_steps) == steps  # only the new ones were trained


def test_pruned_stop_and_audited_go_on(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    told = config.replace_values({"study.sampler": "tpe", **PRUNING})
    plain = config.replace_values({"study.sampler": "tpe", **PRUNING, "study.prune": None})
    found = study.run_trials(told, shape, data, tmp_path / "pruned", []).trials
    full = study.run_trials(plain, shape, data, tmp_path / "full", []).trials
    for cohort in range(3):
        of_cohort = found[cohort * 4 : cohort * 4 + 4]
        assert sorted(trial.pruned_at or 4 for trial in of_cohort) == [1, 1, 2, 4]
        if cohort == 0:  # the same trials as without pruning: what survived is the same to the bit
            for trial, other in zip(of_cohort, full, strict=False):
                at = trial.pruned_at or 4
                assert trial.outcome.scores[0] == min(list_reached_values(other.lanes[0].result.curves["mae"][:at]))
                assert trial.audit is None or trial.audit == other.outcome.value
    pruned = [trial for trial in found if trial.state == "pruned"]
    assert len(pruned) == 9
    audited = [trial for trial in pruned if trial.audit is not None]
    assert 0 < len(audited) < 9
    assert all(trial.epochs == 4 for trial in audited)
    assert all(trial.epochs == trial.pruned_at for trial in pruned if trial.audit is None)
    assert all(trial.audit is None for trial in found if trial.state == "complete")
    assert {trial.outcome.number for trial in trials.rank_trials(told, found)} == {
        trial.outcome.number for trial in found if trial.state == "complete"
    }
    table = build_trials_table(told, found).set_index("number")
    assert table["pruned_at"].dropna().tolist() == [trial.pruned_at for trial in pruned]
    assert table["audit"].dropna().tolist() == [trial.audit for trial in audited]


def test_audit_is_hidden_from_sampler(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    """With all audited or none, the sampler proposes the same."""
    found = []
    for share in (0.0, 1.0):
        prune = {"first": 1, "eta": 2, "audit": share}
        told = config.replace_values({"study.sampler": "tpe", **PRUNING, "study.trials": 24, "study.prune": prune})
        found.append(study.run_trials(told, shape, data, tmp_path / str(share), []).trials)
    assert [trial.outcome for trial in found[0]] == [trial.outcome for trial in found[1]]
    assert sum(trial.epochs_spent for trial in found[0]) < sum(trial.epochs_spent for trial in found[1])


SCRIPT = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import thalweg
import numpy as np
from tests.helpers import small_study
from thalweg.training import build
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.search.run import build_trials_table
from thalweg.system import timing
from thalweg.search import study
from thalweg.engine import fleet
fleet.SNAPSHOT_SECONDS, fleet.SEGMENT_SECONDS = 0.05, 1e-9  # a validation at a time
examples, parts = small_study.draw_examples(), small_study.split()
config = small_study.CONFIG.replace_values(json.loads(sys.argv[3]))

class Slow:
    def on_segment(self, over, alive):
        print(over, flush=True)
        time.sleep(0.01)
    def on_cohort(self, found): pass

data = build.build_data(config, examples, parts, np.zeros(0, np.int64))
found = study.run_trials(config, build.build_data_spec(examples), data, Path(sys.argv[2]), [Slow()]).trials
lanes = [(trial.outcome.number, *lane) for trial in found for lane in trial.lanes]
Path(sys.argv[2], "compiles").write_text(str(len(timing.COMPILE_SECONDS)))
tables = build_trials_table(config, found).to_csv() + build_curves_table(config, lanes).to_csv()
Path(sys.argv[2], "told.csv").write_text(tables)
"""
KILLED = {"study.sampler": "tpe", **PRUNING, "training.epochs": 8, "study.trials": 24, "training.patience": 6}


def start_study_process(folder: Path, settings: dict[str, Any] = KILLED, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(ROOT), str(folder), json.dumps(settings)]
    return subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True)


def killed_again_and_again(folder: Path, kills: int, seed: int, settings: dict[str, Any] = KILLED) -> str:
    """A study that is killed at random moments, so many times; its table once it is let live."""
    draw, made = random.Random(seed), 0
    while made < kills:
        with start_study_process(folder, settings) as process:
            assert process.stdout is not None
            for _ in range(draw.randrange(1, 3)):  # so many segments, and somewhere within the next
                process.stdout.readline()
            try:
                process.wait(draw.uniform(0.0, 0.04))
                raise AssertionError(f"the study was over after {made} kills; it must be longer")
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                made += 1
    with start_study_process(folder, settings) as process:
        process.communicate()
        assert process.returncode == 0
    return (folder / "told.csv").read_text()


@pytest.fixture(scope="module")
def never_killed(config: Config, shape: DataSpec, data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> str:
    config = config.replace_values(KILLED)
    return format_csv(config, study.run_trials(config, shape, data, tmp_path_factory.mktemp("never"), []).trials)


@pytest.mark.slow
def test_killed_study_resumes(never_killed: str, tmp_path: Path) -> None:
    assert killed_again_and_again(tmp_path, 1, 0) == never_killed


@pytest.mark.slow
def test_study_killed_20_times_resumes(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    longer = KILLED | {"study.trials": 100, "study.in_flight": 2, **CONDITIONAL}
    config = config.replace_values(longer)
    wanted = format_csv(config, study.run_trials(config, shape, data, tmp_path / "never", []).trials)
    (tmp_path / "killed").mkdir()
    assert killed_again_and_again(tmp_path / "killed", 20, 1, longer) == wanted


@pytest.mark.slow
def test_devices_cores_and_hashes_do_not_matter(
    never_killed: str, config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path, trained_steps: list[int]
) -> None:
    """Renamed, and with the space in another order, it is still the same."""
    space = {
        "optimizer.momentum": {"low": 0.0, "high": 0.9},
        "optimizer.learning_rate": {"low": 1e-4, "high": 0.1, "log": True},
    }
    settings = KILLED | {"study.name": "another", "study.space": space}
    with start_study_process(
        tmp_path, settings, XLA_FLAGS=xla_flags.for_devices(1), NPROC="2", PYTHONHASHSEED="5"
    ) as process:
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        process.communicate()
    assert (tmp_path / "told.csv").read_text() == never_killed
    assert (tmp_path / "compiles").read_text() == "1"  # one program for all trials, rungs and cohorts
    again = config.replace_values(settings)
    assert format_csv(again, study.run_trials(again, shape, data, tmp_path, []).trials) == never_killed
    assert trained_steps == []


def test_diverged_trial_stops_nothing(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    wild = config.replace_values(
        {"study.space": {"optimizer.learning_rate": {"choices": [0.01, 1e30]}}, "study.cohort": 2, "study.trials": 4}
    )
    found = study.run_trials(wild, shape, data, tmp_path, []).trials
    bad = [trial for trial in found if trial.outcome.values["optimizer.learning_rate"] == 1e30]
    assert 0 < len(bad) < 4
    table = build_trials_table(wild, found).set_index("number")
    for trial in found:
        diverged = trial in bad
        assert (trial.outcome.value is None) == (trial.diverged_step is not None) == diverged
        assert table["state"][trial.outcome.number] == ("diverged" if diverged else "complete")


def test_every_seed_and_fold_trains(
    config: Config,
    shape: DataSpec,
    folded: Splits,
    compose_data: Callable[[Config, Splits], TrainingData],
    tmp_path: Path,
) -> None:
    config = config.replace_values({"study.seeds": 2, "study.trials": 2, "study.cohort": 2})
    found = study.run_trials(config, shape, compose_data(config, folded), tmp_path, []).trials
    wanted = results.list_lane_seeds(config.seed, "study", 2, 3)
    assert wanted[:4] == [(rng.derive_seed(3, "study", s), f) for s, f in [(0, 0), (0, 1), (0, 2), (1, 0)]]
    for trial in found:
        assert sorted(wanted) == [(seed, fold) for seed, fold, _ in trial.lanes]
        curves = np.array([lane.result.curves["mae"] for lane in trial.lanes])
        weights = [[16, 12, 8][fold] for _, fold, _ in trial.lanes]
        mean = np.average(curves, axis=0, weights=weights)
        np.testing.assert_allclose(list(trial.outcome.intermediate.values()), mean, rtol=1e-12)
        assert trial.outcome.value == pytest.approx(mean.min(), rel=1e-12)


def test_trials_share_seeds(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    same = config.replace_values({"study.space": {}, "study.trials": 4})
    paired = study.run_trials(same, shape, data, tmp_path / "paired", []).trials
    assert len({trial.outcome.value for trial in paired}) == 1
    alone = study.run_trials(
        same.replace_values({"study.randomness": "independent"}), shape, data, tmp_path / "own", []
    ).trials
    assert len({trial.outcome.value for trial in alone}) == 4
    assert len({trial.lanes[0][0] for trial in alone}) == 4


@pytest.mark.slow
def test_static_choice_compiles_each_program(
    config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path
) -> None:
    space = {"training.batch_size": {"choices": [4, 12]}, "training.epochs": {"choices": [1, 2]}}
    config = config.replace_values({"study.space": space, "study.cohort": 8, "study.trials": 8})
    before = len(timing.COMPILE_SECONDS)
    found = study.run_trials(config, shape, data, tmp_path, []).trials
    assert [trial.epochs for trial in found] == [trial.outcome.values["training.epochs"] for trial in found]
    made = {tuple(trial.outcome.values.values()) for trial in found}
    assert 2 < len(made) == len(timing.COMPILE_SECONDS) - before


def test_infeasible_trial_cannot_win(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    free = study.run_trials(config, shape, data, tmp_path / "free", []).trials
    best = trials.rank_trials(config, free)[0].outcome
    at = int(np.argmin(list_reached_values(free[best.number].lanes[0].result.curves["mae"])))
    rmse = list_reached_values(free[best.number].lanes[0].result.curves["rmse"])[at]
    limited = config.replace_values({"study.constraints": {"rmse": {"low": rmse + 1e-6}}})
    found = study.run_trials(limited, shape, data, tmp_path / "limited", []).trials
    assert found[best.number].state == "infeasible"
    assert found[best.number].outcome.violations["rmse"] == pytest.approx(1e-6, rel=0.2)
    assert best.number not in [trial.outcome.number for trial in trials.rank_trials(limited, found)]


def test_stopped_study_can_go_on(config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path) -> None:
    short = config.replace_values({"study.stop": {"epochs": 12}, "study.trials": 16})
    stopped = study.run_trials(short, shape, data, tmp_path, [])
    assert len(stopped.trials) == 4
    assert stopped.stop_reason == {"cohort": 1, "reason": "epochs", "limit": 12, "reached": 12}
    longer = study.run_trials(config.replace_values({"study.trials": 16}), shape, data, tmp_path, [])
    assert (len(longer.trials), longer.stop_reason) == (16, None)
    assert format_csv(config, longer.trials[:4]) == format_csv(config, stopped.trials)
    timed = study.run_trials(
        config.replace_values({"study.stop": {"seconds": 1e-9}}), shape, data, tmp_path / "timed", []
    )
    assert (timed.trials, timed.stop_reason) == ([], {"cohort": 0, "reason": "seconds", "limit": 1e-9})
    assert Journal(tmp_path / "timed").stops == [(0, {"reason": "seconds", "limit": 1e-9})]


def test_brackets_follow_params(config: Config) -> None:
    pruned = config.replace_values(
        {**PRUNING, "training.epochs": 16, "study.prune": {"first": 2, "eta": 2, "brackets": 2}}
    )
    assert study.build_rules(pruned).brackets == ((2, 4, 8, 16), (4, 8, 16))
    restarts = pruned.replace_values({"schedule": {"kind": "restarts", "period": 3.0, "warmup": 1.0}})
    assert study.build_rules(restarts).brackets == ((4, 7, 16), (7, 16))
    searched = restarts.replace_values({"study.space": {"schedule.period": {"low": 2.0, "high": 5.0}}})
    assert study.build_rules(searched).brackets == ((2, 4, 8, 16), (4, 8, 16))
    lengths = pruned.replace_values({"study.space": {"training.epochs": {"choices": [8, 32]}}})
    assert study.build_rules(lengths).brackets[0] == (2, 4, 8, 16, 32)
    assert study.build_rules(config).brackets == ((3,),)


def test_impossible_programs_fail_first(
    config: Config, shape: DataSpec, data: TrainingData, tmp_path: Path, trained_steps: list[int]
) -> None:
    sizes = {"training.batch_size": {"choices": [8, 100, 200]}}
    wrong = config.replace_values({"study.space": config.study.model_dump()["space"] | sizes})
    with pytest.raises(UserError) as told:
        study.run_trials(wrong, shape, data, tmp_path, [])
    first, second = str(told.value).splitlines()
    assert first.startswith("training.batch_size 100: training.batch_size: 100 is more than the 24 training examples")
    assert second.startswith("training.batch_size 200: ")
    assert trained_steps == []
