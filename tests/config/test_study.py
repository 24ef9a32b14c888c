"""The section `study`: searched parameters, bounds on metrics, cohorts."""

from typing import Any

import pytest
from pydantic import ValidationError

from thalweg.config.study import ConstraintConfig, ParameterConfig, apply_setting, find_cohort_error


@pytest.mark.parametrize(
    "parameter",
    [
        {},
        {"low": 1.0},
        {"low": 2.0, "high": 1.0},
        {"low": 1.0, "high": 1.0},
        {"low": 0.0, "high": 1.0, "log": True},
        {"low": 0.5, "high": 2.0, "whole": True},
        {"choices": []},
        {"choices": [1, 1]},
        {"choices": [[1]]},
        {"choices": [float("nan")]},
        {"choices": ["a"], "low": 1.0},
        {"low": float("-inf"), "high": 1.0},
        {"low": 1.0, "high": 2.0, "when": {"a": []}},
        {"low": 1.0, "high": 2.0, "when": {"a": [[1]]}},
    ],
)
def test_searched_parameter_is_range_or_choices(parameter: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ParameterConfig.model_validate(parameter)


def test_parameter_is_active_if_all_conditions_hold() -> None:
    parameter = ParameterConfig.model_validate({"low": 0.0, "high": 1.0, "when": {"a": "x", "b": [1, 2]}})
    assert parameter.is_active({"a": "x", "b": 2})
    assert not parameter.is_active({"a": "x", "b": 3})
    assert not parameter.is_active({"a": "y", "b": 1})
    assert not parameter.is_active({"b": 1})
    assert ParameterConfig.model_validate({"choices": ["x"]}).is_active({})


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        ({"low": 0.5, "high": 2.0}, [0.5, 1, 2.0], [0.4, 2.1, "1", True, None]),
        ({"low": 1.0, "high": 3.0, "whole": True}, [1, 2.0, 3], [1.5, 4]),
        ({"choices": ["a", None, 2]}, ["a", None, 2], ["b", 3]),
    ],
)
def test_values_of_a_parameter(parameter: dict[str, Any], inside: list[Any], outside: list[Any]) -> None:
    searched = ParameterConfig.model_validate(parameter)
    assert [value for value in [*inside, *outside] if searched.has_value(value)] == inside


@pytest.mark.parametrize(
    ("bounds", "value", "excess"),
    [
        ({"low": 2.0}, 1.5, 0.5),
        ({"low": 2.0}, 3.0, -1.0),
        ({"high": 2.0}, 3.0, 1.0),
        ({"low": 1.0, "high": 2.0}, 1.25, -0.25),
        ({"low": 1.0, "high": 2.0}, 4.0, 2.0),
        ({"low": 1.0, "high": 1.0}, 1.0, 0.0),
    ],
)
def test_excess_is_distance_beyond_the_bounds(bounds: dict[str, float], value: float, excess: float) -> None:
    assert ConstraintConfig.model_validate(bounds).compute_excess(value) == excess


@pytest.mark.parametrize("bounds", [{}, {"low": 2.0, "high": 1.0}])
def test_constraint_needs_bounds_in_order(bounds: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ConstraintConfig.model_validate(bounds)


@pytest.mark.parametrize(("trials", "cohort", "use"), [(10, 4, "use 8 or 12"), (3, 4, "use 4"), (8, 4, "")])
def test_cohorts_are_whole(trials: int, cohort: int, use: str) -> None:
    assert find_cohort_error(trials, cohort).partition("; ")[2] == use


def test_size_of_another_kind_is_left_out() -> None:
    conditions: dict[str, Any] = {"model.kind": ("mlp", "cnn")}
    space = {"model.width": ParameterConfig(choices=(32,), when=conditions)}
    tree: dict[str, Any] = {"model": {"kind": "cnn", "width": 32, "gain": 2.0}}
    assert apply_setting(tree, {"model.kind": "mlp"}, space) == {"model": tree["model"] | {"kind": "mlp"}}
    assert apply_setting(tree, {"model.kind": "linear"}, space) == {"model": {"kind": "linear", "gain": 2.0}}
    written = {"model.kind": "linear", "model.width": 8}
    assert apply_setting(tree, written, space) == {"model": {"kind": "linear", "width": 8, "gain": 2.0}}
