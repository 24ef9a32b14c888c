"""Trees of plain values with something changed or left out."""

from collections.abc import Iterable
from typing import Any

from thalweg.schema.problem import Problem, Tree


def with_value(tree: Any, path: tuple[str, ...], value: Any) -> Tree:
    """The tree with another value at a path."""
    first, *rest = path
    known = tree if isinstance(tree, dict) else {}
    return {**known, first: with_value(known.get(first), tuple(rest), value) if rest else value}


def without_problems(tree: Tree, wrong: Iterable[Problem]) -> Tree:
    """The tree without what is wrong with it."""
    for one in wrong:
        tree = without_path(tree, one.path)
    return tree


def without_path(tree: Any, path: Iterable[str | int]) -> Any:
    """The tree without what is at a path; a list goes as a whole."""
    first, *rest = path
    if not isinstance(tree, dict) or first not in tree:
        return tree
    if rest and isinstance(tree[first], dict):
        return tree | {first: without_path(tree[first], rest)}
    return {name: value for name, value in tree.items() if name != first}
