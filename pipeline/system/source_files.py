"""Source files: the modules that code reaches by its imports, and the digest of each. Nothing is imported for it.

A library counts with its version instead: whatever is installed, or is Python's own.
"""

import ast
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import FileFinder, ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from importlib.util import resolve_name
from pathlib import Path
from pkgutil import get_importer

from thalweg.system import files
from thalweg.system.import_names import list_computed_lines, list_imported_names

STDLIB = {str(Path(os.__file__).parent), sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
"""The folders of Python's own modules."""
INSTALLED = {"site-packages", "dist-packages"}
"""Names of the folders of installed packages."""


def follow_imports(starts: Iterable[str], left_out: Iterable[str] = ()) -> dict[str, Path]:
    """Return the source files of modules and of all that they import, by the modules' names.

    `starts` are dotted names of modules, or of what is in them. A module of `left_out`, or in a package of it, is
    neither returned nor followed.
    """
    return {name: file for name, file in _walk_imports(starts, left_out) if file}


def list_libraries(starts: Iterable[str], left_out: Iterable[str] = ()) -> dict[str, str]:
    """Return the version of each installed library that `follow_imports` comes to, by the name that pip knows."""
    packages = {name.partition(".")[0] for name, file in _walk_imports(starts, left_out) if not file}
    found: dict[str, str] = {}
    for package in packages - sys.stdlib_module_names:
        spec = _find_top(package)
        if spec and _is_library(spec):
            found |= _read_versions(package)
    return dict(sorted(found.items()))


def list_computed_imports(starts: Iterable[str], left_out: Iterable[str] = ()) -> list[tuple[Path, int]]:
    """Return each file and line where a module is imported by a name that is made at run time: it is not followed."""
    sources = sorted(follow_imports(starts, left_out).values())
    return [(file, line) for file in sources for line in _read_source(files.read_bytes(file))[2]]


def find_version(library: str) -> str:
    """Return the version of an installed library; 'none' if it is not there."""
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"


def _read_versions(package: str) -> dict[str, str]:
    """Return the version of each installed distribution that holds a package."""
    try:  # most have the package's name, and to read all takes a fifth of a second
        facts = distribution(package).metadata
    except PackageNotFoundError:
        return {name: version(name) for name in packages_distributions().get(package, ())}
    return {facts["Name"]: facts["Version"]}


def _walk_imports(starts: Iterable[str], left_out: Iterable[str]) -> Iterator[tuple[str, Path | None]]:
    """Yield each name that modules import, and what they import in turn, with its file if it is no library's."""
    pending, unwanted, seen = list(starts), tuple(f"{name}." for name in left_out), set()
    while pending:
        name = pending.pop()
        if name in seen or not name or f"{name}.".startswith(unwanted):
            continue
        seen.add(name)
        pending.append(name.rpartition(".")[0])  # a package is imported before what is in it
        file = find_source(name)
        yield name, file
        if file is not None:
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            pending += _resolve_names(_read_source(files.read_bytes(file))[1], package)


def find_source(module: str) -> Path | None:
    """Return the file of a module of this project or of the user; None for a library, and for what is no module."""
    top, *inner = module.split(".")
    spec = _find_top(top)
    if spec and _is_library(spec):
        return None
    for count in range(len(inner)):
        places = spec.submodule_search_locations if spec else None
        spec = _find_spec(".".join((top, *inner[: count + 1])), places or ())
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def digest_source(file: Path) -> str:
    """Return the SHA-256 of a source file's syntax tree, without comments, docstrings and positions."""
    return _read_source(files.read_bytes(file))[0]


def _find_top(name: str) -> ModuleSpec | None:
    """Find a module or package as a new process does, whatever this one has imported already."""
    specs = (finder.find_spec(name, None) for finder in sys.meta_path if name)
    return next((spec for spec in specs if spec), None)


def _find_spec(module: str, places: Iterable[str]) -> ModuleSpec | None:
    """Find a module in the folders of its package. `importlib.util.find_spec` would import the package."""
    specs = [finder.find_spec(module) for place in places if isinstance(finder := get_importer(place), FileFinder)]
    found = [spec for spec in specs if spec]
    # a folder without __init__.py is a package, too, if no folder has a module of this name
    return next((spec for spec in found if spec.loader), next(iter(found), None))


def _is_library(spec: ModuleSpec) -> bool:
    """Return whether a package is Python's own or is installed, by the place of its files and not by its name."""
    if spec.name == __name__.partition(".")[0]:
        return False
    places = [Path(place) for place in (*(spec.submodule_search_locations or ()), spec.origin or "")]
    return any(INSTALLED & {*place.parts} or STDLIB & {*map(str, place.parents)} for place in places)


def _resolve_names(names: Iterable[str], package: str) -> Iterator[str]:
    for name in names:
        with suppress(ImportError):  # it goes out of the outermost package
            yield resolve_name(name, package)


@cache  # a study's fingerprints are of the same files
def _read_source(source: bytes) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """Return the digest of a source's syntax tree, the names that it may import, and the lines that compute one.

    What Python cannot parse, such as a user's compiled module, counts with its bytes.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return hashlib.sha256(source).hexdigest(), (), ()
    names, lines = tuple(sorted(set(list_imported_names(tree)))), tuple(sorted(set(list_computed_lines(tree))))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_docstring(statement)]  # type: ignore[attr-defined]
    try:
        described = _describe_node(tree).encode()
    except RecursionError:  # a sum of hundreds of terms is a tree as deep
        described = source
    return hashlib.sha256(described).hexdigest(), names, lines


def _describe_node(node: object) -> str:
    """Describe a syntax tree as every version of Python does: new versions add fields, which are empty in old code."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({', '.join(f'{name}={_describe_node(value)}' for name, value in fields)})"
    return f"[{', '.join(map(_describe_node, node))}]" if isinstance(node, list) else repr(node)


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
