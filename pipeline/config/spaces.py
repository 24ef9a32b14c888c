"""The search space: dotted paths into params.yaml, their ranges, and Optuna's form of them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from thalweg.config.experiment import Config, leaves
from thalweg.config.numbers import OptimizerPart
from thalweg.config.study import Parameter
from thalweg.core import optimizers

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
        assert ready, "a circle, which `problems` names"
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


def fixed(config: Config) -> list[Values]:
    """The trials that a study begins with: the file's own values if they lie in the space, then `study.enqueue`."""
    own = baseline(config)
    return [*([] if own is None else [own]), *(dict(values) for values in config.study.enqueue)]


def grid(config: Config) -> list[Values]:
    """Every combination of choices, whole numbers, and the `points` of ranges; the last parameter varies fastest."""
    found: list[Values] = [{}]
    for name, parameter in ordered(config):
        found = [
            further
            for values in found
            for further in ([values | {name: v} for v in _grid(parameter)] if parameter.active(values) else [values])
        ]
    return found


def _grid(parameter: Parameter) -> list[Any]:
    """The values of one parameter in a grid, evenly over its range, or over the range's logarithm."""
    if parameter.choices is not None:
        return list(parameter.choices)
    low, high = parameter.low, parameter.high
    assert low is not None
    assert high is not None
    if parameter.whole and parameter.points is None:
        return list(range(int(low), int(high) + 1))
    points = parameter.points or 1
    ends = (math.log(low), math.log(high)) if parameter.log else (low, high)
    between = [ends[0] + (ends[1] - ends[0]) * i / max(points - 1, 1) for i in range(points)]
    values = [min(max(math.exp(one) if parameter.log else one, low), high) for one in between]
    return list(dict.fromkeys(round(value) for value in values)) if parameter.whole else values


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    whole = isinstance(distribution, FloatDistribution) or float(value).is_integer()
    return bool(low <= value <= high) and whole


def shapes(config: Config) -> list[Values]:
    """Every combination of choices that makes a program of its own; one, empty, where only numbers are searched."""
    found: list[Values] = [{}]
    for name, parameter in ordered(config):
        if not shapes_program(name):
            continue
        among = {above: wanted for above, wanted in parameter.when.items() if shapes_program(above)}
        chosen = []
        for values in found:
            can = all(values.get(above) in wanted for above, wanted in among.items())
            chosen += [values | {name: choice} for choice in parameter.choices or ()] if can else []
            # where a number decides, too, it may play no part
            chosen += [values] if not can or len(among) < len(parameter.when) else []
        found = chosen
    return found


def problems(
    space: Mapping[str, Parameter], named: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """What is wrong with the space in itself: (path below it, what, allowed).

    `space` has those of the parameters `named` in the file that are right in themselves.
    """
    for name, parameter in space.items():
        if shapes_program(name) and parameter.choices is None:
            yield (name,), "shapes the compiled program, so it needs a short list of `choices`", ()
        for condition, wanted in parameter.when.items():
            here, parent = (name, "when", condition), space.get(condition)
            if condition not in named:
                yield here, "is not searched, so nothing can depend on it", tuple(sorted(named))
            elif parent is None:
                continue  # what is wrong with it is said there
            elif parent.choices is None:
                yield here, "is a range; only a parameter with `choices` can be a condition", ()
            elif name in _conditions(space, condition):
                yield here, "depends on this one in turn", ()
            else:
                choices = tuple(str(choice) for choice in parent.choices)
                lost = [str(value) for value in wanted if value not in parent.choices]
                yield from ((here, f"{value} is not among its choices", choices) for value in lost)


def _conditions(space: Mapping[str, Parameter], name: str) -> set[str]:
    """`name` and all that it depends on, directly or through others."""
    found, left = set[str](), {name}
    while left:
        found |= left
        left = {above for one in left if one in space for above in space[one].when} - found
    return found


def _lookup(config: Config, path: str) -> Any:
    return dict(leaves(config.model_dump()))[path]


def notes(config: Config) -> Iterator[str]:
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
        given = config.optimizer.model_dump(exclude=set(OptimizerPart.model_fields), exclude_none=True)
        idle = sorted(given.keys() - optimizers.numbers_of(config.optimizer.kind).keys())
        yield from (f"optimizer.{name} plays no part: `{config.optimizer.kind}` takes no such number" for name in idle)
    if baseline(config) is None:
        yield "this file's own values lie outside its search space, so they are not the first trial"
