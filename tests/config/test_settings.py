"""Settings: which are the same, how many a space has, and which are tried in turn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import small_study
from thalweg.config import settings
from thalweg.config.experiment import Config

RATE, KIND, DELTA = "optimizer.learning_rate", "loss.terms.count.kind", "loss.terms.count.delta"
GRID = {
    KIND: {"choices": ["l1", "l2", "huber"]},
    RATE: {"low": 0.001, "high": 0.1, "log": True, "points": 3},
}
CONDITIONAL = {
    KIND: {"choices": ["l1", "huber"]},
    "schedule.every": {"low": 1, "high": 4, "whole": True, "when": {KIND: "huber"}},
}


def build_keys(value_sets: list[dict[str, Any]]) -> list[settings.SettingKey]:
    return [settings.build_setting_key(values) for values in value_sets]


def plan(config: Config, space: dict[str, Any], **study: Any) -> list[dict[str, Any]]:
    values = {"study.space": space, KIND: "huber"} | {f"study.{name}": value for name, value in study.items()}
    return settings.list_planned_settings(config.replace_values({"study.cohort": 1} | values))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({RATE: 0.1}, {RATE: float(np.float32(0.1))}, True),
        ({RATE: 0.01}, {RATE: 0.010000000000000002}, True),
        ({RATE: 1}, {RATE: 1.0}, True),
        ({RATE: 0.1}, {RATE: 0.1000001}, False),
        ({KIND: "l1", RATE: 0.1}, {RATE: 0.1, KIND: "l1"}, True),
        ({KIND: "l1"}, {KIND: "l1", RATE: 0.1}, False),  # an inactive parameter is no part of a setting
        ({"model.width": 16777216}, {"model.width": 16777217}, False),
    ],
)
def test_settings_are_compared_as_programs_see_them(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (settings.build_setting_key(one) == settings.build_setting_key(other)) == same


@pytest.mark.parametrize(
    ("space", "count"),
    [
        ({}, 1),
        ({KIND: {"choices": ["l1", "l2"]}}, 2),
        (CONDITIONAL, 1 + 4),
        ({"schedule.every": {"low": 1, "high": 1_000_000, "whole": True}}, 1_000_000),
        ({RATE: {"low": 0.1, "high": 0.2}}, None),
        (CONDITIONAL | {DELTA: {"low": 0.1, "high": 2.0, "when": {KIND: "huber"}}}, None),
    ],
)
def test_space_is_counted(config: Config, space: dict[str, Any], count: int | None) -> None:
    searched = config.replace_values({"study.space": space, KIND: "huber"})
    assert settings.count_settings(searched) == count
    if count is not None and count < 10:
        assert len(list(settings.iterate_settings(searched))) == count


@pytest.mark.parametrize(("trials", "tried"), [(4, 4), (9, 9), (20, 9)])
def test_grid_holds_own_value_once(config: Config, trials: int, tried: int) -> None:
    planned = plan(config, GRID, sampler="grid", trials=trials)
    assert planned[0] == {KIND: "huber", RATE: 0.01}
    assert len(set(build_keys(planned))) == len(planned) == tried
    points: list[Any] = [(kind, rate) for kind in ("l1", "l2", "huber") for rate in (0.001, 0.01, 0.1)]
    others = [(setting[KIND], pytest.approx(setting[RATE])) for setting in planned[1:]]
    assert others == [point for point in points if point != ("huber", 0.01)][: trials - 1]


def test_grid_is_tried_after_enqueued(config: Config) -> None:
    enqueue = [{RATE: 0.05}, {RATE: 0.1, KIND: "l2"}, {RATE: 0.1, KIND: "l2"}]
    planned = plan(config, GRID, sampler="grid", trials=30, enqueue=enqueue)
    assert planned[:3] == [{KIND: "huber", RATE: 0.01}, {KIND: "l1", RATE: 0.05}, {KIND: "l2", RATE: 0.1}]
    assert len(set(build_keys(planned))) == len(planned) == 10


@pytest.mark.parametrize("sampler", ["tpe", "random", "quasi_random", "nsga2"])
def test_small_space_is_tried_whole(config: Config, sampler: str) -> None:
    assert plan(config, CONDITIONAL, sampler=sampler, trials=4) == []
    few = plan(config, CONDITIONAL, sampler=sampler, trials=5)
    assert len(set(build_keys(few))) == len(few) == 5
    assert plan(config, CONDITIONAL, sampler=sampler, trials=60) == few  # a longer study keeps its order
    assert few[0] == {KIND: "huber", "schedule.every": 4}  # as in the file


def test_huge_grid_is_not_listed(config: Config) -> None:
    space = {
        "schedule.every": {"low": 1, "high": 1_000_000_000, "whole": True},
        RATE: {"low": 0.001, "high": 0.1, "points": 2},
    }
    assert len(plan(config, space, sampler="grid", trials=7)) == 7


@given(st.data())
def test_count_is_number_of_settings(data: st.DataObject) -> None:
    """For any finite space, with conditions and without."""
    space: dict[str, Any] = {KIND: {"choices": data.draw(st.sampled_from([["l1", "huber"], ["l1", "l2", "huber"]]))}}
    for name, high in (("schedule.every", 4), ("optimizer.momentum", 1), ("augment.online.noise", 1)):
        if data.draw(st.booleans()):
            when = {"when": {KIND: "huber"}} if data.draw(st.booleans()) else {}
            values = data.draw(st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=4, unique=True))
            space[name] = {"choices": values, **when} if high == 1 else {"low": 1, "high": high, "whole": True, **when}
    study = {name: getattr(small_study.CONFIG.study, name) for name in ("objective", "cohort", "trials")}
    searched = small_study.CONFIG.model_copy(
        update={"study": type(small_study.CONFIG.study).model_validate(study | {"space": space})}
    )
    listed = list(settings.iterate_settings(searched))
    assert settings.count_settings(searched) == len(listed) == len(set(build_keys(listed)))
