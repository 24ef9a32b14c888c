"""The search space: its parameters in order, Optuna's form of them, its first and its grid settings."""

import math
from collections.abc import Iterator
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from thalweg.config.experiment import Config
from thalweg.config.numbers import OptimizerConfig
from thalweg.config.study import ParameterConfig
from thalweg.config.tree import flatten_tree
from thalweg.core import optimizers
from thalweg.system.counts import format_count

Setting = dict[str, Any]
"""A trial's values by dotted path, without inactive parameters."""

TRACED_PATHS = ("optimizer.", "schedule.", "loss.", "augment.online.")
"""Beginnings of paths whose values a compiled program takes as inputs."""
STATIC_PATHS = ("model.", "task.", "optimizer.kind", "training.batch_size", "training.epochs")
"""Beginnings of paths whose values are compiled into the program, unlike the rest of `TRACED_PATHS`."""


def is_static_path(path: str) -> bool:
    """Return whether another value at this path needs another compiled program."""
    return path.startswith(STATIC_PATHS)


def build_distributions(config: Config) -> dict[str, BaseDistribution]:
    """Return the searched parameters in Optuna's form, independent of their order in the file."""
    return {name: _build_distribution(parameter) for name, parameter in sort_parameters(config)}


def sort_parameters(config: Config) -> list[tuple[str, ParameterConfig]]:
    """Return the searched parameters by name, each after those that it depends on."""
    unsorted = dict(sorted(config.study.space.items()))
    parameters = []
    while unsorted:
        ready = [name for name, parameter in unsorted.items() if not parameter.when.keys() & unsorted.keys()]
        assert ready, "the checks exclude circular conditions"
        parameters.append((ready[0], unsorted.pop(ready[0])))
    return parameters


def _build_distribution(parameter: ParameterConfig) -> BaseDistribution:
    if parameter.choices is not None:
        return CategoricalDistribution(parameter.choices)
    low, high = parameter.range
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(float(low), float(high), log=parameter.log)


def find_baseline_setting(config: Config) -> Setting | None:
    """Return the file's values of the searched parameters, the first trial. None: they lie outside the space."""
    file_values, setting = dict(flatten_tree(config.model_dump())), Setting()
    for name, parameter in sort_parameters(config):
        if parameter.is_active(setting):
            if name not in file_values or not parameter.has_value(file_values[name]):
                return None
            setting[name] = file_values[name]
    return setting


def list_initial_settings(config: Config) -> list[Setting]:
    """Return the first trials: the file's values if they lie in the space, then `study.enqueue`."""
    baseline = find_baseline_setting(config)
    return [*([] if baseline is None else [baseline]), *map(dict, config.study.enqueue)]


def list_grid_settings(config: Config) -> list[Setting]:
    """Return all combinations of choices, whole numbers, and `points` of ranges; the last parameter varies fastest."""
    settings: list[Setting] = [{}]
    for name, parameter in sort_parameters(config):
        extended = []
        for setting in settings:
            is_active = parameter.is_active(setting)
            extended += [setting | {name: v} for v in _list_grid_values(parameter)] if is_active else [setting]
        settings = extended
    return settings


def _list_grid_values(parameter: ParameterConfig) -> list[Any]:
    """Return a parameter's grid values: choices, or even steps over its range or over the range's logarithm."""
    if parameter.choices is not None:
        return list(parameter.choices)
    low, high = parameter.range
    if parameter.whole and parameter.points is None:
        return list(range(int(low), int(high) + 1))
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


def list_notes(config: Config) -> Iterator[str]:
    """Return hints about settings that are allowed but probably not intended."""
    study, cohorts = config.study, config.study.trials // config.study.cohort
    if not study.space:
        yield "study.space is empty, so every trial uses the values in this file"
    if cohorts < 8 and study.sampler in ("tpe", "nsga2", "cmaes", "gp"):
        advice = "use 8 or more (lower study.cohort or raise study.trials)"
        yield f"sampler {study.sampler} learns little from {format_count(cohorts, 'cohort')}; {advice}"
    if study.prune is not None and study.cohort == 1:
        yield "study.prune has no effect with cohort: 1, because trials are compared within their cohort"
    cycles = {"schedule.kind", "schedule.period", "schedule.warmup"} & study.space.keys()
    kinds = study.space["schedule.kind"].choices or () if "schedule.kind" in cycles else (config.schedule.kind,)
    if study.prune is not None and cycles and "restarts" in kinds:
        yield "pruning may compare trials right after a restart; each trial's best value so far counts"
    if "training.epochs" in study.space and config.confirm.epochs is not None:
        yield f"confirmed trials train for {format_count(config.confirm.epochs, 'epoch')} (confirm.epochs)"
    if "optimizer.kind" not in study.space:
        kind, numbers = config.optimizer.kind, config.optimizer.model_dump(exclude_none=True).keys()
        used = OptimizerConfig.model_fields.keys() | optimizers.list_optimizer_defaults(kind).keys()
        for name in sorted(numbers - used):
            yield f"optimizer.{name} is never used: `{kind}` has no parameter `{name}`"
    if find_baseline_setting(config) is None:
        yield "the values in this file are outside the search space, so they are not the first trial"
