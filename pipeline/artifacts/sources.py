"""The source files that a result follows from, and their digest."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from thalweg.artifacts import prepared
from thalweg.config.experiment import Config
from thalweg.config.model import list_model_kinds
from thalweg.core.network import import_model_class
from thalweg.system.members import list_dotted_members
from thalweg.system.source_files import digest_source, follow_imports

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
    return follow_imports([entry.__name__, prepared.__name__, type(config.task).__module__, *models, *own], LEFT_OUT)


def digest_sources(sources: Mapping[str, Path]) -> str:
    """Hash source files by their modules' names, without comments and docstrings."""
    total = hashlib.sha256()
    for name, file in sorted(sources.items()):
        total.update(f"{name}\0{digest_source(file)}\0".encode())
    return total.hexdigest()
