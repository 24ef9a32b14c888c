"""Settings that cover all pairs of values, compared with every setting that the space has."""

from itertools import combinations, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from thalweg.config import covering
from thalweg.config.experiment import Config

NAMES = ("optimizer.momentum", "optimizer.b2", "schedule.final", "schedule.warmup")
VALUES = [0.1, 0.2, 0.3]


@st.composite
def draw_space(draw: st.DrawFn) -> dict[str, Any]:
    """Parameters of up to three choices or a range; each may depend on earlier ones with choices."""
    space: dict[str, Any] = {}
    for name in NAMES[: draw(st.integers(0, 4))]:
        choices = VALUES[: draw(st.integers(1, 3))]
        parameter: dict[str, Any] = {"choices": choices} if draw(st.booleans()) else {"low": 0.1, "high": 0.3}
        conditions = st.lists(st.sampled_from([n for n in space if "choices" in space[n]] or [""]), max_size=2)
        parameter["when"] = {
            parent: draw(st.lists(st.sampled_from(space[parent]["choices"]), min_size=1, max_size=2, unique=True))
            for parent in draw(conditions)
            if parent
        }
        space[name] = parameter
    return space


def list_all_settings(config: Config) -> list[dict[str, Any]]:
    names = [name for name in NAMES if name in config.study.space]
    settings = []
    for values in product(*(covering.list_values(config.study.space[name]) for name in names)):
        setting: dict[str, Any] = {}
        for name, value in zip(names, values, strict=True):
            if config.study.space[name].is_active(setting):
                setting[name] = value
        settings.append(setting)
    return settings


def collect_pairs(settings: list[dict[str, Any]]) -> set[Any]:
    return {part for setting in settings for size in (1, 2) for part in combinations(sorted(setting.items()), size)}


@given(space=draw_space())
def test_each_possible_pair_is_covered(config: Config, space: dict[str, Any]) -> None:
    config = config.replace_values({"study.space": space})
    every = list_all_settings(config)
    settings, left_out = covering.cover_pairs(config, 100)
    assert left_out == 0
    assert all(setting in every for setting in settings)
    assert collect_pairs(settings) == collect_pairs(every)
    assert len(settings) <= len(collect_pairs(every))


def test_a_limit_loses_pairs_first(config: Config) -> None:
    space = {name: {"choices": VALUES} for name in NAMES}
    config = config.replace_values({"study.space": space})
    settings, left_out = covering.cover_pairs(config, 3)
    assert {item for setting in settings for item in setting.items()} == set(product(NAMES, VALUES))
    assert left_out == 6 * 9 - 3 * 6
    assert covering.cover_pairs(config, 100)[1] == 0
    assert len(covering.cover_pairs(config, 100)[0]) <= 18
