"""Settings: when two are the same, how many there are, and which of them a study tries in turn."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.config.study import ParameterConfig, StopConfig
from thalweg.core import rng

SettingKey = frozenset[tuple[str, Any]]


def build_setting_key(setting: Setting) -> SettingKey:
    """Return what identifies a setting: two with the same key are trained alike."""
    return frozenset((name, round_value(value)) for name, value in setting.items())


def round_value(value: Any) -> Any:
    """Return a value as programs compute with it: 32 bits are kept of a float."""
    return float(np.float32(value)) if isinstance(value, float) else value


def iterate_settings(config: Config, fixed: Setting | None = None) -> Iterator[Setting]:
    """Yield all settings of a finite space, or of the grid; the last parameter varies fastest.

    Those with `fixed` values only, if any are given; these need not be on the grid.
    """
    parameters, fixed_values = spaces.sort_parameters(config), fixed or {}

    def extend_setting(setting: Setting, index: int) -> Iterator[Setting]:
        if index == len(parameters):
            yield setting
            return
        name, parameter = parameters[index]
        if not parameter.is_active(setting):
            yield from extend_setting(setting, index + 1)
            return
        for value in [fixed_values[name]] if name in fixed_values else _list_values(config, parameter):
            yield from extend_setting(setting | {name: value}, index + 1)

    return extend_setting({}, 0)


def count_settings(config: Config) -> int | None:
    """Count the settings of the space, or the points of the grid for `sampler: grid`; None if they are infinite."""
    parameters = spaces.sort_parameters(config)
    conditions = {path for _, parameter in parameters for path in parameter.when}
    branches: list[tuple[Setting, int]] = [({}, 1)]
    for name, parameter in parameters:
        extended: list[tuple[Setting, int]] = []
        for branch, count in branches:
            if not parameter.is_active(branch):
                extended.append((branch, count))
            elif not _has_finite_values(config, parameter):
                return None
            elif name in conditions:
                extended += [(branch | {name: value}, count) for value in _list_values(config, parameter)]
            else:
                extended.append((branch, count * len(_list_values(config, parameter))))
        branches = extended
    return sum(count for _, count in branches)


def list_planned_settings(config: Config) -> list[Setting]:
    """Return the different settings that the study tries in turn, at most `study.trials`; [] if its sampler draws them.

    They are planned for `sampler: grid`, and where there are as many trials as settings or more: then all are tried.
    First the file's own values and `study.enqueue`, then the others: a grid in order, others mixed by the seed, so that
    each cohort is a fair sample.
    """
    study, is_grid = config.study, config.study.sampler == "grid"
    count = count_settings(config)
    if not is_grid and (count is None or count > study.trials):
        return []
    baseline, planned = spaces.find_baseline_setting(config), dict[SettingKey, Setting]()
    if baseline is not None:
        planned[build_setting_key(baseline)] = baseline
    for enqueued in study.enqueue:
        completions = iterate_settings(config, enqueued)
        new = next((setting for setting in completions if build_setting_key(setting) not in planned), None)
        if new is not None:
            planned[build_setting_key(new)] = new
    others: Iterator[Setting] = iterate_settings(config)
    if not is_grid:
        mixed = [(rng.derive_seed(config.seed, "setting", index), s) for index, s in enumerate(others)]
        others = (setting for _, setting in sorted(mixed, key=lambda pair: pair[0]))
    for setting in others:
        if len(planned) >= study.trials:
            break
        planned.setdefault(build_setting_key(setting), setting)
    return list(planned.values())[: study.trials]


def count_trial_seeds(config: Config) -> int:
    """Count the seeds that each new setting is trained with: more than `study.seeds` if trials are left over.

    A planned study with paired seeds would only repeat itself after its last setting. The trials left over give each
    setting further seeds at once, equally many, so that rungs and samplers judge by all of them. Not with a limit of
    `study.stop`: the study must first try all settings.
    """
    study, planned = config.study, len(list_planned_settings(config))
    if study.randomness == "independent" or study.stop != StopConfig() or not planned:
        return study.seeds
    return study.seeds * (study.trials // planned)


def covers_space(config: Config) -> bool:
    """Return whether the study tries all settings of its space, or all points of its grid."""
    return bool(list_planned_settings(config)) and count_grid_points_tried(config) == count_settings(config)


def count_grid_points_tried(config: Config) -> int:
    """Count the planned settings that are points of the grid, or of a finite space."""
    values = {name: _list_values(config, parameter) for name, parameter in spaces.sort_parameters(config)}
    return sum(
        all(_has_value(values[name], value) for name, value in setting.items())
        for setting in list_planned_settings(config)
    )


def _has_value(values: Sequence[Any], value: Any) -> bool:
    return value in values or (isinstance(value, float) and round_value(value) in map(round_value, values))


def _has_finite_values(config: Config, parameter: ParameterConfig) -> bool:
    return parameter.choices is not None or parameter.whole or config.study.sampler == "grid"


def _list_values(config: Config, parameter: ParameterConfig) -> Sequence[Any]:
    """Return the values that a finite parameter can have, or its values on the grid."""
    if parameter.choices is not None:
        return parameter.choices
    if parameter.whole and (parameter.points is None or config.study.sampler != "grid"):
        low, high = parameter.range
        return range(int(low), int(high) + 1)
    return spaces.list_grid_values(parameter)
