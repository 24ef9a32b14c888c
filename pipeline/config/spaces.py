"""The search space: its parameters in order, its first settings, and its programs."""

import math
from typing import Any

from thalweg.config.experiment import Config
from thalweg.config.study import ParameterConfig, sort_space
from thalweg.config.tree import flatten_tree
from thalweg.core import optimizers

Setting = dict[str, Any]
"""A trial's values by dotted path, without inactive parameters."""

START_PATHS = ("model.gain", "model.last_gain")
"""Paths of values that scale the initial weights before the compiled program runs."""
TRACED_PATHS = ("optimizer.", "schedule.", "loss.", "augment.online.")
"""Beginnings of paths whose values a compiled program takes as inputs."""
STATIC_PATHS = ("model.", "task.", "optimizer.kind", "training.batch_size", "training.epochs", "training.precision")
"""Beginnings of paths whose values are compiled in, unlike `START_PATHS` and the rest of `TRACED_PATHS`."""


def is_static_path(path: str) -> bool:
    """Return whether another value at this path needs another compiled program."""
    return path.startswith(STATIC_PATHS) and path not in START_PATHS


def sort_parameters(config: Config) -> list[tuple[str, ParameterConfig]]:
    """Return the searched parameters by name, each after its conditions."""
    return sort_space(config.study.space)


def find_baseline_setting(config: Config) -> Setting | None:
    """Return the file's values of the searched parameters, the first trial. None: they lie outside the space."""
    setting, outside = _divide_file_values(config)
    return None if outside else setting


def list_outside_values(config: Config) -> dict[str, ParameterConfig]:
    """Return each searched parameter, by dotted path, whose value in the file lies outside the space."""
    return _divide_file_values(config)[1]


def list_file_values(config: Config) -> dict[str, Any]:
    """Return the experiment's values by dotted path, each at its default where the file does not give it."""
    return dict(flatten_tree(config.model_dump() | {"optimizer": settle_optimizer(config)}))


def settle_optimizer(config: Config) -> dict[str, Any]:
    """Return the values of the optimizer; a number that is null has the default of the file's kind.

    It stays null where the study has null among its choices.
    """
    defaults = optimizers.list_optimizer_defaults(config.optimizer.kind)
    values = config.optimizer.model_dump()
    for name in [name for name in defaults if values[name] is None]:
        parameter = config.study.space.get(f"optimizer.{name}")
        if parameter is None or not parameter.has_value(None):
            values[name] = defaults[name]
    return values


def _divide_file_values(config: Config) -> tuple[Setting, dict[str, ParameterConfig]]:
    """Return the file's values that lie in the space, and the parameters that have none."""
    file_values, setting, outside = list_file_values(config), Setting(), dict[str, ParameterConfig]()
    for name, parameter in sort_parameters(config):
        if parameter.is_active(setting):
            if name in file_values and parameter.has_value(file_values[name]):
                setting[name] = file_values[name]
            else:
                outside[name] = parameter
    return setting, outside


def list_initial_settings(config: Config) -> list[Setting]:
    """Return the first trials: the file's values if they lie in the space, then `study.enqueue`."""
    baseline = find_baseline_setting(config)
    return [*([] if baseline is None else [baseline]), *map(dict, config.study.enqueue)]


def list_grid_values(parameter: ParameterConfig) -> list[Any]:
    """Return the `points` values that a grid takes from a range: even steps over it, or over its logarithm."""
    low, high = parameter.range
    points = parameter.points or 1
    ends = (math.log(low), math.log(high)) if parameter.log else (low, high)
    between = [ends[0] + (ends[1] - ends[0]) * i / max(points - 1, 1) for i in range(points)]
    values = [min(max(math.exp(point) if parameter.log else point, low), high) for point in between]
    return list(dict.fromkeys(round(value) for value in values)) if parameter.whole else values


def list_program_variants(config: Config) -> list[Setting]:
    """Return the settings of static parameters; each needs its own compiled program. One empty: nothing static."""
    variants: list[Setting] = [{}]
    for name, parameter in sort_parameters(config):
        if not is_static_path(name):
            continue
        conditions = {path: values for path, values in parameter.when.items() if is_static_path(path)}
        extended = []
        for variant in variants:
            may_be_active = all(path in variant and variant[path] in values for path, values in conditions.items())
            extended += [variant | {name: choice} for choice in parameter.choices or ()] if may_be_active else []
            # a condition on a traced parameter may make it inactive, too
            extended += [variant] if not may_be_active or len(conditions) < len(parameter.when) else []
        variants = extended
    return variants
