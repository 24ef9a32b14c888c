"""The plain form of dvc.lock: what DVC writes for stages of files and folders. It is a part of what DVC accepts.

DVC's own schema takes a fifth of a second to import, so it judges only locks of another form.
"""

from typing import Any

from pydantic import Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thalweg.schema.section import StrictModel


class _File(StrictModel):
    path: str
    hash: str = ""
    md5: str = ""
    size: int = 0
    nfiles: int = 0


class _Stage(StrictModel):
    cmd: str
    deps: list[_File] = Field([])
    params: dict[str, dict[str, Any]] = Field({})
    outs: list[_File] = Field([])


class _Stages(StrictModel):
    stages: dict[str, _Stage]


def has_plain_form(content: bytes) -> bool:
    """Return whether this is a whole dvc.lock of the plain form."""
    try:
        tree = YAML(typ="safe", pure=True).load(content.decode())
        if not isinstance(tree, dict) or tree.pop("schema", "") != "2.0":
            return False
        _Stages.model_validate(tree)
    except (YAMLError, ValidationError, ValueError, RecursionError):
        return False
    return True
