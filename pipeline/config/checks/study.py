"""Validate a study: enqueued trials, the sampler, searched numbers that are never used."""

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic_core import PydanticCustomError

from thalweg.config.numbers import OptimizerConfig, ScheduleConfig, TermConfig
from thalweg.config.own_kinds import find_family, load_own
from thalweg.config.study import ParameterConfig
from thalweg.core import hyperparameters, losses, optimizers, schedules
from thalweg.core.hyperparameters import Op
from thalweg.schema.problem import ParamsTree, Problem, describe_value, quote_value
from thalweg.schema.section import StrictModel
from thalweg.system.members import is_dotted

SAMPLER_PACKAGES = {"cmaes": ("cmaes", "cma"), "gp": ("torch", "gp")}
"""By sampler: the package that it needs, and the extra that installs it."""


def find_enqueue_problems(study: Mapping[str, Any], space: Mapping[str, ParameterConfig]) -> Iterator[Problem]:
    """Return the problems of `study.enqueue`; a setting may leave parameters to the sampler."""
    enqueue = study.get("enqueue")
    for index, setting in enumerate(enqueue if isinstance(enqueue, list | tuple) else ()):
        for name, value in setting.items() if isinstance(setting, dict) else ():
            path, parameter = ("study", "enqueue", index, name), space.get(name)
            if parameter is None:
                yield Problem(path, "is not searched", tuple(sorted(space)), name)
            elif parameter.has_value(value):
                continue
            elif parameter.choices is not None:
                choices = tuple(str(choice) for choice in parameter.choices)
                yield Problem(path, f"{quote_value(value)} is not among its choices", choices, str(value))
            else:
                message = f"{describe_value(value)} is outside its range, {parameter.describe_values()}"
                yield Problem(path, message)


def find_sampler_problems(study: Mapping[str, Any], space: Mapping[str, ParameterConfig]) -> Iterator[Problem]:
    """Return the features of the study that its sampler does not support."""
    sampler, path = study.get("sampler"), ("study", "sampler")
    if sampler == "cmaes" and study.get("also"):
        yield Problem(path, "cmaes supports only one objective; remove study.also, or use tpe or nsga2")
    elif sampler == "cmaes" and study.get("constraints"):
        yield Problem(path, "cmaes does not support constraints; remove study.constraints, or use tpe or nsga2")
    elif sampler == "cmaes":
        for name, parameter in sorted(space.items()):
            feature = "choices" if parameter.choices is not None else "conditions" if parameter.when else ""
            if feature:
                yield Problem(path, f"cmaes does not support {feature}, as in `{name}`; use tpe")
        if len(space) < 2:
            yield Problem(path, "cmaes needs at least two parameters to search; use tpe")
    if sampler == "grid":
        for name, parameter in sorted(space.items()):
            if parameter.choices is None and not parameter.whole and parameter.points is None:
                message = "needs `points`, the number of values that sampler grid takes from the range"
                yield Problem(("study", "space", name), message)
    if sampler in ("cmaes", "nsga2") and study.get("cohort", 2) < 2:
        yield Problem(("study", "cohort"), f"must be at least 2 for sampler {sampler}, not {study['cohort']}")
    package, extra = SAMPLER_PACKAGES.get(str(sampler), ("", ""))
    if package and importlib.util.find_spec(package) is None:
        yield Problem(path, f"{sampler} needs the package {package}: pip install 'thalweg[{extra}]'")


def find_unused_parameters(tree: ParamsTree, space: dict[str, ParameterConfig]) -> Iterator[Problem]:
    """Return the searched numbers that no kind in the search uses: their results would be pure noise."""
    for name in space:
        *parents, last = name.split(".")
        searched = _list_searched_kinds(tree, space, parents)
        numbers = list_kind_parameters(parents, searched)
        kinds = [kind for kind in searched if kind in numbers]
        all_numbers, used = (set[str]().union(*(numbers[kind] for kind in group)) for group in (numbers, kinds))
        if kinds and last in all_numbers - used:
            names = " and ".join(f"`{kind}`" for kind in kinds)
            message = f"is never used: {names} {'has' if len(kinds) == 1 else 'have'} no parameter `{last}`"
            yield Problem(("study", "space", name), message, tuple(sorted(used)))


def _list_searched_kinds(tree: ParamsTree, space: dict[str, ParameterConfig], parents: list[str]) -> list[str]:
    """Return the kinds of a section in the search: the searched ones, or else the file's; none if unknown."""
    path = ".".join([*parents, "kind"])
    if path in tree["study"]["space"]:  # `space` lacks it if it is invalid
        return [str(kind) for kind in (space[path].choices or ())] if path in space else []
    section: Any = tree
    for name in parents:
        section = section.get(name) if isinstance(section, dict) else None
    return [str(section["kind"])] if isinstance(section, dict) and "kind" in section else []


def list_kind_parameters(parents: list[str], searched: list[str]) -> dict[str, set[str]]:
    """Return the keys of each kind of optimizer, schedule or loss, own code that is `searched` too; {} elsewhere."""
    family = find_family(parents)
    members: dict[str, Op] = {}
    match family:
        case "optimizer":
            members = {kind.__name__: kind for kind in optimizers.KINDS}
        case "schedule":
            members = {kind.__name__: kind for kind in schedules.KINDS}
        case "loss":
            members = {kind.__name__: kind for kinds in losses.FAMILIES.values() for kind in kinds}
        case _:
            return {}
    for kind in filter(is_dotted, searched):
        with suppress(PydanticCustomError):  # it is reported where it is chosen
            members[kind] = load_own(family, kind)
    common = list_family_fields(parents)
    return {kind: {*hyperparameters.list_defaults(member), *common} for kind, member in members.items()}


def list_family_fields(parents: list[str]) -> list[str]:
    """Return the keys that all kinds of a family have."""
    sections: dict[str, type[StrictModel]] = {
        "optimizer": OptimizerConfig,
        "schedule": ScheduleConfig,
        "loss": TermConfig,
    }
    return [*sections[find_family(parents)].model_fields]


def find_warmup_problems(space: dict[str, ParameterConfig]) -> Iterator[Problem]:
    """Return a problem if the longest searched warmup does not fit into the shortest searched training."""
    warmup, epochs = space.get("schedule.warmup"), space.get("training.epochs")
    if warmup is None or epochs is None or not epochs.choices:
        return
    values = [value for value in (warmup.high, *(warmup.choices or ())) if isinstance(value, int | float)]
    longest = max(values, default=0)
    lengths = warmup.when.get("training.epochs", epochs.choices)
    shortest = min((length for length in lengths if isinstance(length, int)), default=longest + 1)
    if longest >= shortest:
        message = f"must be below {shortest} (the fewest searched training.epochs), but reaches {longest:g}"
        yield Problem(("study", "space", "schedule.warmup"), message)
