"""Settings of a search space that try each value and each pair of values (pairwise testing: Cohen et al. 1997)."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting, sort_parameters
from thalweg.config.study import ParameterConfig

Assignments = frozenset[tuple[str, int]]
"""Parameters by name, each with the index of one of its values."""


MAX_SETTINGS = 100
"""Settings that are tried; `thalweg check` traces a program for each."""


def list_values(parameter: ParameterConfig) -> tuple[Any, ...]:
    """Return a parameter's choices, or the two ends of its range."""
    return parameter.range if parameter.choices is None else parameter.choices


def cover_pairs(config: Config, limit: int = MAX_SETTINGS) -> tuple[list[Setting], int]:
    """Return settings with each value and each pair of values that can meet, and how many pairs are left out.

    There are at most `limit` settings, or as many as a parameter has values. Single values come first.
    """
    space, parameters = config.study.space, sort_parameters(config)
    limit = max([limit, *(len(list_values(parameter)) for _, parameter in parameters)])
    pending = dict.fromkeys(_list_targets(space))
    settings: list[Setting] = []
    while pending and len(settings) < limit:
        indices: dict[str, int] = {}
        setting: Setting = {}
        required = _find_required(space, next(iter(pending)))
        for name, parameter in parameters:
            if not parameter.is_active(setting):
                continue
            allowed = required.get(name, range(len(list_values(parameter))))
            indices[name] = max(allowed, key=lambda index, name=name: _count_new(pending, indices, name, index))
            setting[name] = list_values(parameter)[indices[name]]
        settings.append(setting)
        for target in _list_subsets(indices):
            pending.pop(target, None)
    return settings, len(pending)


def find_conditions(space: Mapping[str, ParameterConfig], name: str) -> Setting:
    """Return a value of each parameter that a parameter depends on, so that trials use it.

    Conditions that are not in the space, or that contradict each other, are left out.
    """
    required = _find_required(space, frozenset({(name, 0)}))
    return {
        parent: list_values(space[parent])[indices[0]]
        for parent, indices in reversed(required.items())
        if indices and parent in space and parent != name
    }


def _list_targets(space: Mapping[str, ParameterConfig]) -> Iterator[Assignments]:
    """Return each value, then each pair of values, that some setting has."""
    values = [(name, i) for name, parameter in sorted(space.items()) for i in range(len(list_values(parameter)))]
    pairs = (frozenset(pair) for pair in combinations(values, 2) if pair[0][0] != pair[1][0])
    for target in (*(frozenset({value}) for value in values), *pairs):
        if all(_find_required(space, target).values()):
            yield target


def _find_required(space: Mapping[str, ParameterConfig], target: Assignments) -> dict[str, list[int]]:
    """Return the indices of the values that each parameter may have for these assignments; none: impossible."""
    required: dict[str, list[int]] = {}
    pending = [(name, [index]) for name, index in target]
    while pending:
        name, indices = pending.pop()
        if name not in required and name in space:
            pending += [
                (parent, [i for i, value in enumerate(list_values(space[parent])) if value in values])
                for parent, values in space[name].when.items()
                if parent in space
            ]
        required[name] = [index for index in required.get(name, indices) if index in indices]
    return required


def _count_new(pending: Mapping[Assignments, None], indices: Mapping[str, int], name: str, index: int) -> int:
    """Count the pending targets that a further value meets."""
    pairs = sum(frozenset({item, (name, index)}) in pending for item in indices.items())
    return pairs + (frozenset({(name, index)}) in pending)


def _list_subsets(indices: Mapping[str, int]) -> Iterator[Assignments]:
    """Return the values of a setting and their pairs."""
    for size in (1, 2):
        yield from map(frozenset, combinations(indices.items(), size))
