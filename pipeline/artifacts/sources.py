"""The source files that a result follows from, and their digest."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from thalweg.artifacts import prepared
from thalweg.artifacts.own_code import NOT_OWN
from thalweg.config.experiment import Config
from thalweg.config.model import list_model_kinds
from thalweg.core.network import import_model_class
from thalweg.system.members import import_member, list_dotted_members
from thalweg.system.source_files import digest_source, follow_imports, list_libraries

LEFT_OUT = {
    "thalweg.system": "the disk and the clock; what results depend on in the environment is hashed by itself",
    "thalweg.schema.problem": "messages",
    "thalweg.artifacts.damage": "messages",
    "thalweg.artifacts.distinct_trials": "counts finished trials",
    "thalweg.data.splits": "works in `prepare`; the digest of the examples covers the splits",
    "thalweg.data.group_draw": "works in `prepare`; the digest of the examples covers the splits",
    "thalweg.engine.launchers": "starts processes; wherever a run trains, it has the same bits",
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
    models = (import_model_class(kind).__module__ for kind in list_model_kinds(config.model_dump()))
    own = (name for path in _list_own_code(config) for name in name_modules(path))
    return follow_imports([entry.__name__, prepared.__name__, type(config.task).__module__, *models, *own], LEFT_OUT)


def name_modules(path: str) -> Iterator[str]:
    """Yield the modules of own code at a dotted path: the one that names it, and the one that defines it."""
    yield path
    yield getattr(import_member(path), "__module__", None) or path


def list_own_libraries(config: Config) -> dict[str, str]:
    """Return the version of each library that own code uses, by name."""
    return list_libraries(_list_own_code(config), NOT_OWN)


def _list_own_code(config: Config) -> list[str]:
    """Return the dotted paths of all own code that a trial's result depends on."""
    # the examples count by their digest, however they are read, and the report trains nothing
    members = list_dotted_members(config.model_dump()).items()
    return [path for keys, path in members if keys[0] not in ("data", "report")]


def digest_sources(sources: Mapping[str, Path]) -> str:
    """Hash source files by their modules' names, without comments and docstrings."""
    total = hashlib.sha256()
    for name, file in sorted(sources.items()):
        total.update(f"{name}\0{digest_source(file)}\0".encode())
    return total.hexdigest()
