"""The source files that a result follows from, found by walking imports, and their digest."""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path
from sys import stdlib_module_names
from types import ModuleType

from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.config.model import list_model_kinds
from thalweg.core.network import import_model_class
from thalweg.system import files
from thalweg.system.members import list_dotted_members

LEFT_OUT = {
    "thalweg.system": "the disk and the clock; what results depend on in the environment is hashed by itself",
    "thalweg.schema.problem": "messages",
    "thalweg.artifacts.damage": "messages",
    "thalweg.artifacts.distinct_trials": "counts finished trials",
    "thalweg.data.splits": "works in `prepare`; the digest of the examples covers the splits",
    "thalweg.data.group_draw": "works in `prepare`; the digest of the examples covers the splits",
    "thalweg.search.stopping": "ends a study, and changes none of its trials",
    "thalweg.training.inference": "predicts with networks that are trained",
    "thalweg.tasks.detect.draw_boxes": "draws pictures",
    "thalweg.tasks.enhance.classical_filters": "gives simple answers to compare with",
}
"""Modules and packages that training imports, but no result depends on, each with the reason."""


def list_sources(config: Config, entry: ModuleType) -> dict[str, Path]:
    """Return the source files that training by the module `entry` depends on, by the modules' names.

    These are the entry, the prepared data, the task, the models and all own code, and all that they import but
    `LEFT_OUT`. A library counts with its version instead.
    """
    tree = config.model_dump()
    models = (import_model_class(kind).__module__ for kind in list_model_kinds(tree))
    # the examples count by their digest, however they are read, and the report trains nothing
    own = (path for keys, path in list_dotted_members(tree).items() if keys[0] not in ("data", "report"))
    pending = [entry.__name__, prepared.__name__, type(config.task).__module__, *models, *own]
    seen, sources = set(), {}
    while pending:
        name = pending.pop()
        if name in seen or not name or _is_left_out(name):
            continue
        seen.add(name)
        pending.append(name.rpartition(".")[0])  # a package is imported before what is in it
        if (file := _find_source(name)) is not None:
            sources[name] = file
            package = name if file.name == "__init__.py" else name.rpartition(".")[0]
            pending += _resolve_names(_read_source(files.read_bytes(file))[1], package)
    return sources


def digest_sources(sources: Mapping[str, Path]) -> str:
    """Hash the syntax trees of source files, without comments, docstrings and positions."""
    total = hashlib.sha256()
    for name, file in sorted(sources.items()):
        total.update(name.encode() + b"\0" + _read_source(files.read_bytes(file))[0])
    return total.hexdigest()


def _is_left_out(module: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in LEFT_OUT)


def _find_source(module: str) -> Path | None:
    """Return the file of a module of this project or of the user; None for a library, and for what is no module."""
    try:
        spec = None if _is_library(module.partition(".")[0]) else find_spec(module)
    except Exception:  # a user's package, which is imported to find a module in it, can raise anything
        return None
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def _is_library(package: str) -> bool:
    """Return whether a package is Python's own, is installed, or is not there."""
    if package == __name__.partition(".")[0]:
        return False
    spec = None if package in stdlib_module_names else find_spec(package)
    places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec else []
    return not places or any({"site-packages", "dist-packages"} & set(Path(place).parts) for place in places)


def _resolve_names(names: Iterable[str], package: str) -> Iterator[str]:
    for name in names:
        with suppress(ImportError):  # it goes out of the outermost package
            yield resolve_name(name, package)


@cache  # a study's fingerprints are of the same files
def _read_source(source: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a source's syntax tree as text, without docstrings, and the names that it may import, as they are there.

    What Python cannot parse, such as a user's compiled module, is its own text.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source, ()
    names = tuple(sorted(set(_list_imports(tree))))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_docstring(statement)]  # type: ignore[attr-defined]
    return ast.dump(tree).encode(), names


def _list_imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            separator = "." if node.module else ""
            yield from (module, *(f"{module}{separator}{alias.name}" for alias in node.names))


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
