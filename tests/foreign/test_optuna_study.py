"""What is read from Optuna's storages."""

import math
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from tests.helpers.foreign_studies import SPACE, build_trial, draw_trials, store_study
from thalweg.foreign.optuna_study import RUNS, read_study
from thalweg.foreign.study import ForeignRun, Objective
from thalweg.system.files import UserError

PARAMS = {"lr": 0.1, "depth": 2, "kind": "a"}


def test_trials_keep_what_optuna_has(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    pruned = build_trial(PARAMS, state=TrialState.PRUNED, intermediate_values={0: 2.0, 10: math.nan, 20: 1.5})
    trials = [build_trial(PARAMS, 0.25, user_attrs={"seed": 7}), pruned, build_trial({}), build_trial(PARAMS, math.inf)]
    study = store_study(url, trials, directions=["maximize"], metrics=["accuracy"])
    study.ask()
    study.enqueue_trial({"lr": 0.1})
    read = read_study(url, "theirs")
    assert read.objectives == (Objective("accuracy", "max"),)
    assert [trial.state for trial in read.trials] == ["complete", "pruned", "failed", "failed", "running", "waiting"]
    assert (read.trials[0].values, read.trials[0].params, read.trials[0].seed) == ((0.25,), PARAMS, 7)
    assert read.trials[1].curve == {0: 2.0, 20: 1.5}
    assert read.trials[3].values == ()


def test_space_covers_all_ranges_of_a_parameter(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    wide = {**SPACE, "lr": FloatDistribution(1e-6, 0.5, log=True), "depth": IntDistribution(3, 3)}
    trials = [build_trial(PARAMS, 1.0), build_trial({"lr": 0.1, "depth": 3, "kind": "b"}, 1.0, space=wide)]
    rate, depth, kind = (store_study(url, trials), read_study(url, None).space)[1]
    assert (rate.low, rate.high, rate.log, rate.whole) == (1e-6, 1.0, True, False)
    assert (depth.low, depth.high, depth.whole) == (1, 8, True)
    assert kind.choices == ("a", "b", "c")


def test_odd_choices_have_names(tmp_path: Path) -> None:
    url, space = (
        f"sqlite:///{tmp_path}/a.db",
        {"x": CategoricalDistribution([None, True, 8]), "k": IntDistribution(4, 4)},
    )
    store_study(url, [build_trial({"x": None, "k": 4}, 1.0, space=space)])
    read = read_study(url, None)
    assert [parameter.choices for parameter in read.space] == [("None", True, 8), (4,)]
    assert read.trials[0].params == {"x": "None", "k": 4}


def test_steps_of_a_range_are_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    kinds = {"a": IntDistribution(16, 64, step=16), "b": FloatDistribution(0, 1, step=0.25), "c": IntDistribution(1, 9)}
    other = {**kinds, "b": FloatDistribution(0.1, 1.1, step=0.25)}
    params = {"a": 32, "b": 0.5, "c": 2}
    store_study(url, [build_trial(params, 1.0, space=kinds)], "one")
    assert [each.step for each in read_study(url, "one").space] == [16, 0.25, None]
    store_study(
        url, [build_trial({**params, "b": 0.6}, 1.0, space=other), build_trial(params, 1.0, space=kinds)], "two"
    )
    assert [each.step for each in read_study(url, "two").space] == [16, None, None]


def test_the_choice_none_is_not_the_text(tmp_path: Path) -> None:
    url, space = f"sqlite:///{tmp_path}/a.db", {"x": CategoricalDistribution([None, "None"])}
    store_study(url, [build_trial({"x": choice}, 1.0, space=space) for choice in (None, "None")])
    read = read_study(url, None)
    assert (read.space[0].choices, read.space[0].literals) == (("null", "None"), {"null": "None"})
    assert [trial.params["x"] for trial in read.trials] == ["null", "None"]


def test_objectives_without_names_have_those_of_optuna(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    store_study(url, [build_trial(PARAMS, 1.0, 2.0)], directions=["minimize", "maximize"])
    assert read_study(url, None).objectives == (Objective("values_0", "min"), Objective("values_1", "max"))


def test_broken_constraint_is_infeasible(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    limits = [{"constraints": (-1.0, 0.5)}, {"constraints": (-1.0, 0.0)}, {"constraints:size": 0.1}]
    store_study(url, [build_trial(PARAMS, 1.0, system_attrs=limit) for limit in limits])
    assert [trial.state for trial in read_study(url, None).trials] == ["infeasible", "complete", "infeasible"]


def test_wrong_name_lists_the_studies(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    for name in ("first", "second"):
        store_study(url, draw_trials(1), name)
    with pytest.raises(UserError, match=r"has no study 'third'. There are 'first' and 'second'"):
        read_study(url, "third")
    with pytest.raises(UserError, match=r"has 2 studies: name one with --study. There are 'first' and 'second'"):
        read_study(url, None)
    assert read_study(url, "second").name == "second"


def test_runs_on_fresh_seeds_are_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    study = store_study(url, draw_trials(2))
    rows = [{"candidate": "winner", "trial": 1, "seed": 5, "value": 0.5}]
    rows += [{"candidate": "baseline", "trial": None, "seed": 5, "value": None}]
    study.set_user_attr(RUNS, rows)
    runs = (ForeignRun("winner", 1, 5, 0.5), ForeignRun("baseline", None, 5, None))
    assert read_study(url, None).runs == runs
    study.set_user_attr(RUNS, [{"candidate": "winner", "seed": 5}])
    with pytest.raises(UserError, match="has an entry that cannot be read"):
        read_study(url, None)
