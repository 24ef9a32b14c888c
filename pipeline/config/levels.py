"""The levels of what a study asks about: the values of its scientific parameters that trials compare.

Each level gets equally many trials, so that no level is judged by a few unlucky ones (Godbole et al. 2023, Deep
Learning Tuning Playbook: equal budgets for the values of a scientific parameter).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from thalweg.config import settings, spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.config.study import ParameterConfig
from thalweg.core import rng
from thalweg.stats.level_measures import divide_range

Levels = dict[str, int]
"""A trial's level of each scientific parameter that it may use, by the parameter's name."""


def list_scientific(config: Config) -> list[tuple[str, ParameterConfig]]:
    """Return the parameters that the study asks about; none where it tries all settings in turn."""
    if settings.list_planned_settings(config):
        return []
    return [item for item in spaces.sort_parameters(config) if item[1].role == "scientific"]


def divide_parameter(parameter: ParameterConfig) -> list[ParameterConfig]:
    """Return each level of a parameter, as a parameter with the level's values only."""
    if parameter.choices is not None:
        return [parameter.model_copy(update={"choices": (choice,)}) for choice in parameter.choices]
    ends = divide_range(*parameter.range, parameter.log, parameter.whole)
    return [parameter.model_copy(update={"low": low, "high": high}) for low, high in ends]


def find_level(parameter: ParameterConfig, value: Any) -> int:
    """Return the level of a value; on the border of two levels it is in the lower one."""
    return next(index for index, level in enumerate(divide_parameter(parameter)) if level.has_value(value))


def group_by_level(config: Config, settings_by_trial: Mapping[int, Setting]) -> dict[str, dict[int, list[int]]]:
    """Return for each scientific parameter the trials of each level, in the order of the mapping.

    A trial that does not use the parameter is in no level.
    """
    groups: dict[str, dict[int, list[int]]] = {}
    for name, parameter in spaces.sort_parameters(config):
        if parameter.role != "scientific":
            continue
        groups[name] = {level: [] for level in range(len(divide_parameter(parameter)))}
        for trial, setting in settings_by_trial.items():
            if name in setting:
                groups[name][find_level(parameter, setting[name])].append(trial)
    return groups


def assign_levels(config: Config) -> list[Levels]:
    """Return the levels of each trial of the study, in order of number.

    Each next trial gets one of the levels with the fewest trials, drawn by the seed. So the numbers of trials of two
    levels differ by one at most, unless the first trials, whose values are given, are more of one level than its share.
    A trial whose levels switch a parameter off has no level of it. Where a parameter's condition is on a value that the
    sampler chooses, only the trials that may use it are shared evenly: those that do use it are so on average.
    """
    scientific = {name: (parameter, len(divide_parameter(parameter))) for name, parameter in list_scientific(config)}
    counts = {name: Counter[int]() for name in scientific}
    initial, assigned = spaces.list_initial_settings(config), list[Levels]()
    for number in range(config.study.trials):
        setting = initial[number] if number < len(initial) else {}
        levels = Levels()
        for name, (parameter, level_count) in scientific.items():
            drawn = [rng.derive_seed(config.seed, "level", name, number, level) for level in range(level_count)]
            fewest = min(range(level_count), key=lambda level: (counts[name][level], drawn[level]))
            if name in setting or _may_use(parameter, levels, scientific):
                levels[name] = find_level(parameter, setting[name]) if name in setting else fewest
                counts[name][levels[name]] += 1
        assigned.append(levels)
    return assigned


def _may_use(parameter: ParameterConfig, levels: Levels, scientific: Mapping[str, tuple[ParameterConfig, int]]) -> bool:
    """Return whether a trial may use a parameter: no level of what it depends on switches it off."""
    for name, allowed in parameter.when.items():
        if name in scientific:
            choices = scientific[name][0].choices or ()
            if name not in levels or choices[levels[name]] not in allowed:
                return False
    return True
