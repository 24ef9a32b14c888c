"""The modules of the package, and what they import, as written."""

import ast
from collections.abc import Collection, Iterable
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


@cache
def list_imported_files(file: Path) -> set[Path]:
    """Return the project's files that a file imports, the packages they lie in included."""
    files = set()
    for name in list_imported_names(file.read_text()):
        parts = name.split(".")
        if parts[0] == "thalweg":
            above = [ROOT.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]
            files |= {path / "__init__.py" for path in above} | {path.with_suffix(".py") for path in above}
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
        waiting |= (list_imported_files(file) | members) - reached
    return reached


MODULES = find_modules()
