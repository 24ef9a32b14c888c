"""Who proposes: the same history, the same proposals."""

import math

import numpy as np
import pytest
from optuna.trial import TrialState

from pipeline.search import spaces
from pipeline.search.samplers import Outcome, Proposer, as_trial

SAMPLERS = ("tpe", "random", "quasi_random")
CONDITIONAL = {
    "loss.terms.count.kind": {"choices": ["l1", "huber"]},
    "loss.terms.count.delta": {"low": 0.1, "high": 2.0, "when": {"loss.terms.count.kind": "huber"}},
    "optimizer.learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
}


def value(values) -> float:
    return abs(math.log10(values["optimizer.learning_rate"]) + 2) + (values["loss.terms.count.kind"] == "l1")


def searched(config, sampler):
    return config.replace({"study.sampler": sampler, "study.space": CONDITIONAL, "loss.terms.count.kind": "huber"})


def live(config, cohorts: int):
    """Proposals of a study that is never stopped, with their outcomes."""
    proposer, outcomes = Proposer(config), []
    for cohort in range(cohorts):
        for offset, values in enumerate(proposer.propose(cohort * 4, 4)):
            outcomes.append(Outcome(cohort * 4 + offset, values, value(values), {1: value(values)}))
        for outcome in outcomes[-4:]:
            proposer.learn(outcome)
    return outcomes


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_study_taken_up_again_proposes_what_it_would_have(config, sampler) -> None:
    config = searched(config, sampler)
    whole = live(config, 5)
    for lived in (1, 3):
        again = Proposer(config)
        for outcome in whole[: lived * 4]:
            again.learn(outcome)
        assert again.propose(lived * 4, 4) == [one.values for one in whole[lived * 4 : lived * 4 + 4]]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_proposals_differ_and_conditions_hold(config, sampler) -> None:
    outcomes = live(searched(config, sampler), 4)
    rates = {one.values["optimizer.learning_rate"] for one in outcomes}
    assert len(rates) == len(outcomes)
    for one in outcomes:
        assert ("loss.terms.count.delta" in one.values) == (one.values["loss.terms.count.kind"] == "huber")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_trial_0_is_the_files_own(config, sampler) -> None:
    config = searched(config, sampler)
    assert Proposer(config).propose(0, 2)[0] == spaces.baseline(config)


def test_a_diverged_trial_is_told_as_the_worst_there_is(config) -> None:
    config = searched(config, "tpe")
    told = as_trial(Outcome(3, {"optimizer.learning_rate": 0.5}, None, {2: 1.0, 4: 0.5}), spaces.distributions(config))
    assert told.state == TrialState.PRUNED
    assert list(told.intermediate_values) == [2]
    assert math.isnan(told.intermediate_values[2])


def test_a_region_that_diverges_is_proposed_less(config) -> None:
    """The upper half of the range diverges; of 5 studies' later trials fewer than half of random's share lie there."""
    space = {"optimizer.learning_rate": {"low": 1e-4, "high": 1.0, "log": True}}
    later = []
    for seed in range(5):
        one = config.replace({"seed": seed, "study.sampler": "tpe", "study.space": space})
        proposer = Proposer(one)
        for cohort in range(6):
            proposed = proposer.propose(cohort * 4, 4)
            for offset, values in enumerate(proposed):
                rate = values["optimizer.learning_rate"]
                good = None if rate > 1e-2 else abs(math.log10(rate) + 3)
                proposer.learn(Outcome(cohort * 4 + offset, values, good, {1: 1.0 if good is None else good}))
                if cohort >= 4:
                    later.append(rate > 1e-2)
    assert np.mean(later) < 0.25
