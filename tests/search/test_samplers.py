"""Who proposes: the same history, the same proposals."""

import json
import math
from collections import Counter

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


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_history_read_back_from_files_serves_as_the_one_that_was_lived(config, sampler) -> None:
    """Files sort their keys, and some trials diverged."""
    config = searched(config, sampler)
    proposer, again, outcomes = Proposer(config), Proposer(config), []
    for cohort in range(4):
        for number, values in enumerate(proposer.propose(cohort * 4, 4), cohort * 4):
            good = None if number % 5 == 3 else value(values)
            outcomes.append(Outcome(number, values, good, {} if good is None else {1: 9.0, 2: good}))
        for outcome in outcomes[-4:]:
            proposer.learn(outcome)
    for one in outcomes:
        again.learn(
            Outcome(one.number, json.loads(json.dumps(one.values, sort_keys=True)), one.value, one.intermediate)
        )
    assert again.propose(16, 4) == proposer.propose(16, 4)


def test_quasi_random_points_fill_every_range_and_choice_evenly(config) -> None:
    """Of 64 points of a Sobol sequence each 16th of a range holds exactly 4."""
    space = {
        "optimizer.learning_rate": {"low": 1e-4, "high": 1.0, "log": True},
        "optimizer.momentum": {"low": 0.0, "high": 0.96},
        "schedule.every": {"low": 1, "high": 8, "whole": True},
        "loss.terms.count.kind": {"choices": ["l1", "l2", "huber", "log_cosh"]},
    }
    values = {"study.sampler": "quasi_random", "study.space": space, "optimizer.learning_rate": 2.0}
    found = Proposer(config.replace(values)).propose(0, 64)
    shares = [math.log10(one["optimizer.learning_rate"]) / 4 + 1 for one in found]
    assert np.histogram(shares, 16, (0.0, 1.0))[0].tolist() == [4] * 16
    assert np.histogram([one["optimizer.momentum"] for one in found], 16, (0.0, 0.96))[0].tolist() == [4] * 16
    assert Counter(one["schedule.every"] for one in found) == dict.fromkeys(range(1, 9), 8)
    assert all(isinstance(one["schedule.every"], int) for one in found)
    assert set(Counter(one["loss.terms.count.kind"] for one in found).values()) == {16}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_an_empty_space_proposes_the_files_own_values_every_time(config, sampler) -> None:
    assert Proposer(config.replace({"study.sampler": sampler, "study.space": {}})).propose(0, 3) == [{}, {}, {}]


def test_a_studys_name_changes_no_proposal(config) -> None:
    config = searched(config, "tpe")
    assert live(config.replace({"study.name": "other"}), 4) == live(config, 4)
