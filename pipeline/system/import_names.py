"""The names that a source file imports, by its syntax tree: by a statement, or by a call with a name in quotes."""

import ast
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import resolve_name
from typing import Any

CALLS = {
    "import_module": ("name", "package"),
    "__import__": ("name", "globals", "locals", "fromlist", "level"),
}
"""Functions that import what their first argument names, and their parameters."""
LOADERS = ("spec_from_file_location", "run_path", "run_module")
"""Functions that run a module in a way that nothing here follows."""
OWN_PACKAGE = ("__name__", "__package__", "__spec__.parent")
"""How code writes the package that it lies in."""


def list_imported_names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that code may import, as they are there: a relative one begins with a dot."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                yield from _join_names("." * node.level + (node.module or ""), [alias.name for alias in node.names])
            case ast.Call():
                yield from _read_call(node) or ()


def list_computed_lines(tree: ast.AST) -> Iterator[int]:
    """Yield each line where code imports a module whose name is made at run time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _name_function(node)
            if name in LOADERS or (name in CALLS and _read_call(node) is None):
                yield node.lineno


def _join_names(module: str, members: list[str]) -> Iterator[str]:
    separator = "" if module.endswith(".") else "."
    yield from (module, *(f"{module}{separator}{name}" for name in members))


def _name_function(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _read_call(call: ast.Call) -> list[str] | None:
    """Return the names that a call imports; None if they are made at run time, or if it imports nothing."""
    parameters = CALLS.get(_name_function(call), ())
    values = dict(zip(parameters, call.args, strict=False)) | {item.arg: item.value for item in call.keywords}
    with suppress(KeyError, ValueError, TypeError, ImportError):
        name = "." * (_read_literal(values, "level") or 0) + ast.literal_eval(values["name"])
        if name.startswith(".") and "package" in values and ast.unparse(values["package"]) not in OWN_PACKAGE:
            name = resolve_name(name, ast.literal_eval(values["package"]))
        return [*_join_names(name, [*(_read_literal(values, "fromlist") or ())])]
    return None


def _read_literal(values: dict[str | None, ast.expr], name: str) -> Any:
    return ast.literal_eval(values[name]) if name in values else None
