"""What is wrong with the search space."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from thalweg.config import spaces
from thalweg.config.checks import sampler, unused
from thalweg.config.checks.file import file_problems
from thalweg.config.checks.tree import with_value, without_problems
from thalweg.config.experiment import Config, leaves
from thalweg.config.study import Parameter
from thalweg.schema.problem import Path_, Problem, Tree, shown


def space_problems(tree: Tree, found: list[Problem]) -> Iterator[Problem]:
    """A searched value is good where putting it into the file makes nothing wrong that was not wrong before."""
    space = _parameters(without_problems(tree, found))
    for path, what, allowed in spaces.problems(space, _named(tree)):
        yield Problem(("study", "space", *path), what, allowed, path[-1])
    study = tree.get("study")
    if isinstance(study, dict) and not any(one.path[:2] == ("study", "space") for one in found):
        for below, what, allowed in (*sampler.enqueue_problems(study, space), *sampler.sampler_problems(study, space)):
            given = str(below[-1]) if what == "is not searched" else ""
            yield Problem(("study", *below), what, allowed, given)
    yield from unused.unused_parameters(tree, space)
    yield from unused.warmup_problems(space)
    filled = tree if found else Config.model_validate(tree).model_dump()
    unknown = {".".join(map(str, one.path)) for one in found if one.what == "unknown key"}
    missing = {one.path for one in found if one.what.startswith("is missing")}
    missing |= {(*one.path[:-1], one.near) for one in found if one.near}  # it is misspelt
    known = [path for path, _ in leaves(filled) if path not in unknown]
    for name in _named(tree):
        here, path = ("study", "space", name), tuple(name.split("."))
        if missing & {path[:length] for length in range(len(path))}:
            continue  # that the whole part is missing is said once
        searchable = _searchable(known, path[0])
        if name in known and name not in searchable:
            yield Problem(here, "cannot be searched", searchable, name)
            continue
        for where, value in extreme_values(space.get(name)):
            new = [one for one in file_problems(with_value(tree, path, value)) if one not in found]
            if name not in known and (not is_searchable(name) or any(_leads_nowhere(one, path) for one in new)):
                yield Problem(here, "is not in this file", searchable, name)
                break
            if name not in space or (spaces.shapes_program(name) and space[name].choices is None):
                break  # named above
            for one in new[:1]:
                what = one.what if one.path == path else f"{shown(value)} does not go with {one.text()}"
                yield Problem((*here, *where), what, *((one.allowed, one.given) if one.path == path else ()))


def is_searchable(name: str) -> bool:
    return name.startswith(spaces.NUMBERS + spaces.SHAPES)


def _searchable(known: Iterable[str], part: str) -> tuple[str, ...]:
    """What can be searched in a part of the file, or in all of it where there is no such part."""
    every = tuple(path for path in known if is_searchable(path))
    return tuple(path for path in every if path.startswith(f"{part}.")) or every


def _leads_nowhere(one: Problem, path: Path_) -> bool:
    """Whether there is no such path: what is wrong is above it, or its key is unknown."""
    above = path[: len(one.path)] == one.path
    return above and (len(one.path) < len(path) or one.what == "unknown key")


def _named(tree: Tree) -> Tree:
    """What the file has as the space."""
    study = tree.get("study")
    space = study.get("space") if isinstance(study, dict) else None
    return space if isinstance(space, dict) else {}


def _parameters(tree: Tree) -> dict[str, Parameter]:
    """Those parts of the space that are right in themselves."""
    good = {}
    for name, parameter in _named(tree).items():
        try:
            good[name] = Parameter.model_validate(parameter)
        except ValidationError:
            continue
    return good


def extreme_values(parameter: Parameter | None) -> list[tuple[Path_, Any]]:
    """The values to try of what is searched; of what is wrong in itself none, to see whether there is such a path."""
    if parameter is None:
        return [((), None)]
    if parameter.choices is None:
        return [(("low",), parameter.low), (("high",), parameter.high)]
    return [(("choices", place), value) for place, value in enumerate(parameter.choices)]
