"""Validate the conditions of a search space, and what a choice that is gone leaves behind."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from thalweg.config.study import ParameterConfig
from thalweg.schema.problem import Problem, quote_value

SPACE = ("study", "space")
NO_CHOICE = "is not among its choices"


def find_condition_problems(space: Mapping[str, ParameterConfig], written: Iterable[str]) -> Iterator[Problem]:
    """Return the conditions that cannot hold; `written` also names the parameters that are invalid themselves."""
    for name, parameter in space.items():
        for condition, values in parameter.when.items():
            path, parent = (*SPACE, name, "when", condition), space.get(condition)
            if condition not in written:
                yield Problem(path, "is not searched, so it cannot be a condition", tuple(sorted(written)), condition)
            elif parent is None:
                continue  # its own problem is reported
            elif parent.choices is None:
                yield Problem(path, "is a range; only a parameter with `choices` can be a condition")
            elif name in _find_dependencies(space, condition):
                yield Problem(path, f"circular condition: `{condition}` depends on `{name}`")
            else:
                choices = tuple(str(choice) for choice in parent.choices)
                unknown = [value for value in values if value not in parent.choices]
                yield from (
                    Problem(path, f"{quote_value(value)} {NO_CHOICE}", choices, str(value)) for value in unknown
                )


def drop_missing_choices(space: Mapping[str, ParameterConfig]) -> dict[str, ParameterConfig]:
    """Return a space as if no condition named a choice that is not there; without the parameters that nothing uses."""
    kept = {
        name: parameter.model_copy(
            update={
                "when": {
                    condition: tuple(value for value in values if _has_choice(space.get(condition), value))
                    for condition, values in parameter.when.items()
                }
            }
        )
        for name, parameter in space.items()
    }
    unused = {name for name, parameter in kept.items() if not all(parameter.when.values())}
    return {name: parameter for name, parameter in kept.items() if not _find_dependencies(kept, name) & unused}


def merge_missing_choices(problems: Iterable[Problem]) -> list[Problem]:
    """Report each choice that is gone once, with all places that still name it; none for a list with a wrong choice."""
    problems = list(problems)
    misspelt = {p.path[2] for p in problems if p.path[:2] == SPACE and p.path[3:4] == ("choices",)}
    groups: dict[object, list[Problem]] = {}
    for problem in problems:
        is_gone = problem.message.endswith(NO_CHOICE)
        if not is_gone or problem.path[-1] not in misspelt:
            groups.setdefault((problem.path[-1], problem.message) if is_gone else problem, []).append(problem)
    return [_merge_group(*group) for group in groups.values()]


def _merge_group(first: Problem, *others: Problem) -> Problem:
    places = [f"`{'.'.join(map(str, other.path[:-1]))}`" for other in dict.fromkeys(others)]
    verb = "name" if others[1:] else "names"
    return replace(first, message=f"{first.message}; {' and '.join(places)} {verb} it, too") if others else first


def _has_choice(parameter: ParameterConfig | None, value: object) -> bool:
    return parameter is None or parameter.choices is None or value in parameter.choices


def _find_dependencies(space: Mapping[str, ParameterConfig], name: str) -> set[str]:
    """Return `name` and all parameters that it depends on, directly or through others."""
    dependencies, new = set[str](), {name}
    while new:
        dependencies |= new
        new = {parent for child in new if child in space for parent in space[child].when} - dependencies
    return dependencies
