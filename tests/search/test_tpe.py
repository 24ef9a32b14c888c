"""TPE with a history that is read once proposes what Optuna's own sampler does."""

import math
import warnings
from typing import Any

import optuna
import pytest
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState

from thalweg.config.experiment import Config
from thalweg.core import rng
from thalweg.search import tpe
from thalweg.search.samplers import OptunaSampler
from thalweg.search.trials import Outcome

RATE, KIND, DELTA = "optimizer.learning_rate", "loss.terms.count.kind", "loss.terms.count.delta"
MOMENTUM, EVERY = "optimizer.momentum", "schedule.every"
RATES = {RATE: {"low": 1e-4, "high": 1.0, "log": True}, MOMENTUM: {"low": 0.0, "high": 0.9}}
CONDITIONAL = {
    **RATES,
    KIND: {"choices": ["l1", "huber"]},
    DELTA: {"low": 0.1, "high": 2.0, "when": {KIND: "huber"}},
    EVERY: {"low": 1, "high": 8, "whole": True},
}
COHORT = 5


class ReferenceSampler(OptunaSampler):
    """The sampler with Optuna's own TPE, made anew for each trial."""

    def _build_sampler(self, number: int) -> BaseSampler:
        seed = rng.derive_seed(self._config.seed, "sampler", number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(
                n_startup_trials=10, n_ei_candidates=24, multivariate=True, group=True, constant_liar=True, seed=seed
            )


def build_outcome(number: int, values: dict[str, Any], objectives: int) -> Outcome:
    """Trials complete, are pruned, diverge, lose a rung, or break a limit, in turn."""
    cost = abs(math.log10(values[RATE]) + 2) + (values.get(KIND) == "l1") + values[MOMENTUM] + values.get(DELTA, 0)
    scores, curve = (cost, -cost)[:objectives], {1: 9.0, 2: cost}
    if number % 5 == 3:
        return Outcome(number, values, "diverged")
    if number % 7 == 6:
        return Outcome(number, values, "pruned", scores, curve, lost_rung=1 + number % 2)
    if number % 4 == 1:
        return Outcome(number, values, "complete", scores, curve, {"bias": values[MOMENTUM] - 0.3})
    return Outcome(number, values, "complete", scores, curve, lost_rung=2 if number % 11 == 4 else None)


def run_cohorts(sampler: OptunaSampler, cohorts: int, in_flight: int, objectives: int = 1) -> list[Any]:
    proposed: list[list[dict[str, Any]]] = []
    for cohort in range(cohorts):
        over = cohort - in_flight
        if over >= 0:
            sampler.tell(
                [
                    build_outcome(number, values, objectives)
                    for number, values in enumerate(proposed[over], over * COHORT)
                ]
            )
        proposed.append(sampler.ask(cohort * COHORT, COHORT))
    return proposed


@pytest.mark.parametrize(
    ("space", "objectives", "in_flight"), [(RATES, 1, 1), (CONDITIONAL, 1, 1), (CONDITIONAL, 1, 2), (CONDITIONAL, 2, 1)]
)
def test_proposals_are_those_of_optuna(config: Config, space: dict[str, Any], objectives: int, in_flight: int) -> None:
    also = ["exact"] if objectives == 2 else []
    config = config.replace_values({"study.sampler": "tpe", "study.space": space, KIND: "huber", "study.also": also})
    ours, optunas = (
        run_cohorts(sampler(config), 24, in_flight, objectives) for sampler in (OptunaSampler, ReferenceSampler)
    )
    assert ours == optunas


def test_rank_is_that_of_optuna() -> None:
    """Complete before pruned, longest first, then trials that break limits."""
    study = optuna.create_study()

    def build(value: float | None = None, steps: dict[int, float] | None = None, violation: float = 0.0) -> Any:
        state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        return optuna.trial.create_trial(
            state=state, value=value, intermediate_values=steps, system_attrs={"constraints:bias": violation}
        )

    ranked = [
        build(1.0),
        build(2.0),
        build(steps={1: 0.0, 4: 9.0}),
        build(steps={2: 1.0}),
        build(steps={2: math.nan}),
        build(),
        build(0.0, violation=0.5),
        build(steps={9: 0.0}, violation=0.75),
    ]
    keys = [tpe.compute_rank_key(trial, study.direction) for trial in ranked]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
