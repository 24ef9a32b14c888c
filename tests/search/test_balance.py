"""The balanced sampler: equally many trials for each level, and each level tuned by its own trials."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from thalweg.config.experiment import Config
from thalweg.search.balance import BalancedSampler, build_sampler
from thalweg.search.samplers import OptunaSampler
from thalweg.search.trials import Outcome

RATE, KIND, MOMENTUM = "optimizer.learning_rate", "loss.terms.count.kind", "optimizer.momentum"
KINDS = ("l1", "l2", "huber")
CHOICES = {"choices": list(KINDS), "role": "scientific"}
RANGES = {RATE: {"low": 1e-4, "high": 1.0, "log": True}, MOMENTUM: {"low": 0.0, "high": 0.9}}
SAMPLERS = ("tpe", "random", "quasi_random", "cmaes", "nsga2")
COHORT = 6


def ask_about_kind(config: Config, trials: int = 48, **study: Any) -> Config:
    values = {f"study.{name}": value for name, value in ({"sampler": "tpe"} | study).items()}
    space = {"study.space": {KIND: CHOICES} | RANGES, "study.cohort": COHORT, "study.trials": trials, KIND: "l1"}
    return config.replace_values(space | values)


def run_study(config: Config, replayed: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Propose all trials; the error is the distance to each loss's own best rate. The first trials may be replayed."""
    sampler = build_sampler(config)
    proposals: list[dict[str, Any]] = []
    for first in range(0, config.study.trials, COHORT):
        if replayed is not None and first < len(replayed):
            sampler.replay(first, replayed[first : first + COHORT])
            proposals += replayed[first : first + COHORT]
        else:
            proposals += sampler.ask(first, COHORT)
        values = enumerate(proposals[first:], first)
        costs = {number: abs(np.log10(v[RATE]) + 1 + KINDS.index(v[KIND])) for number, v in values}
        outcomes = [Outcome(n, proposals[n], "complete", (cost,), {1: cost}) for n, cost in costs.items()]
        sampler.tell(outcomes)
    return proposals


def test_study_without_question_is_not_balanced(config: Config) -> None:
    free = ask_about_kind(config, space={KIND: {"choices": list(KINDS)}} | RANGES)
    assert isinstance(build_sampler(free), OptunaSampler)
    assert isinstance(build_sampler(ask_about_kind(config)), BalancedSampler)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_values_share_trials_evenly(config: Config, sampler: str) -> None:
    proposals = run_study(ask_about_kind(config, sampler=sampler))
    counts = Counter(values[KIND] for values in proposals)
    assert counts == {"l1": 16, "l2": 16, "huber": 16}
    if sampler != "nsga2":  # a child may be as its parent
        assert len({json.dumps(values, sort_keys=True) for values in proposals}) == len(proposals)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_replayed_study_goes_on_alike(config: Config, sampler: str) -> None:
    config = ask_about_kind(config, sampler=sampler)
    proposals = run_study(config)
    assert run_study(config, proposals[:24]) == proposals
    assert run_study(config, proposals[:6]) == proposals


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_longer_study_begins_as_shorter_one(config: Config, sampler: str) -> None:
    short, long = (run_study(ask_about_kind(config, trials, sampler=sampler)) for trials in (24, 48))
    assert long[:24] == short


def test_values_begin_at_same_points(config: Config) -> None:
    by_kind: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for values in run_study(ask_about_kind(config))[1:]:  # the first trial has the file's own values
        by_kind[values[KIND]].append(values[RATE])
    first = [rates[:5] for rates in by_kind.values()]
    assert first[0] == first[1] == first[2]


def test_each_value_is_tuned_by_itself(config: Config) -> None:
    """Their best rates are decades apart, and each is found."""
    proposals = run_study(ask_about_kind(config, trials=96))
    for index, kind in enumerate(KINDS):
        rates = [values[RATE] for values in proposals[48:] if values[KIND] == kind]
        assert np.median(np.abs(np.log10(rates) + 1 + index)) < 0.7  # decades; 1 to 1.3 at random


def test_range_is_tuned_within_thirds(config: Config) -> None:
    space = {RATE: RANGES[RATE] | {"role": "scientific"}, MOMENTUM: RANGES[MOMENTUM]}
    study = {"study.space": space, "study.cohort": COHORT, "study.trials": 24}
    sampler = build_sampler(config.replace_values(study))
    rates = [values[RATE] for first in range(0, 24, COHORT) for values in sampler.ask(first, COHORT)]
    thirds = Counter(int(np.clip((np.log10(rate) + 4) / 4 * 3, 0, 2)) for rate in rates)
    assert thirds == {0: 8, 1: 8, 2: 8}


def test_several_questions_are_balanced_each(config: Config) -> None:
    space = {KIND: CHOICES, MOMENTUM: RANGES[MOMENTUM] | {"role": "scientific"}, RATE: RANGES[RATE]}
    proposals = run_study(ask_about_kind(config, space=space))
    kinds = Counter(values[KIND] for values in proposals)
    thirds = Counter(int(min(values[MOMENTUM] / 0.3, 2)) for values in proposals)
    for counts in (kinds, thirds):
        assert sorted(counts.values()) == [16, 16, 16]
