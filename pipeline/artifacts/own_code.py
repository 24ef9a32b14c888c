"""A user's own code: the files that the dotted paths of params.yaml reach.

DVC does not follow imports. So the stage `inputs` records these files for each other stage, which depends on that.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import thalweg
from thalweg.schema.problem import ParamsTree
from thalweg.system.members import list_dotted_members
from thalweg.system.paths import INPUTS, PARAMS
from thalweg.system.search_path import find_search_path
from thalweg.system.source_files import digest_source, find_source, follow_imports


def find_own_code(tree: ParamsTree, keys: Iterable[str]) -> dict[str, Path]:
    """Return the source files that the dotted paths at or below some dotted keys of a params file reach, by module."""
    parts = [tuple(key.split(".")) for key in keys]
    members = list_dotted_members(tree).items()
    named = [path for place, path in members if any(place[: len(part)] == part for part in parts)]
    return follow_imports(named, [thalweg.__name__])


def find_folders(tree: ParamsTree) -> list[str]:
    """Return the folders where Python looks for modules once the own code of a params file is imported."""
    members = dict.fromkeys(list_dotted_members(tree).values())
    return find_search_path(members, follow_imports(members, [thalweg.__name__]).values())


def build_record(tree: ParamsTree, keys: Iterable[str]) -> dict[str, Any]:
    """Return what a stage that reads these keys is made by: the version of thalweg, and the digest of each own file."""
    own = find_own_code(tree, keys).items()
    return {"thalweg": thalweg.__version__, "code": {module: digest_source(file) for module, file in own}}


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


def name_record(stage: str) -> Path:
    """Return the path of a stage's record."""
    return INPUTS / f"{stage}.json"
