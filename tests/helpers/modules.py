"""The modules of the package, and what they import."""

import ast
from collections.abc import Collection
from functools import cache
from pathlib import Path

from tests.helpers.paths import ROOT


def find_modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name below `thalweg`; models/ is a link there."""
    files = {file.relative_to(ROOT / "pipeline"): file for file in (ROOT / "pipeline").rglob("*.py")}
    files |= {file.relative_to(ROOT): file for file in (ROOT / "models").rglob("*.py")}
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): file for path, file in files.items()}
    return {name: file for name, file in names.items() if name not in ("__init__", "__main__")}


@cache
def list_imported_names(source: str) -> frozenset[str]:
    """Return the dotted names that a source file imports, those inside of functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(names)


def list_imports(source: str, modules: Collection[str]) -> set[str]:
    """Return those of `modules` that a source file imports, whole or in part."""
    names = {name.removeprefix("thalweg.") for name in list_imported_names(source)}
    return {name if name in modules else name.rpartition(".")[0] for name in names} & set(modules)


MODULES = find_modules()
