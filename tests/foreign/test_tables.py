"""The tables of the report, from a study in neutral form."""

import math
from typing import Any

import numpy as np
import pytest

from thalweg.foreign.study import ForeignRun, ForeignStudy, ForeignTrial, Objective
from thalweg.foreign.tables import build_tables
from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

LOSS = Objective("loss", "min")


def build_study(*trials: ForeignTrial, **changes: Any) -> ForeignStudy:
    parts: dict[str, Any] = {"objectives": (LOSS,), "space": (SearchedParameter("x", 0.0, 1.0),), "trials": trials}
    return ForeignStudy(**{"name": "theirs", "source": "here", **parts, **changes})


def complete(number: int, x: float, value: float, seed: Any = None) -> ForeignTrial:
    return ForeignTrial(number, "complete", (value,), {"x": x}, seed)


def test_states_and_values_have_their_columns() -> None:
    stopped = ForeignTrial(1, "pruned", (), {"x": 0.2}, None, {0: 3.0, 5: 1.0, 10: 2.0})
    failed, running = ForeignTrial(2, "failed", (), {}), ForeignTrial(3, "running", (), {"x": 0.1})
    tables = build_tables(build_study(complete(0, 0.5, 0.25), stopped, failed, running))
    assert tables.trials["number"].tolist() == [0, 1, 2]
    assert tables.trials["state"].tolist() == ["complete", "pruned", "diverged"]
    assert tables.trials["value"].tolist()[:2] == [0.25, 1.0]  # the best so far
    assert tables.trials["pruned_at"].tolist()[1] == 10
    assert tables.trials["epochs"].tolist() == [0, 3, 0]
    assert math.isnan(tables.trials["x"][2])
    assert tables.curves[["trial", "epoch", "loss"]].to_numpy().tolist() == [[1, 0, 3], [1, 5, 1], [1, 10, 2]]
    assert (tables.summary.study.trials, tables.provenance["running"]) == (3, 1)


def test_best_value_of_a_stopped_trial_follows_the_direction() -> None:
    stopped = ForeignTrial(0, "pruned", (), {"x": 0.2}, None, {0: 3.0, 5: 1.0})
    assert build_tables(build_study(stopped, objectives=(Objective("gain", "max"),))).trials["value"].tolist() == [3.0]


def test_names_of_columns_are_not_taken_twice() -> None:
    space = tuple(SearchedParameter(name, 0.0, 1.0) for name in ("epochs", "value", "loss", "x", "state"))
    trial = ForeignTrial(0, "complete", (1.0, 2.0, 3.0), {name.name: 0.5 for name in space})
    objectives = (LOSS, Objective("number", "max"), Objective("size", "min"))
    tables = build_tables(build_study(trial, space=space, objectives=objectives))
    names = [parameter.name for parameter in tables.parameters]
    assert names == ["params_epochs", "params_value", "params_loss", "x", "params_state"]
    assert tables.own_names == {name: name.removeprefix("params_") for name in names if name != "x"}
    row = tables.trials.iloc[0]
    assert (row["value"], row["values_1"], row["size"]) == (1.0, 2.0, 3.0)
    assert tables.metric_directions == {"loss": "min", "values_1": "max", "size": "min"}


def test_longer_names_are_not_taken_either() -> None:
    space = tuple(SearchedParameter(name, 0.0, 1.0) for name in ("params_value", "value", "", "params_"))
    tables = build_tables(
        build_study(ForeignTrial(0, "complete", (1.0,), dict.fromkeys(("value", ""), 0.5)), space=space)
    )
    assert [each.name for each in tables.parameters] == ["params_value", "params_value_", "params__", "params_"]
    assert tables.own_names == {"params_value_": "value", "params__": ""}


@pytest.mark.parametrize("name", ["trial", "epoch", "seed", "fold", "state", "rank", "epochs", "val_loss"])
def test_objective_may_have_the_name_of_a_column(name: str) -> None:
    trials = [ForeignTrial(i, "complete", (i / 10,), {"x": i / 30}, None, {1: 3.0, 2: i / 10}) for i in range(30)]
    tables = build_tables(build_study(*trials, objectives=(Objective(name, "min"),)))
    assert (tables.objective, tables.objective_label) == ("value", name)
    assert tables.curves["epoch"].tolist() == [1, 2] * 30
    several = build_tables(build_study(objectives=(Objective(name, "min"), Objective("values_0", "max"))))
    assert list(several.metric_directions) == ["values_0_", "values_0"]


def test_repeats_give_the_noise() -> None:
    """Three settings with two runs each: differences of 2, 4 and 6, so the pooled variance is (2 + 8 + 18) / 3."""
    values = [[0.0, 2.0], [10.0, 14.0], [20.0, 26.0]]
    trials = [complete(2 * i + k, 0.1 * i, value) for i, pair in enumerate(values) for k, value in enumerate(pair)]
    tables = build_tables(build_study(*trials))
    assert tables.trials["value"].tolist() == [1.0, 12.0, 23.0]
    assert (tables.repeat_count, tables.seeds_per_trial) == (3, 2)
    noise = estimate_seed_noise(tables)
    assert noise is not None
    assert noise.std == pytest.approx(math.sqrt(28 / 3 / 2))
    assert (noise.dof, noise.excludes_shared) == (3, False)


def test_noise_is_that_of_the_better_settings() -> None:
    """The better four settings have pairs that differ by 1, so a variance of 0.5; the others differ by 100."""
    pairs = [(i, i + (1.0 if i < 4 else 100.0)) for i in range(8)]
    trials = [complete(2 * i + k, 0.1 * i, value) for i, pair in enumerate(pairs) for k, value in enumerate(pair)]
    noise = estimate_seed_noise(build_tables(build_study(*trials)))
    assert noise is not None
    assert noise.std == pytest.approx(math.sqrt(0.5 / 2))
    assert noise.dof == 4


def test_common_seeds_leave_their_own_effect_out() -> None:
    """A seed that shifts all settings alike changes no order: nothing is left of it."""
    trials = [complete(3 * i + seed, 0.1 * i, i + 10.0 * seed, seed) for i in range(3) for seed in range(3)]
    noise = estimate_seed_noise(build_tables(build_study(*trials)))
    assert noise is not None
    assert noise.std == pytest.approx(0.0, abs=1e-12)
    assert noise.excludes_shared


def test_copies_give_no_noise() -> None:
    trials = [complete(number, 0.5, 1.0) for number in range(5)]
    assert estimate_seed_noise(build_tables(build_study(*trials))) is None


def draw_confirmed(rng: np.random.Generator, **changes: Any) -> StudyTables:
    runs = [ForeignRun("winner", 1, seed, float(rng.normal())) for seed in range(8)]
    runs += [ForeignRun("baseline", None, seed, 5 + float(rng.normal())) for seed in range(8)]
    return build_tables(build_study(complete(0, 0.1, 1.0), complete(1, 0.2, 0.5), runs=tuple(runs), **changes))


def test_runs_on_fresh_seeds_confirm() -> None:
    tables = draw_confirmed(np.random.default_rng(0))
    assert tables.summary.confirm is not None
    assert tables.summary.confirm.difference.high < 0
    assert (tables.winner, tables.split) == (1, "test")


def test_runs_name_the_setting_of_a_repeat() -> None:
    trials = (complete(0, 0.1, 1.0), complete(1, 0.1, 2.0), complete(2, 0.3, 3.0))
    runs = (ForeignRun("winner", 1, 5, 0.5), ForeignRun("runner-up 1", 99, 5, 0.1))
    tables = build_tables(build_study(*trials, runs=runs))
    assert tables.runs[["candidate", "trial"]].to_numpy().tolist() == [["winner", 0]]


@pytest.mark.parametrize("trials", [(), (ForeignTrial(0, "running", (), {"x": 0.5}),)])
def test_study_without_an_ended_trial_has_empty_tables(trials: tuple[ForeignTrial, ...]) -> None:
    tables = build_tables(build_study(*trials, runs=(ForeignRun("winner", 0, 1, 2.0),)))
    assert tables.trials.empty
    assert tables.runs.empty
