"""Trees of plain values: their leaves, and copies with something changed or left out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from thalweg.schema.problem import ParamsTree


def flatten_tree(tree: ParamsTree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a nested mapping with its dotted path."""
    for name, value in tree.items():
        here = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, dict):
            yield from flatten_tree(value, here)
        else:
            yield here, value


def replace_value(tree: Any, path: Sequence[str], value: Any) -> ParamsTree:
    """The tree with another value at a path."""
    first, *rest = path
    known = tree if isinstance(tree, dict) else {}
    return {**known, first: replace_value(known.get(first), rest, value) if rest else value}


def without(tree: Any, paths: Iterable[Sequence[str | int]]) -> Any:
    """The tree without what is at these paths; a list goes as a whole."""
    for first, *rest in paths:
        if isinstance(tree, dict) and first in tree:
            inner = {first: without(tree[first], [rest])} if rest and isinstance(tree[first], dict) else {}
            tree = {name: value for name, value in tree.items() if name != first or inner} | inner
    return tree
