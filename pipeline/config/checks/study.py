"""What a study asks for that cannot be done, or could not matter: trials, a sampler, searched numbers."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

from thalweg.config.numbers import OptimizerConfig, ScheduleConfig
from thalweg.config.study import ParameterConfig
from thalweg.core import hyperparameters, losses, optimizers, schedules
from thalweg.schema.problem import ParamsTree, Problem, describe_value, quote_value

SAMPLER_PACKAGES = {"cmaes": ("cmaes", "cma"), "gp": ("torch", "gp")}
"""The package that a sampler needs, and the extra that brings it."""


def find_enqueue_problems(study: Mapping[str, Any], space: Mapping[str, ParameterConfig]) -> Iterator[Problem]:
    """What is wrong with `study.enqueue`, which may leave parameters to the sampler."""
    enqueue = study.get("enqueue")
    for place, values in enumerate(enqueue if isinstance(enqueue, list | tuple) else ()):
        for name, value in values.items() if isinstance(values, dict) else ():
            here, one = ("study", "enqueue", place, name), space.get(name)
            if one is None:
                yield Problem(here, "is not searched", tuple(sorted(space)), name)
            elif not one.contains(value) and one.choices is not None:
                choices = tuple(str(choice) for choice in one.choices)
                yield Problem(here, f"{quote_value(value)} is not among its choices", choices)
            elif not one.contains(value):
                whole = "whole numbers from " if one.whole else ""
                yield Problem(here, f"{describe_value(value)} lies outside its range, {whole}{one.low} to {one.high}")


def find_sampler_problems(study: Mapping[str, Any], space: Mapping[str, ParameterConfig]) -> Iterator[Problem]:
    """What of the study its sampler cannot do."""
    sampler, here = study.get("sampler"), ("study", "sampler")
    if sampler == "cmaes" and study.get("also"):
        yield Problem(here, "cmaes has one objective only: remove study.also, or use tpe or nsga2")
    elif sampler == "cmaes" and study.get("constraints"):
        yield Problem(here, "cmaes knows no limits: remove study.constraints, or use tpe or nsga2")
    elif sampler == "cmaes":
        for name, one in sorted(space.items()):
            what = "choices" if one.choices is not None else "a condition" if one.when else ""
            if what:
                yield Problem(here, f"cmaes searches ranges only, all at once: `{name}` has {what}; use tpe")
        if len(space) < 2:
            yield Problem(here, "cmaes searches at least two ranges; use tpe")
    if sampler == "grid":
        for name, one in sorted(space.items()):
            if one.choices is None and not one.whole and one.points is None:
                what = "needs `points`: how many values of its range the sampler grid takes"
                yield Problem(("study", "space", name), what)
    if sampler in ("cmaes", "nsga2") and study.get("cohort", 2) < 2:
        yield Problem(("study", "cohort"), f"{sampler} breeds from a cohort, which must have at least 2 trials")
    package, extra = SAMPLER_PACKAGES.get(str(sampler), ("", ""))
    if package and importlib.util.find_spec(package) is None:
        yield Problem(here, f"{sampler} needs the package {package}: pip install 'thalweg[{extra}]'")


def find_unused_parameters(tree: ParamsTree, space: dict[str, ParameterConfig]) -> Iterator[Problem]:
    """Searched numbers that no kind takes which the search can meet: their slices would show nothing but noise."""
    for name in space:
        *parents, last = name.split(".")
        taken = _list_kind_parameters(parents)
        met = [kind for kind in _list_searched_kinds(tree, space, parents) if kind in taken]
        by_any, by_these = (set[str]().union(*(taken[kind] for kind in kinds)) for kinds in (taken, met))
        if met and last in by_any - by_these:
            what = f"plays no part: {' and '.join(f'`{kind}`' for kind in met)} "
            what += f"{'takes' if len(met) == 1 else 'take'} no such number"
            yield Problem(("study", "space", name), what, tuple(sorted(by_these)))


def _list_searched_kinds(tree: ParamsTree, space: dict[str, ParameterConfig], parents: list[str]) -> list[str]:
    """The kinds of a part that the search can meet: the file's, or those that are searched."""
    name = ".".join([*parents, "kind"])
    if name in tree["study"]["space"]:  # and not in `space` where it is wrong, so that nothing is known
        return [str(kind) for kind in (space[name].choices or ())] if name in space else []
    part: Any = tree
    for name in parents:
        part = part.get(name) if isinstance(part, dict) else None
    return [str(part["kind"])] if isinstance(part, dict) and "kind" in part else []


def _list_kind_parameters(parents: list[str]) -> dict[str, set[str]]:
    """What can be searched of each kind of optimizer, schedule or loss; nothing for other parts."""
    if parents == ["optimizer"]:
        common = set(OptimizerConfig.model_fields)
        return {kind: {*optimizers.list_optimizer_defaults(kind), *common} for kind in optimizers.list_optimizers()}
    if parents == ["schedule"]:
        common = set(ScheduleConfig.model_fields)
        return {member.__name__: {*hyperparameters.list_defaults(member), *common} for member in schedules.KINDS}
    if parents[:2] == ["loss", "terms"]:
        members = [member for family in losses.FAMILIES.values() for member in family]
        return {member.__name__: {*hyperparameters.list_defaults(member), "kind", "weight"} for member in members}
    return {}


def find_warmup_problems(space: dict[str, ParameterConfig]) -> Iterator[Problem]:
    """The longest rise that is searched in the shortest training: each may be good by itself."""
    rise, lengths = space.get("schedule.warmup"), space.get("training.epochs")
    if rise is None or lengths is None or not lengths.choices:
        return
    longest = max([value for value in (rise.high, *(rise.choices or ())) if isinstance(value, int | float)], default=0)
    met = rise.when.get("training.epochs", lengths.choices)
    shortest = min((value for value in met if isinstance(value, int)), default=longest + 1)
    if longest >= shortest:
        what = f"a rise of {longest:g} leaves none of the {shortest} epochs of the shortest training that is searched"
        yield Problem(("study", "space", "schedule.warmup"), what)
