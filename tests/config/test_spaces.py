"""The search space: the order of its parameters, and its first settings."""

import pytest

from tests.helpers.small_study import replace_space
from thalweg.config import spaces
from thalweg.config.experiment import Config


def test_parameters_follow_their_conditions(config: Config) -> None:
    space = {
        "loss.terms.count.delta": {"low": 0.1, "high": 2.0, "when": {"loss.terms.count.kind": "huber"}},
        "loss.terms.count.kind": {"choices": ["l1", "huber"]},
        "augment.online.noise": {"low": 0.0, "high": 0.1},
    }
    names = [name for name, _ in spaces.sort_parameters(replace_space(config, space))]
    assert names == ["augment.online.noise", "loss.terms.count.kind", "loss.terms.count.delta"]
    backwards = dict(reversed(space.items()))
    assert [name for name, _ in spaces.sort_parameters(replace_space(config, backwards))] == names


@pytest.mark.parametrize(("rate", "expected"), [(0.01, True), (0.5, False)])
def test_baseline_setting_must_lie_in_space(config: Config, rate: float, expected: bool) -> None:
    inside = spaces.find_baseline_setting(config.replace_values({"optimizer.learning_rate": rate}))
    assert (inside is not None) == expected
    if inside is not None:
        assert inside == {"optimizer.learning_rate": rate, "optimizer.momentum": 0.5}


def test_baseline_setting_omits_inactive_parameters(config: Config) -> None:
    space = {
        "loss.terms.count.kind": {"choices": ["l2", "huber"]},
        "loss.terms.count.delta": {"low": 0.1, "high": 2.0, "when": {"loss.terms.count.kind": "huber"}},
    }
    assert spaces.find_baseline_setting(replace_space(config, space)) == {"loss.terms.count.kind": "l2"}


def test_static_values_add_programs(config: Config) -> None:
    numbers = {
        "optimizer.learning_rate": {"low": 0.001, "high": 1.0},
        "loss.terms.count.kind": {"choices": ["l1", "l2"]},
    }
    assert spaces.list_program_variants(replace_space(config, numbers)) == [{}]
    shapes = {"training.batch_size": {"choices": [4, 8]}, "optimizer.kind": {"choices": ["adam", "lion", "ema"]}}
    assert len(spaces.list_program_variants(replace_space(config, numbers | shapes))) == 6


def test_scales_of_initial_weights_add_no_program(config: Config) -> None:
    scales = {f"model.{name}": {"low": 0.1, "high": 3.0, "log": True} for name in ("gain", "last_gain")}
    assert spaces.list_program_variants(replace_space(config, scales)) == [{}]
    assert not any(map(spaces.is_static_path, scales))
    assert spaces.is_static_path("model.gain_of_a_size")


def test_excluded_programs_not_counted(config: Config) -> None:
    size, kind = "training.batch_size", "loss.terms.count.kind"
    space = {
        "optimizer.kind": {"choices": ["adam", "lion"]},
        size: {"choices": [4, 8], "when": {"optimizer.kind": "lion"}},
    }
    adam, *lion = spaces.list_program_variants(replace_space(config, space))
    assert adam == {"optimizer.kind": "adam"}
    assert lion == [{"optimizer.kind": "lion", size: 4}, {"optimizer.kind": "lion", size: 8}]
    # a number decides: with it or without it, both can come
    space = {kind: {"choices": ["l1", "l2"]}, size: {"choices": [4, 8], "when": {kind: "l1"}}}
    assert spaces.list_program_variants(replace_space(config, space)) == [{size: 4}, {size: 8}, {}]


def test_integer_parameter_needs_integer_baseline(config: Config) -> None:
    space = {"schedule.every": {"low": 1, "high": 8, "whole": True}}
    assert spaces.find_baseline_setting(replace_space(config, space).replace_values({"schedule.every": 2.5})) is None
    assert spaces.find_baseline_setting(replace_space(config, space).replace_values({"schedule.every": 2.0})) == {
        "schedule.every": 2.0
    }
