"""Validate the keys of a section whose kind is own code: each must be a number of a kind that the study uses."""

from collections.abc import Iterator

from thalweg.config.checks.study import list_family_fields, list_kind_parameters
from thalweg.config.own_kinds import find_family
from thalweg.schema.problem import KeyPath, ParamsTree, Problem
from thalweg.system.members import is_dotted


def check_own_keys(tree: ParamsTree, problems: list[Problem]) -> list[Problem]:
    """Return the problems of a file, with each key that no kind of its own section has, and the keys that are allowed.

    The section itself takes the numbers of all our kinds, because a study may compare them with the own one.
    """
    found = {problem.path: problem for path in _list_own_sections(tree, ()) for problem in _find_unused(tree, path)}
    others = [found.pop(p.path, p) if p.message == "unknown key" else p for p in problems]
    return [*others, *found.values()]


def _list_own_sections(section: ParamsTree, path: KeyPath) -> Iterator[KeyPath]:
    for name, inner in section.items():
        if isinstance(inner, dict):
            here = (*path, name)
            if is_dotted(inner.get("kind")) and find_family([str(step) for step in here]):
                yield here
            yield from _list_own_sections(inner, here)


def _find_unused(tree: ParamsTree, path: KeyPath) -> Iterator[Problem]:
    section: ParamsTree = tree
    for step in path:
        section = section[str(step)]
    kinds = [section["kind"], *_list_choices(tree, ".".join(map(str, (*path, "kind"))))]
    parents = [str(step) for step in path]
    numbers = list_kind_parameters(parents, [kind for kind in kinds if isinstance(kind, str)])
    if section["kind"] not in numbers:
        return  # it cannot be used, which has its own problem
    used = {name for kind in kinds for name in numbers.get(kind, ())}
    allowed = (*list_family_fields(parents), *sorted(used - {*list_family_fields(parents)}))
    for key in section:
        if key not in allowed:
            yield Problem((*path, key), "unknown key", allowed, str(key))


def _list_choices(tree: ParamsTree, name: str) -> list[object]:
    study = tree.get("study")
    space = study.get("space") if isinstance(study, dict) else None
    parameter = space.get(name) if isinstance(space, dict) else None
    choices = parameter.get("choices") if isinstance(parameter, dict) else None
    return list(choices) if isinstance(choices, list | tuple) else []
