"""Validate the search space."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from thalweg.config import covering
from thalweg.config.checks import conditions, model_sizes
from thalweg.config.checks import study as study_checks
from thalweg.config.checks.conditions import SPACE
from thalweg.config.checks.file import find_file_problems
from thalweg.config.checks.searchable import fill_sections, is_searchable, list_searchable
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting, is_static_path
from thalweg.config.study import ParameterConfig, apply_setting
from thalweg.config.tree import flatten_tree, remove_paths
from thalweg.schema.problem import KeyPath, ParamsTree, Problem, describe_value, quote_value
from thalweg.system.members import is_dotted

NEEDS_CHOICES = "changes the compiled program, so it needs a short list of `choices`"


def find_space_problems(tree: ParamsTree, problems: list[Problem]) -> Iterator[Problem]:
    """Return the problems of the space: its conditions, the study that uses it, and the values that it tries.

    `problems` are those of the file so far. `written` parameters may be invalid; `space` has the valid ones.
    """
    valid_tree, written = remove_paths(tree, [problem.path for problem in problems]), model_sizes.get_space(tree)
    study, space = valid_tree.get("study"), _validate_parameters(model_sizes.get_space(valid_tree))
    found = [
        Problem((*SPACE, name), NEEDS_CHOICES) for name, parameter in space.items() if _lacks_choices(name, parameter)
    ]
    found += conditions.find_condition_problems(space, written)
    if isinstance(study, dict) and not any(problem.path[:2] == SPACE for problem in problems):
        found += study_checks.find_enqueue_problems(study, space)
        found += study_checks.find_sampler_problems(study, space)
    possible = conditions.drop_missing_choices(space)
    written = {name: parameter for name, parameter in written.items() if name in possible or name not in space}
    found += study_checks.find_unused_parameters(tree, possible)
    found += study_checks.find_warmup_problems(possible)
    if sizes := [*model_sizes.find_size_problems(tree, problems, possible)]:  # values of the model would repeat them
        written = {name: parameter for name, parameter in written.items() if not name.startswith("model.")}
    found = conditions.merge_missing_choices([*found, *sizes, *_find_value_problems(tree, problems, possible, written)])
    yield from found
    if not problems and not found:
        yield from _find_pair_problems(Config.model_validate(tree), tree)


def _lacks_choices(name: str, parameter: ParameterConfig) -> bool:
    return is_static_path(name) and parameter.choices is None


def _validate_parameters(written: ParamsTree) -> dict[str, ParameterConfig]:
    valid = {}
    for name, parameter in written.items():
        with contextlib.suppress(ValidationError):
            valid[name] = ParameterConfig.model_validate(parameter)
    return valid


def _find_value_problems(
    tree: ParamsTree, problems: list[Problem], space: dict[str, ParameterConfig], written: Iterable[str]
) -> Iterator[Problem]:
    """Put extreme values of each parameter into the file; return the first new problem of each."""
    filled = fill_sections(tree, problems)
    unknown = {problem.path for problem in problems if problem.message == "unknown key"}
    missing = {problem.path for problem in problems if problem.message.startswith("is missing")}
    missing |= {(*problem.path[:-1], problem.suggestion) for problem in problems if problem.suggestion}  # misspelt
    valid_names = [name for name, _ in flatten_tree(filled) if tuple(name.split(".")) not in unknown]
    broken = _list_broken_sections(tree, problems)
    all_searchable = tuple(n for n in list_searchable(filled, space) if tuple(n.split(".")) not in unknown)
    for name in written:
        path, keys = (*SPACE, name), tuple(name.split("."))
        if missing & {keys[:length] for length in range(len(keys))}:
            continue  # the missing section is reported once
        searchable = tuple(other for other in all_searchable if other.startswith(f"{keys[0]}.")) or all_searchable
        if name in valid_names and name not in searchable:
            yield Problem(path, "cannot be searched", searchable)
            continue
        active = covering.find_conditions(space, name)
        base = apply_setting(tree, active, space)
        earlier = [*problems, *(find_file_problems(base) if active else ())]
        for key, value in list_extreme_values(space.get(name)):
            filled_problems = find_file_problems(apply_setting(base, {name: value}, space))
            new = [
                p
                for p in filled_problems
                if p not in earlier
                and p.path not in unknown  # with each kind that the section may have
                and not _is_drawn(p, space)
                and not _is_key_of(p, broken)
            ]
            is_unlisted = name not in valid_names
            if is_unlisted and (not is_searchable(name) or any(_is_missing_path(problem, keys) for problem in new)):
                yield Problem(path, "is not in this file", searchable, name).put_nearest_first()
                break
            if name not in space or _lacks_choices(name, space[name]):
                break  # reported above
            if message := _explain_foreign_key(keys, filled, space[name], new):
                yield Problem(path, message)
                break
            for problem in new[:1]:
                if problem.path == keys:
                    yield Problem((*path, *key), problem.message, problem.allowed, problem.written)
                else:
                    message = f"{describe_value(value)} causes an error at {problem.describe_problem()}"
                    yield Problem((*path, *key), message)


def _explain_foreign_key(keys: KeyPath, filled: ParamsTree, parameter: ParameterConfig, new: list[Problem]) -> str:
    """Return that the file's own kind has a key that no searched kind has; '' for other problems."""
    kind = dict(flatten_tree(filled)).get(".".join(map(str, keys)))
    unknown = [p.path[-1] for p in new if p.message == "unknown key" and p.path[:-1] == keys[:-1]]
    if not unknown or not is_dotted(kind) or kind in (parameter.choices or ()):
        return ""
    advice = f"add `{kind}` to the choices, or remove the key"
    return f"has `choices` without the key `{unknown[0]}`, which belongs to the `{kind}` of this file; {advice}"


def _list_broken_sections(tree: ParamsTree, problems: list[Problem]) -> set[KeyPath]:
    """Return the sections whose own kind cannot be used: nobody knows which keys it has."""
    leaves = dict(flatten_tree(tree))
    broken = (problem.path for problem in problems if problem.path[-1:] == ("kind",))
    return {path[:-1] for path in broken if is_dotted(leaves.get(".".join(map(str, path))))}


def _is_key_of(problem: Problem, sections: set[KeyPath]) -> bool:
    return problem.message == "unknown key" and problem.path[:-1] in sections


def _is_drawn(problem: Problem, space: dict[str, ParameterConfig]) -> bool:
    """Return whether a problem is a missing value that each trial gets from the search."""
    return problem.message.startswith("is missing") and ".".join(map(str, problem.path)) in space


def _find_pair_problems(config: Config, tree: ParamsTree) -> Iterator[Problem]:
    """Return the problems of values that are valid each, but not together."""
    reported = set[tuple[KeyPath, KeyPath]]()
    for setting in covering.cover_pairs(config)[0]:
        for problem in find_file_problems(apply_setting(tree, setting, config.study.space)):
            cause = _find_cause(tree, setting, problem, config.study.space)
            first, *others = sorted(cause, key=lambda name: name != ".".join(map(str, problem.path)))
            if (key := ((first, *sorted(others)), problem.path)) not in reported:
                reported.add(key)
                together = " and ".join(f"{name} {quote_value(cause[name])}" for name in others)
                value = describe_value(cause[first]) + (f" with {together}" if others else "")
                message = f"{value} causes an error at {problem.describe_problem()}"
                yield Problem((*SPACE, first), message)


def _find_cause(tree: ParamsTree, setting: Setting, problem: Problem, space: dict[str, ParameterConfig]) -> Setting:
    """Leave out of a setting what a problem does not need."""
    for name in setting:
        fewer = {other: value for other, value in setting.items() if other != name}
        if problem in find_file_problems(apply_setting(tree, fewer, space)):
            return _find_cause(tree, fewer, problem, space)
    return setting


def _is_missing_path(problem: Problem, keys: KeyPath) -> bool:
    """Return whether a problem shows that a path does not exist: it is above the path, or the key is unknown."""
    is_above = keys[: len(problem.path)] == problem.path
    return is_above and (len(problem.path) < len(keys) or problem.message == "unknown key")


def list_extreme_values(parameter: ParameterConfig | None) -> list[tuple[KeyPath, Any]]:
    """Return keys and values to try; None, to see whether the path exists, for an invalid parameter."""
    if parameter is None:
        return [((), None)]
    if parameter.choices is None:
        return [(("low",), parameter.low), (("high",), parameter.high)]
    return [(("choices", index), value) for index, value in enumerate(parameter.choices)]
