"""What a trial is worth: the mean of its lanes' curves, its best validation, its limits."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.config.experiment import Config
from thalweg.config.study import ConstraintConfig
from thalweg.core.types import DataSpec
from thalweg.data.splits import Splits
from thalweg.engine import results
from thalweg.engine.results import LaneResult, TrainedLane
from thalweg.search import trials
from thalweg.search.cohorts import Score
from thalweg.search.trials import Outcome, Trial, TrialScorer
from thalweg.training.plan import TrainingData

MEAN: Any = pytest.approx((16 * 3 + 12 * 1) / 28)
JUDGE = TrialScorer(("mae",), (1,), {}, 2, np.array([16.0, 12.0, 8.0]))


def build_lane(
    values: Sequence[float | None], diverged_step: int | None = None, ended: bool = True, **more: Any
) -> LaneResult:
    """A lane validated every two epochs of eight."""
    curves = {name: [*each, *[None] * (4 - len(each))] for name, each in ({"mae": values} | more).items()}
    return LaneResult(curves, 2 * len(values), diverged_step, ended)


def test_mean_curve_weights_folds_and_extends_stopped_lanes() -> None:
    lanes = (TrainedLane(1, 0, build_lane([8.0, 4.0, 2.0, 1.0])), TrainedLane(1, 1, build_lane([4.0, 6.0])))
    wanted = (16 * np.array([8, 4, 2, 1]) + 12 * np.array([4, 6, 6, 6])) / 28
    np.testing.assert_allclose(JUDGE.mean_curve(lanes, "mae"), wanted)
    trial = JUDGE.build_trial(3, {}, lanes, None)
    # each lane keeps the weights of its own best validation
    assert trial.outcome.scores == pytest.approx(((16 * 1 + 12 * 4) / 28,))
    assert trial.outcome.intermediate == {2: pytest.approx(wanted[0]), 4: pytest.approx(wanted[1]),
                                          6: pytest.approx(wanted[2]), 8: pytest.approx(wanted[3])}  # fmt: skip
    assert (trial.state, trial.epochs, trial.epochs_spent) == ("complete", 8, 12)


def test_diverged_lane_ends_mean_and_trial() -> None:
    lanes = (
        TrainedLane(1, 0, build_lane([8.0, 4.0, 2.0, 1.0])),
        TrainedLane(1, 2, build_lane([4.0, None], diverged_step=9)),
    )
    np.testing.assert_allclose(JUDGE.mean_curve(lanes, "mae"), [(16 * 8 + 8 * 4) / 24, np.nan, np.nan, np.nan])
    trial = JUDGE.build_trial(0, {}, lanes, None)
    assert (trial.state, trial.outcome.value, trial.diverged_step) == ("diverged", None, 9)
    assert trial.outcome.intermediate == {2: pytest.approx(20 / 3)}
    assert JUDGE.score_rung(lanes, 8) is None


def test_rung_ignores_later_values() -> None:
    """Played again, a lane's whole future lies in the journal: it must decide nothing at an earlier rung."""
    later = (TrainedLane(1, 0, build_lane([3.0, 2.0, 9.0, 1.0])),)
    assert JUDGE.score_rung(later, 2) == Score((3.0,))
    assert JUDGE.score_rung(later, 6) == Score((2.0,))  # the best so far
    burst = (TrainedLane(1, 0, build_lane([3.0, 2.0, None], diverged_step=40)),)
    assert JUDGE.score_rung(burst, 4) == Score((2.0,))
    assert JUDGE.score_rung(burst, 6) is None
    patient = (TrainedLane(1, 0, build_lane([3.0])), TrainedLane(1, 1, build_lane([1.0, 5.0, 5.0])))
    assert JUDGE.score_rung(patient, 4) == Score((MEAN,))


def test_non_finite_metric_diverges() -> None:
    judge = replace(JUDGE, objectives=("mae", "rmse"), signs=(1, 1), constraints={"bias": ConstraintConfig(high=5.0)})
    fine = (TrainedLane(1, 0, build_lane([3.0, 1.0], rmse=[4.0, 2.0], bias=[0.0, 0.0])),)
    assert judge.score_rung(fine, 8) == Score((1.0, 2.0))
    curves: dict[str, Any] = {"rmse": [4.0, 2.0], "bias": [0.0, 0.0]}
    for spoilt in ({"rmse": [4.0, None]}, {"bias": [0.0, None]}):
        lanes = (TrainedLane(1, 0, build_lane([3.0, 1.0], **(curves | spoilt))),)
        assert judge.score_rung(lanes, 8) is None
        trial = judge.build_trial(0, {}, lanes, None)
        assert (trial.state, trial.diverged_step) == ("diverged", None)


def test_finished_loser_is_complete() -> None:
    short = JUDGE.build_trial(4, {}, (TrainedLane(1, 0, build_lane([3.0, 2.0])),), 4)
    assert (short.state, short.pruned_at, short.outcome.scores) == ("complete", None, (2.0,))


def test_pruned_value_differs_from_audit() -> None:
    watched = JUDGE.build_trial(4, {}, (TrainedLane(1, 0, build_lane([3.0, 2.0, 9.0, 1.0])),), 4)
    assert (watched.state, watched.outcome.scores, watched.pruned_at, watched.audit) == ("pruned", (2.0,), 4, 1.0)
    assert watched.outcome.intermediate == {2: 3.0, 4: 2.0}
    plain = JUDGE.build_trial(4, {}, (TrainedLane(1, 0, build_lane([3.0, 2.0], ended=False)),), 4)
    assert (plain.outcome, plain.audit) == (watched.outcome, None)
    burst = JUDGE.build_trial(4, {}, (TrainedLane(1, 0, build_lane([3.0, 2.0, None], diverged_step=40)),), 4)
    assert (burst.outcome, burst.audit, burst.diverged_step) == (watched.outcome, None, None)


def test_infeasible_audit_is_none() -> None:
    judge = replace(JUDGE, constraints={"bias": ConstraintConfig(high=0.5)})
    for bias, audit in ((0.25, 1.0), (0.75, None)):
        lanes = (TrainedLane(1, 0, build_lane([3.0, 2.0, 9.0, 1.0], bias=[0.0, 0.0, 0.0, bias])),)
        assert judge.build_trial(4, {}, lanes, 4).audit == audit


def test_maximized_scores_are_negated() -> None:
    judge = replace(JUDGE, objectives=("exact", "mae"), signs=(-1, 1))
    lanes = (TrainedLane(1, 0, build_lane([3.0, 1.0, 2.0, 2.0], exact=[0.2, 0.3, 0.6, 0.1])),)
    assert judge.build_trial(0, {}, lanes, None).outcome.scores == (0.6, 2.0)  # both at the best of the first
    assert judge.score_rung(lanes, 8) == Score((-0.6, 2.0))


def test_constraints_at_best_validation() -> None:
    judge = replace(
        JUDGE, constraints={"bias": ConstraintConfig(low=-1.0, high=0.5), "exact": ConstraintConfig(low=0.5)}
    )
    lanes = (
        TrainedLane(1, 0, build_lane([3.0, 1.0, 2.0, 2.0], bias=[0.0, 0.75, 0.0, 0.0], exact=[0.9, 0.25, 0.9, 0.9])),
    )
    trial = judge.build_trial(0, {}, lanes, None)
    assert trial.outcome.violations == {"bias": 0.25, "exact": 0.25}
    assert (trial.state, trial.outcome.state, trial.outcome.is_feasible) == ("infeasible", "complete", False)
    assert judge.score_rung(lanes, 8) == Score((1.0,), 0.5)
    assert judge.score_rung(lanes, 2) == Score((3.0,))


@pytest.mark.parametrize(("objective", "best"), [("mae", [3, 1, 4, 0]), ("exact", [0, 4, 1, 3])])
def test_complete_trials_rank_by_value(objective: str, best: list[int], config: Config) -> None:
    values = [0.5, 0.2, None, 0.1, 0.5 if objective == "exact" else 0.2]
    finished = [
        Trial(Outcome(n, {}, "diverged" if value is None else "complete", () if value is None else (value,)), ())
        for n, value in enumerate(values)
    ]
    finished.append(Trial(Outcome(5, {}, "pruned", (0.3,)), (), 4))
    finished.append(Trial(Outcome(6, {}, "complete", (0.3,), {}, {"bias": 0.1}), ()))
    ranked = trials.rank_trials(config.replace_values({"study.objective": objective}), finished)
    assert [trial.outcome.number for trial in ranked] == best


def test_front_is_complete_and_feasible(config: Config) -> None:
    judge = trials.build_scorer(config.replace_values({"study.objective": "mae", "study.also": ["exact"]}), np.ones(1))
    assert (judge.objectives, judge.signs) == (("mae", "exact"), (1, -1))
    table: list[tuple[Any, Any, dict[str, float]]] = [
        ((1.0, 0.5), "complete", {}),
        ((2.0, 0.9), "complete", {}),
        ((2.0, 0.4), "complete", {}),
        ((0.1, 0.99), "pruned", {}),
        ((0.1, 0.99), "complete", {"bias": 1.0}),
        ((), "diverged", {}),
    ]
    finished = [Trial(Outcome(n, {}, state, scores, {}, limits), ()) for n, (scores, state, limits) in enumerate(table)]
    assert trials.find_front_trials(judge, finished) == (0, 1)


def test_judge_follows_params(config: Config) -> None:
    values = {
        "study.objective": "exact",
        "study.constraints": {"bias": {"low": -1.0, "high": 1.0}},
        "training.epochs": 6,
        "training.validate_every": 3,
    }
    judge = trials.build_scorer(config.replace_values(values), np.array([3.0]))
    assert (judge.objectives, judge.signs, judge.constraints, judge.validate_every) == (
        ("exact",),
        (-1,),
        {"bias": ConstraintConfig(low=-1.0, high=1.0)},
        3,
    )


def test_lane_result_matches_state(
    config: Config, data_spec: DataSpec, splits: Splits, compose_data: Callable[[Config, Splits], TrainingData]
) -> None:
    from thalweg.engine import population
    from thalweg.training import build

    data = compose_data(config, splits)
    plan = build.build_plan(config, data_spec, data, searched=True)
    state = population.init_lane(plan, build.build_hyper(config), 1, 0)
    assert results.build_lane_result(plan, state).epochs == 0
    assert not results.build_lane_result(plan, state).ended
    noted = jnp.tile(jnp.array([[0.5], [np.nan], [np.inf]]), state.curves.shape[1])
    stopped = replace(state, step=jnp.int32(2 * plan.steps_per_epoch), diverged_step=jnp.int32(4), curves=noted)
    result = results.build_lane_result(plan, stopped)
    assert (result.epochs, result.diverged_step, result.ended) == (2, 4, True)
    assert result.curves["mae"] == [0.5, None, None]
