"""The search space: the order of its parameters, and its first settings."""

from typing import Any

import pytest

from tests.helpers.small_study import replace_space
from thalweg.config import notes, spaces
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


@pytest.mark.parametrize(
    ("kind", "name", "parameter", "expected"),
    [
        ("heavy_ball", "momentum", {"low": 0.0, "high": 0.98}, 0.9),
        ("heavy_ball", "weight_decay", {"low": 0.0, "high": 0.1}, 0.0),
        ("adamw", "weight_decay", {"low": 1e-5, "high": 0.1, "log": True}, 1e-4),
        ("adam", "eps", {"choices": [1e-8, 1e-4]}, 1e-8),
        ("adam", "b2", {"choices": [None, 0.999]}, None),  # null is a value there
        ("heavy_ball", "clip", {"choices": [None, 1.0]}, None),
    ],
)
def test_baseline_setting_has_defaults_of_the_optimizer(
    config: Config, kind: str, name: str, parameter: dict[str, Any], expected: Any
) -> None:
    unwritten = config.replace_values({"optimizer": {"kind": kind, "learning_rate": 0.01}})
    study = replace_space(unwritten, {f"optimizer.{name}": parameter})
    assert spaces.find_baseline_setting(study) == {f"optimizer.{name}": expected}
    assert spaces.list_outside_values(study) == {}


def test_default_of_the_optimizer_may_lie_outside(config: Config) -> None:
    unwritten = config.replace_values({"optimizer": {"kind": "heavy_ball", "learning_rate": 0.01}})
    study = replace_space(unwritten, {"optimizer.momentum": {"low": 0.0, "high": 0.5}})
    assert spaces.find_baseline_setting(study) is None
    *_, note = notes.list_notes(study)
    assert note.endswith(": optimizer.momentum is 0.9 by default (study.space: 0.0 to 0.5)")


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
