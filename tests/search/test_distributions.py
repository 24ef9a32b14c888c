"""The search space as Optuna sees it."""

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from tests.helpers.small_study import replace_space
from thalweg.config.experiment import Config
from thalweg.search.distributions import build_distributions


def test_parameters_become_distributions(config: Config) -> None:
    space = {
        "optimizer.learning_rate": {"low": 0.001, "high": 1.0, "log": True},
        "schedule.every": {"low": 1, "high": 8, "whole": True},
        "loss.terms.count.kind": {"choices": ["l1", "l2"]},
    }
    distributions = build_distributions(replace_space(config, space))
    assert distributions["optimizer.learning_rate"] == FloatDistribution(0.001, 1.0, log=True)
    assert distributions["schedule.every"] == IntDistribution(1, 8)
    assert distributions["loss.terms.count.kind"] == CategoricalDistribution(("l1", "l2"))
