import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import keys, tables
from pipeline.core import compiles
from pipeline.io import UserError
from pipeline.search import storage, study
from pipeline.search.samplers import Outcome
from pipeline.search.study import Trial


class Count:
    """A listener that counts lanes and cohorts, and ends the run as a kill would after so many lanes."""

    def __init__(self, last=None):
        self.lanes, self.cohorts, self.last = [], [], last

    def began(self, alive):
        pass

    def lane(self, trials, alive):
        self.lanes.append((trials, alive))
        if len(self.lanes) == self.last:
            raise KeyboardInterrupt

    def cohort(self, trials):
        self.cohorts.append(len(trials))


@pytest.fixture(scope="module")
def data(config, parts, compose_data):
    return compose_data(config, parts)


def csv(config, trials):
    lanes = [(trial.outcome.number, *lane) for trial in trials for lane in trial.lanes]
    return tables.trials(config, trials).to_csv() + tables.curves(config, lanes).to_csv()


@pytest.fixture(scope="module")
def whole(config, shape, data, tmp_path_factory):
    """The study run once without a stop: its folder, trials, listener."""
    folder, listener = tmp_path_factory.mktemp("study"), Count()
    return folder, study.run(config, shape, data, folder, [listener]), listener


def test_a_study_has_every_trial_in_order_and_tells_of_each(whole):
    _, trials, listener = whole
    assert [trial.outcome.number for trial in trials] == list(range(8))
    assert all(trial.outcome.value is not None and trial.epochs == 3 for trial in trials)
    assert len({tuple(trial.outcome.values.values()) for trial in trials}) == 8
    assert trials[0].outcome.values == {"optimizer.learning_rate": 0.01, "optimizer.momentum": 0.5}
    assert listener.lanes == [(1, 3), (2, 2), (3, 1), (4, 0)] * 2
    assert listener.cohorts == [4, 8]


def test_a_trials_value_is_the_best_of_its_curve(whole):
    for trial in whole[1]:
        ((_, _, result),) = trial.lanes
        assert trial.outcome.intermediate == dict(enumerate(result["curves"]["mae"], 1))
        assert trial.outcome.value == min(result["curves"]["mae"])


def test_run_again_it_gives_the_same_and_trains_nothing(whole, config, shape, data):
    listener, before = Count(), len(compiles.SECONDS)
    again = study.run(config, shape, data, whole[0], [listener])
    assert csv(config, again) == csv(config, whole[1])
    assert listener.lanes == []
    assert listener.cohorts == [4, 8]
    assert len(compiles.SECONDS) == before


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("stops", [[1], [3, 2], [4], [5, 1, 1]])
def test_stopped_and_gone_on_with_it_gives_the_same_table(stops, sampler, config, shape, data, tmp_path):
    config = config.replace({"study.sampler": sampler})
    wanted = study.run(config, shape, data, tmp_path / "whole", [])
    for last in stops:
        with pytest.raises(KeyboardInterrupt):
            study.run(config, shape, data, tmp_path / "stopped", [Count(last)])
    rest = Count()
    assert csv(config, study.run(config, shape, data, tmp_path / "stopped", [rest])) == csv(config, wanted)
    assert len(rest.lanes) == 8 - sum(stops)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_four_trials_and_then_eight_are_eight_at_once(sampler, config, shape, data, tmp_path):
    config = config.replace({"study.sampler": sampler})
    half = study.run(config.replace({"study.trials": 4}), shape, data, tmp_path / "grown", [])
    grown = study.run(config, shape, data, tmp_path / "grown", [])
    assert csv(config, grown) == csv(config, study.run(config, shape, data, tmp_path / "whole", []))
    assert csv(config, grown[:4]) == csv(config, half)


SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import pipeline, conftest
import numpy as np
from pipeline import compose
from pipeline.search import study
examples, parts = conftest.examples.__wrapped__(), conftest.parts.__wrapped__()

class Killer:
    lanes = 0
    def began(self, alive): pass
    def lane(self, trials, alive):
        self.lanes += 1
        if self.lanes == 6:
            os.kill(os.getpid(), signal.SIGKILL)
    def cohort(self, trials): pass

data = compose.data(conftest.CONFIG, examples, parts, np.zeros(0, np.int64))
study.run(conftest.CONFIG, compose.spec(examples), data, Path(sys.argv[2]), [Killer()])
"""


def test_killed_as_a_process_it_goes_on_with_what_is_missing(whole, config, shape, data, tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path)]
    assert subprocess.run(command, env=os.environ, check=False).returncode == -signal.SIGKILL
    rest = Count()
    assert csv(config, study.run(config, shape, data, tmp_path, [rest])) == csv(config, whole[1])
    assert len(rest.lanes) == 2


def test_a_trial_that_diverges_has_no_value_and_stops_nothing(config, shape, data, tmp_path):
    wild = config.replace(
        {"study.space": {"optimizer.learning_rate": {"choices": [0.01, 1e30]}}, "study.cohort": 2, "study.trials": 4}
    )
    trials = study.run(wild, shape, data, tmp_path, [])
    bad = [trial for trial in trials if trial.outcome.values["optimizer.learning_rate"] == 1e30]
    assert 0 < len(bad) < 4
    table = tables.trials(wild, trials).set_index("number")
    for trial in trials:
        diverged = trial in bad
        assert (trial.outcome.value is None) == (trial.diverged_step is not None) == diverged
        assert table["state"][trial.outcome.number] == ("diverged" if diverged else "complete")
    assert [trial.outcome.number for trial in study.ranked(wild, trials)] == [
        trial.outcome.number for trial in trials if trial not in bad
    ]


def test_each_trial_trains_every_seed_on_every_fold_and_counts_each_fold_by_its_size(
    config, shape, folded, compose_data, tmp_path
):
    config = config.replace({"study.seeds": 2, "study.trials": 2, "study.cohort": 2})
    host = compose_data(config, folded)
    trials = study.run(config, shape, host, tmp_path, [])
    wanted = study.lanes(config, "study", 2, 3)
    assert wanted[:4] == [(keys.number(3, "study", s), f) for s, f in [(0, 0), (0, 1), (0, 2), (1, 0)]]
    for trial in trials:
        assert sorted(wanted) == [(seed, fold) for seed, fold, _ in trial.lanes]
        curves = np.array([one["curves"]["mae"] for *_, one in trial.lanes])
        weights = [[16, 12, 8][fold] for _, fold, _ in trial.lanes]
        mean = np.average(curves, axis=0, weights=weights)
        np.testing.assert_allclose(list(trial.outcome.intermediate.values()), mean, rtol=1e-12)
        assert trial.outcome.value == pytest.approx(mean.min(), rel=1e-12)
    assert len(list((tmp_path / "lanes").iterdir())) == 12


def lane(values, bad_step=None):
    padded = [*values, *[None] * (4 - len(values))]
    return {"curves": {"mae": padded}, "epochs": 2 * len(values), "bad_step": bad_step}


def test_the_mean_curve_goes_on_with_the_last_value_of_a_lane_that_lost_patience(config, folded, compose_data):
    every_two = config.replace({"training": {"epochs": 8, "batch_size": 8, "validate_every": 2, "patience": 1}})
    ended = [(1, 0, lane([8.0, 4.0, 2.0, 1.0])), (1, 1, lane([4.0, 6.0]))]
    curve = study.mean_curve(every_two, compose_data(config, folded), ended)
    wanted = (16 * np.array([8, 4, 2, 1]) + 12 * np.array([4, 6, 6, 6])) / 28
    np.testing.assert_allclose(curve, wanted)


def test_the_mean_curve_of_a_lane_that_diverged_ends_there(config, folded, compose_data):
    ended = [(1, 0, lane([8.0, 4.0, 2.0, 1.0])), (1, 2, lane([4.0, None], bad_step=9))]
    every_two = config.replace({"training": {"epochs": 8, "batch_size": 8, "validate_every": 2}})
    curve = study.mean_curve(every_two, compose_data(config, folded), ended)
    np.testing.assert_allclose(curve, [(16 * 8 + 8 * 4) / 24, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(("objective", "best"), [("mae", [3, 1, 4, 0]), ("exact", [0, 4, 1, 3])])
def test_trials_rank_by_value_then_by_number_and_the_diverged_not_at_all(objective, best, config):
    values = [0.5, 0.2, None, 0.1, 0.5 if objective == "exact" else 0.2]
    trials = [Trial(Outcome(n, {}, value, {}), ()) for n, value in enumerate(values)]
    assert [t.outcome.number for t in study.ranked(config.replace({"study.objective": objective}), trials)] == best


def test_a_choice_that_shapes_the_program_trains_each_program_by_itself(config, shape, data, tmp_path):
    space = {"training.batch_size": {"choices": [4, 12]}}
    config = config.replace({"study.space": space, "study.cohort": 4, "study.trials": 4, "training.epochs": 1})
    trials = study.run(config, shape, data, tmp_path, [])
    for trial in trials:
        ((seed, fold, result),) = trial.lanes
        name = storage.lane_name(trial.outcome.values, seed, fold)
        assert storage.read_lane(tmp_path, name) == result
    assert {trial.outcome.values["training.batch_size"] for trial in trials} == {4, 12}


def test_programs_that_cannot_be_are_all_named_before_any_trains(config, shape, data, tmp_path):
    sizes = {"training.batch_size": {"choices": [8, 100, 200]}}
    wrong = config.replace({"study.space": config.study.model_dump()["space"] | sizes})
    listener = Count()
    with pytest.raises(UserError) as told:
        study.run(wrong, shape, data, tmp_path, [listener])
    first, second = str(told.value).splitlines()
    assert first.startswith("training.batch_size 100: training.batch_size: 100 is more than the 24 examples")
    assert second.startswith("training.batch_size 200: ")
    assert listener.lanes == []
