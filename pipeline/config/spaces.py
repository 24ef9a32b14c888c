"""The search space: dotted paths into params.yaml, their ranges, and Optuna's form of them."""

import math
from collections.abc import Iterator
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from thalweg.config.experiment import Config
from thalweg.config.numbers import OptimizerConfig
from thalweg.config.study import ParameterConfig
from thalweg.config.tree import flatten_tree
from thalweg.core import optimizers

Setting = dict[str, Any]
"""A trial's values by dotted path; a parameter that plays no part is absent."""

TRACED_PATHS = ("optimizer.", "schedule.", "loss.", "augment.online.")
STATIC_PATHS = ("model.", "task.", "optimizer.kind", "training.batch_size", "training.epochs")


def is_static_path(path: str) -> bool:
    """Whether another value at this path makes another program; all that is only numbers does not."""
    return path.startswith(STATIC_PATHS)


def build_distributions(config: Config) -> dict[str, BaseDistribution]:
    """Each searched parameter in Optuna's form, in order of name, so that the file's order means nothing."""
    return {name: _build_distribution(parameter) for name, parameter in sort_parameters(config)}


def sort_parameters(config: Config) -> list[tuple[str, ParameterConfig]]:
    """The searched parameters in order of name, each after those it depends on."""
    left = dict(sorted(config.study.space.items()))
    placed: dict[str, ParameterConfig] = {}
    while left:
        ready = [name for name, parameter in left.items() if not parameter.when.keys() & left.keys()]
        assert ready, "a circle, which `problems` names"
        placed |= {ready[0]: left.pop(ready[0])}
    return list(placed.items())


def _build_distribution(parameter: ParameterConfig) -> BaseDistribution:
    if parameter.choices is not None:
        return CategoricalDistribution(parameter.choices)
    low, high = parameter.range
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(float(low), float(high), log=parameter.log)


def find_baseline_setting(config: Config) -> Setting | None:
    """The file's own values of what is searched, if they lie in the space: the first trial."""
    own, values = dict(flatten_tree(config.model_dump())), Setting()
    for name, parameter in sort_parameters(config):
        if parameter.is_active(values):
            value = own[name]
            if not parameter.contains(value):
                return None
            values[name] = value
    return values


def list_initial_settings(config: Config) -> list[Setting]:
    """The trials that a study begins with: the file's own values if they lie in the space, then `study.enqueue`."""
    own = find_baseline_setting(config)
    return [*([] if own is None else [own]), *map(dict, config.study.enqueue)]


def list_grid_settings(config: Config) -> list[Setting]:
    """Every combination of choices, whole numbers, and the `points` of ranges; the last parameter varies fastest."""
    found: list[Setting] = [{}]
    for name, parameter in sort_parameters(config):
        found = [
            further
            for values in found
            for further in (
                [values | {name: v} for v in _list_grid_values(parameter)] if parameter.is_active(values) else [values]
            )
        ]
    return found


def _list_grid_values(parameter: ParameterConfig) -> list[Any]:
    """The values of one parameter in a grid, evenly over its range, or over the range's logarithm."""
    if parameter.choices is not None:
        return list(parameter.choices)
    low, high = parameter.range
    if parameter.whole and parameter.points is None:
        return list(range(int(low), int(high) + 1))
    points = parameter.points or 1
    ends = (math.log(low), math.log(high)) if parameter.log else (low, high)
    between = [ends[0] + (ends[1] - ends[0]) * i / max(points - 1, 1) for i in range(points)]
    values = [min(max(math.exp(one) if parameter.log else one, low), high) for one in between]
    return list(dict.fromkeys(round(value) for value in values)) if parameter.whole else values


def list_program_variants(config: Config) -> list[Setting]:
    """Every combination of choices that makes a program of its own; one, empty, where only numbers are searched."""
    found: list[Setting] = [{}]
    for name, parameter in sort_parameters(config):
        if not is_static_path(name):
            continue
        among = {above: wanted for above, wanted in parameter.when.items() if is_static_path(above)}
        chosen = []
        for values in found:
            can = all(values.get(above) in wanted for above, wanted in among.items())
            chosen += [values | {name: choice} for choice in parameter.choices or ()] if can else []
            # where a number decides, too, it may play no part
            chosen += [values] if not can or len(among) < len(parameter.when) else []
        found = chosen
    return found


def list_notes(config: Config) -> Iterator[str]:
    """What is allowed but worth a second thought."""
    study = config.study
    if not study.space:
        yield "study.space is empty, so every trial is this file's own values"
    if study.trials // study.cohort < 8 and study.sampler in ("tpe", "nsga2", "cmaes", "gp"):
        yield (
            f"{study.trials // study.cohort} cohorts leave a sampler little to learn from; 8 or more serve it better "
            "(lower study.cohort or raise study.trials)"
        )
    if study.prune is not None and study.cohort == 1:
        yield "study.prune stops no one in cohorts of 1: trials are judged against the others of their cohort"
    cycles = {"schedule.kind", "schedule.period", "schedule.warmup"} & study.space.keys()
    kinds = study.space["schedule.kind"].choices or () if "schedule.kind" in cycles else (config.schedule.kind,)
    if study.prune is not None and cycles and "restarts" in kinds:
        yield "where restarts are searched, a rung may fall on the peak of one: trials are judged by their best so far"
    if "training.epochs" in study.space and config.confirm.epochs is not None:
        yield f"what is confirmed trains {config.confirm.epochs} epochs (confirm.epochs), whatever was searched"
    if "optimizer.kind" not in study.space:
        given = config.optimizer.model_dump(exclude=set(OptimizerConfig.model_fields), exclude_none=True)
        idle = sorted(given.keys() - optimizers.list_optimizer_defaults(config.optimizer.kind).keys())
        yield from (f"optimizer.{name} plays no part: `{config.optimizer.kind}` takes no such number" for name in idle)
    if find_baseline_setting(config) is None:
        yield "this file's own values lie outside its search space, so they are not the first trial"
