"""The search space: dotted paths into params.yaml, their ranges, and Optuna's form of them."""

import math
from collections.abc import Iterator
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import ValidationError

from pipeline.config import Config, Parameter, leaves

Values = dict[str, Any]
"""A trial's values by dotted path; a parameter that plays no part is absent."""

NUMBERS = ("optimizer.", "schedule.", "loss.", "augment.online.")
SHAPES = ("model.", "task.", "optimizer.kind", "training.batch_size", "training.epochs")


def shapes_program(path: str) -> bool:
    """Whether another value at this path makes another program; all that is only numbers does not."""
    return path.startswith(SHAPES)


def distributions(config: Config) -> dict[str, BaseDistribution]:
    """Each searched parameter in Optuna's form, in order of name, so that the file's order means nothing."""
    return {name: _distribution(parameter) for name, parameter in ordered(config)}


def ordered(config: Config) -> list[tuple[str, Parameter]]:
    """The searched parameters in order of name, each after those it depends on."""
    left = dict(sorted(config.study.space.items()))
    placed: dict[str, Parameter] = {}
    while left:
        ready = [name for name, parameter in left.items() if not parameter.when.keys() & left.keys()]
        if not ready:  # a circle; `problems` names it
            ready = list(left)
        placed |= {ready[0]: left.pop(ready[0])}
    return list(placed.items())


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.choices is not None:
        return CategoricalDistribution(parameter.choices)
    low, high = parameter.low, parameter.high
    assert low is not None
    assert high is not None
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(float(low), float(high), log=parameter.log)


def baseline(config: Config) -> Values | None:
    """The file's own values of what is searched, if they lie in the space: the first trial."""
    values: Values = {}
    for name, parameter in ordered(config):
        if parameter.active(values):
            value = _lookup(config, name)
            if value is None or not _contains(_distribution(parameter), value):
                return None
            values[name] = value
    return values


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    return bool(low <= value <= high)


def programs(config: Config) -> int:
    """The most programs that the study can need: the product of the choices that shape them."""
    return math.prod(len(p.choices or ()) for name, p in config.study.space.items() if shapes_program(name))


def problems(config: Config) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """What is wrong with the space: (path, what, allowed)."""
    known = dict(leaves(config.model_dump()))
    searchable = tuple(name for name in known if name.startswith(NUMBERS + SHAPES))
    for name, parameter in config.study.space.items():
        here = ("study", "space", name)
        if name not in searchable:
            yield here, "cannot be searched" if name in known else "is not in this file", searchable
            continue
        if shapes_program(name) and parameter.choices is None:
            yield here, "shapes the compiled program, so it needs a short list of `choices`", ()
        for condition, wanted in parameter.when.items():
            yield from _condition_problems(config, here, condition, wanted)
        ends: list[tuple[str, Any]] = [("low", parameter.low), ("high", parameter.high)]
        if parameter.choices is not None:
            ends = [("choices", value) for value in parameter.choices]
        for end, value in ends:
            try:
                config.replace({name: value})
            except ValidationError as error:
                detail = error.errors(include_url=False)[0]
                allowed = tuple(str(v) for v in detail.get("ctx", {}).get("allowed", ()))
                yield (*here, end), f"{value!r} is not valid there: {detail['msg']}", allowed


def _condition_problems(
    config: Config, here: tuple[str, ...], condition: str, wanted: Any
) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    parent = config.study.space.get(condition)
    if parent is None:
        yield (*here, "when", condition), "is not searched, so nothing can depend on it", tuple(config.study.space)
    elif parent.choices is None:
        yield (*here, "when", condition), "is a range; only a parameter with `choices` can be a condition", ()
    elif here[-1] in parent.when or condition == here[-1]:
        yield (*here, "when", condition), "depends on this one in turn", ()
    else:
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            if value not in parent.choices:
                choices = tuple(str(choice) for choice in parent.choices)
                yield (*here, "when", condition), f"{value!r} is not among its choices", choices


def _lookup(config: Config, path: str) -> Any:
    return dict(leaves(config.model_dump()))[path]


def notes(config: Config) -> Iterator[str]:
    """What is allowed but worth a second thought."""
    study = config.study
    if study.trials // study.cohort < 8 and study.sampler == "tpe":
        yield (
            f"{study.trials // study.cohort} cohorts leave a sampler little to learn from; 8 or more serve it better "
            "(lower study.cohort or raise study.trials)"
        )
    if baseline(config) is None:
        yield "this file's own values lie outside its search space, so they are not the first trial"
