"""Validate the sizes of a model whose kind is searched: each network has sizes of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from thalweg.config.model import build_sizes_class
from thalweg.config.study import ParameterConfig
from thalweg.config.write import format_inline
from thalweg.schema.problem import ParamsTree, Problem

MODEL, KIND = "model", "model.kind"


def find_size_problems(
    tree: ParamsTree, problems: list[Problem], space: Mapping[str, ParameterConfig]
) -> Iterator[Problem]:
    """Return the sizes that some of the searched networks lack, where no condition leaves them out.

    `problems` are those of the file so far: a model with one of them is not judged.
    """
    kinds, section = [kind for kind in _list_choices(space) if _list_sizes(kind)], tree.get(MODEL)
    if not kinds or not isinstance(section, dict) or any(problem.path[:1] == (MODEL,) for problem in problems):
        return
    own_kind, faults, added, entries = section.get("kind"), list[str](), list[str](), list[str]()
    searched = [name.removeprefix(f"{MODEL}.") for name in space if name.startswith(f"{MODEL}.")]
    for key in dict.fromkeys([*section, *searched]):
        name, owners = f"{MODEL}.{key}", _list_owners((*kinds, own_kind), key)
        lacking = [kind for kind in kinds if kind not in owners]
        if not lacking or not owners or (name in space and set(_list_kinds(space, name)) <= set(owners)):
            continue
        fault = f"{_join_kinds(lacking)} {'has' if len(lacking) == 1 else 'have'} no `{key}`"
        if name in space:
            owners = [kind for kind in owners if kind in kinds] or owners
        new_choice = (
            [] if own_kind in kinds or own_kind not in owners else [f"add `{own_kind}` to the choices of {KIND}"]
        )
        entry = f"`{_format_entry(name, space.get(name, section.get(key)), owners)}`"
        if name in space:
            yield Problem(("study", "space", name), f"{fault}; {' and '.join([*new_choice, f'write {entry}'])}")
        else:
            faults, added, entries = [*faults, fault], new_choice, [*entries, entry]
    if faults:
        advice = " and ".join([*added, f"search {' and '.join(entries)}"])
        message = f"{' and '.join(faults)}, unlike the {MODEL} of this file; {advice}"
        yield Problem(("study", "space", KIND), message)


def advise_condition(tree: ParamsTree, problem: Problem) -> Problem:
    """Add to a problem how to search a size that other searched networks have, but not the file's own."""
    space, name = get_space(tree), ".".join(map(str, problem.path))
    kinds = space[KIND].get("choices") if isinstance(space.get(KIND), dict) else None
    if problem.message != "unknown key" or problem.path[:1] != (MODEL,) or not isinstance(kinds, list):
        return problem
    owners = _list_owners([kind for kind in kinds if isinstance(kind, str)], str(problem.path[-1]))
    if not owners:
        return problem
    entry = _format_entry(name, tree[MODEL][problem.path[-1]], owners)
    advice = "remove it here, because study.space has it" if name in space else f"move it to study.space as `{entry}`"
    return replace(
        problem, message=f"`{tree[MODEL].get('kind')}` has none, unlike {_join_kinds(owners)}; {advice}", allowed=()
    )


def get_space(tree: ParamsTree) -> ParamsTree:
    """Return the search space as it is written."""
    study = tree.get("study")
    space = study.get("space") if isinstance(study, dict) else None
    return space if isinstance(space, dict) else {}


def list_size_paths(space: Mapping[str, ParameterConfig]) -> tuple[str, ...]:
    """Return the paths of the sizes that the searched networks have."""
    return tuple(dict.fromkeys(f"{MODEL}.{size}" for kind in _list_choices(space) for size in _list_sizes(kind)))


def _list_choices(space: Mapping[str, ParameterConfig]) -> Sequence[Any]:
    return (space[KIND].choices or ()) if KIND in space else ()


def _list_owners(kinds: Sequence[Any], key: str) -> list[Any]:
    """Return the kinds of model that have a size."""
    return [kind for kind in dict.fromkeys(kinds) if key in ("kind", *_list_sizes(kind))]


def _list_sizes(kind: Any) -> list[str]:
    """Return the sizes of a kind of model; none if it cannot be used, which has a problem of its own."""
    try:
        return [*build_sizes_class(kind).model_fields]
    except Exception:  # a user's model can raise anything
        return []


def _list_kinds(space: Mapping[str, ParameterConfig], name: str) -> list[Any]:
    """Return the kinds with which a parameter is searched: its conditions, and those of what it depends on, hold."""
    kinds, pending, seen = [*_list_choices(space)], [name], set[str]()
    while pending:
        name = pending.pop()
        seen.add(name)
        for condition, values in space[name].when.items() if name in space else ():
            kinds = [kind for kind in kinds if condition != KIND or kind in values]
            pending += [condition] if condition not in seen else []
    return kinds


def _format_entry(name: str, entry: Any, kinds: list[Any]) -> str:
    """Format a parameter of the space that some kinds of model have; `entry` may be its value in the file."""
    keys: ParamsTree = {"choices": [entry]}
    if isinstance(entry, ParameterConfig):
        keys = entry.model_dump(exclude_unset=True)
    when = keys.pop("when", {}) | {KIND: kinds}
    return format_inline(_list_plainly({name: {**keys, "when": when}}))[1:-1]


def _list_plainly(value: Any) -> Any:
    """Return a value with lists in place of tuples, which YAML has not."""
    if isinstance(value, dict):
        return {key: _list_plainly(inner) for key, inner in value.items()}
    return [*value] if isinstance(value, tuple) else value


def _join_kinds(kinds: list[Any]) -> str:
    return " and ".join(f"`{kind}`" for kind in kinds)
