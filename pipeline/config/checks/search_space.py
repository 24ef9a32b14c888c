"""What is wrong with the search space."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from thalweg.config.checks import study as asked
from thalweg.config.checks.file import find_file_problems
from thalweg.config.experiment import Config
from thalweg.config.spaces import STATIC_PATHS, TRACED_PATHS, is_static_path
from thalweg.config.study import ParameterConfig
from thalweg.config.tree import flatten_tree, replace_value, without
from thalweg.schema.problem import KeyPath, ParamsTree, Problem, describe_value

SPACE = ("study", "space")


def find_space_problems(tree: ParamsTree, problems: list[Problem]) -> Iterator[Problem]:
    """What is wrong with the space in itself, with what depends on it, and with what it puts into the file."""
    study, named = tree.get("study"), _get_space(tree)
    space = _good_parameters(_get_space(without(tree, [one.path for one in problems])))
    yield from _dependency_problems(space, named)
    if isinstance(study, dict) and not any(one.path[:2] == SPACE for one in problems):
        yield from asked.find_enqueue_problems(study, space)
        yield from asked.find_sampler_problems(study, space)
    yield from asked.find_unused_parameters(tree, space)
    yield from asked.find_warmup_problems(space)
    yield from _value_problems(tree, problems, space, named)


def _get_space(tree: ParamsTree) -> ParamsTree:
    """What the file has as the space."""
    study = tree.get("study")
    space = study.get("space") if isinstance(study, dict) else None
    return space if isinstance(space, dict) else {}


def _good_parameters(named: ParamsTree) -> dict[str, ParameterConfig]:
    """Those parts of the space that are right in themselves."""
    good = {}
    for name, parameter in named.items():
        try:
            good[name] = ParameterConfig.model_validate(parameter)
        except ValidationError:
            continue
    return good


def _dependency_problems(space: dict[str, ParameterConfig], named: ParamsTree) -> Iterator[Problem]:
    """What is wrong with the space in itself; it has those of the `named` parameters that are right in themselves."""
    for name, parameter in space.items():
        if is_static_path(name) and parameter.choices is None:
            yield Problem((*SPACE, name), "shapes the compiled program, so it needs a short list of `choices`")
        for condition, wanted in parameter.when.items():
            here, parent = (*SPACE, name, "when", condition), space.get(condition)
            if condition not in named:
                yield Problem(here, "is not searched, so nothing can depend on it", tuple(sorted(named)), condition)
            elif parent is None:
                continue  # what is wrong with it is said there
            elif parent.choices is None:
                yield Problem(here, "is a range; only a parameter with `choices` can be a condition")
            elif name in _find_dependencies(space, condition):
                yield Problem(here, "depends on this one in turn")
            else:
                choices = tuple(str(choice) for choice in parent.choices)
                lost = [str(value) for value in wanted if value not in parent.choices]
                yield from (Problem(here, f"{one} is not among its choices", choices, condition) for one in lost)


def _find_dependencies(space: dict[str, ParameterConfig], name: str) -> set[str]:
    """`name` and all that it depends on, directly or through others."""
    found, left = set[str](), {name}
    while left:
        found |= left
        left = {above for one in left if one in space for above in space[one].when} - found
    return found


def _value_problems(
    tree: ParamsTree, found: list[Problem], space: dict[str, ParameterConfig], named: Iterable[str]
) -> Iterator[Problem]:
    """A searched value is good where putting it into the file makes nothing wrong that was not wrong before."""
    filled = tree if found else Config.model_validate(tree).model_dump()
    unknown = {".".join(map(str, one.path)) for one in found if one.message == "unknown key"}
    missing = {one.path for one in found if one.message.startswith("is missing")}
    missing |= {(*one.path[:-1], one.suggestion) for one in found if one.suggestion}  # it is misspelt
    known = [path for path, _ in flatten_tree(filled) if path not in unknown]
    every = tuple(path for path in known if is_searchable(path))
    for name in named:
        here, path = (*SPACE, name), tuple(name.split("."))
        if missing & {path[:length] for length in range(len(path))}:
            continue  # that the whole part is missing is said once
        searchable = tuple(one for one in every if one.startswith(f"{path[0]}.")) or every
        if name in known and name not in searchable:
            yield Problem(here, "cannot be searched", searchable, name)
            continue
        for where, value in list_extreme_values(space.get(name)):
            new = [one for one in find_file_problems(replace_value(tree, path, value)) if one not in found]
            if name not in known and (not is_searchable(name) or any(_is_missing_path(one, path) for one in new)):
                yield Problem(here, "is not in this file", searchable, name)
                break
            if name not in space or (is_static_path(name) and space[name].choices is None):
                break  # named above
            for one in new[:1]:
                what = (
                    one.message
                    if one.path == path
                    else f"{describe_value(value)} does not go with {one.describe_problem()}"
                )
                yield Problem((*here, *where), what, *((one.allowed, one.written) if one.path == path else ()))


def is_searchable(name: str) -> bool:
    return name.startswith(TRACED_PATHS + STATIC_PATHS)


def _is_missing_path(one: Problem, path: KeyPath) -> bool:
    """Whether there is no such path: what is wrong is above it, or its key is unknown."""
    above = path[: len(one.path)] == one.path
    return above and (len(one.path) < len(path) or one.message == "unknown key")


def list_extreme_values(parameter: ParameterConfig | None) -> list[tuple[KeyPath, Any]]:
    """The values to try of what is searched; of what is wrong in itself none, to see whether there is such a path."""
    if parameter is None:
        return [((), None)]
    if parameter.choices is None:
        return [(("low",), parameter.low), (("high",), parameter.high)]
    return [(("choices", place), value) for place, value in enumerate(parameter.choices)]
