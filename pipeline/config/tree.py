"""Nested mappings of plain values: flatten, replace values, remove paths."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from thalweg.schema.problem import ParamsTree


def flatten_tree(tree: ParamsTree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every leaf of a nested mapping with its dotted path."""
    for name, value in tree.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, dict):
            yield from flatten_tree(value, path)
        else:
            yield path, value


def replace_values(tree: ParamsTree, values: Mapping[str, Any]) -> ParamsTree:
    """Return a copy of the tree with other values at dotted paths."""
    for path, value in values.items():
        tree = _replace_value(tree, path.split("."), value)
    return tree


def _replace_value(tree: Any, path: Sequence[str], value: Any) -> ParamsTree:
    branch = tree if isinstance(tree, dict) else {}
    first, *rest = [".".join(path)] if ".".join(path) in branch else path  # a name may be a dotted path itself
    return {**branch, first: _replace_value(branch.get(first), rest, value) if rest else value}


def remove_paths(tree: Any, paths: Iterable[Sequence[str | int]]) -> Any:
    """Return a copy of the tree without these paths; a path into a list removes the whole list."""
    for first, *rest in paths:
        if isinstance(tree, dict) and first in tree:
            inner = {first: remove_paths(tree[first], [rest])} if rest and isinstance(tree[first], dict) else {}
            tree = {name: value for name, value in tree.items() if name != first or inner} | inner
    return tree
