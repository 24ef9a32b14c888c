"""Follow the imports of the project's files, as written."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.helpers.paths import ROOT


@cache
def list_imports(file: Path) -> set[Path]:
    """Return the project's files that a file imports, the packages they lie in included."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    files = set()
    for name in names:
        parts = name.split(".")
        if parts[0] == "thalweg":
            files |= {ROOT.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)}
            files.add(ROOT.joinpath(*parts).with_suffix(".py"))
    return {path.resolve() for path in files if path.exists()}


def follow_imports(starts: Iterable[Path], families: Iterable[Path] = ()) -> set[Path]:
    """Return files and all that they import, directly or not; with a package of `families`, each file in it."""
    reached: set[Path] = set()
    waiting = set(starts)
    while waiting:
        file = waiting.pop()
        reached.add(file)
        # nothing imports a family's members by name
        is_family = file.name == "__init__.py" and file.parent in families
        members = {member.resolve() for member in file.parent.rglob("*.py")} if is_family else set()
        waiting |= (list_imports(file) | members) - reached
    return reached
