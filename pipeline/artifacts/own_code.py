"""A user's own code: the files that the dotted paths of params.yaml reach.

DVC does not follow imports. So the stage `inputs` records these files for each other stage, which depends on that.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import thalweg
from thalweg.schema.problem import ParamsTree
from thalweg.system.counts import join_first
from thalweg.system.members import list_dotted_members
from thalweg.system.paths import INPUTS, PARAMS
from thalweg.system.search_path import find_search_path
from thalweg.system.source_files import (
    digest_source,
    find_source,
    find_version,
    follow_imports,
    list_computed_imports,
    list_libraries,
)

NOT_OWN = (thalweg.__name__,)


def find_folders(tree: ParamsTree) -> list[str]:
    """Return the folders where Python looks for modules once the own code of a params file is imported."""
    members = dict.fromkeys(list_dotted_members(tree).values())
    return find_search_path(members, follow_imports(members, NOT_OWN).values())


def build_record(tree: ParamsTree, keys: Iterable[str]) -> dict[str, Any]:
    """Return what a stage that reads these dotted keys is made by.

    It is the version of thalweg, the digest of each own file that the dotted paths at or below the keys reach, and the
    version of each library that these use.
    """
    parts = [tuple(key.split(".")) for key in keys]
    members = list_dotted_members(tree).items()
    named = [path for place, path in members if any(place[: len(part)] == part for part in parts)]
    code = {module: digest_source(file) for module, file in follow_imports(named, NOT_OWN).items()}
    return {"thalweg": thalweg.__version__, "code": code, "libraries": list_libraries(named, NOT_OWN)}


def describe_computed_imports(tree: ParamsTree) -> str:
    """Say where own code imports a module that nothing here can know; '' if nowhere."""
    found = list_computed_imports(list_dotted_members(tree).values(), NOT_OWN)
    if not found:
        return ""
    places = join_first([f"{file.name}:{line}" for file, line in found])
    return (
        f"own code imports a module by a name that is made at run time ({places}); no edit of that module is noticed, "
        "so import it by its name in quotes"
    )


def find_changes(record: Mapping[str, Any]) -> Iterator[str]:
    """Return what of a record is not as it was, each in a line.

    The files are those of the record. The imports are not followed again: own code may have added folders since.
    """
    if record["thalweg"] != thalweg.__version__:
        yield f"thalweg: was {record['thalweg']}, now {thalweg.__version__}"
    for module, digest in record["code"].items():
        file = find_source(module)
        if file is None or digest_source(file) != digest:
            yield f"{module}, own code that {PARAMS} names: {'edited' if file else 'removed'}"
    for name, before in record["libraries"].items():
        if (now := find_version(name)) != before:
            yield f"{name}, a library of own code: was {before}, now {now}"


def name_record(stage: str) -> Path:
    """Return the path of a stage's record."""
    return INPUTS / f"{stage}.json"
