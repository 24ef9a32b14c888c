"""`thalweg run`: hand over to `dvc repro`, once params.yaml has what DVC itself reads there."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thalweg.artifacts.inputs import list_param_keys, read_pipeline
from thalweg.config.params_file import parse_params
from thalweg.system import files, project_folder
from thalweg.system.dvc_command import build_dvc_command
from thalweg.system.paths import PARAMS

DATA = "data.path"
TEMPLATE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
"""A value of params.yaml in dvc.yaml."""


def run_pipeline(arguments: Sequence[str]) -> None:
    """Become the process of `dvc repro`. Raises `UserError` where DVC could not read params.yaml."""
    if not files.path_exists(project_folder.PIPELINE):
        raise files.UserError(f"{project_folder.PIPELINE}: no such file here or in a folder above")
    require_readable_params()
    command, environment = build_dvc_command("repro", *arguments)
    sys.stdout.flush()
    os.execve(command[0], command, environment)


def require_readable_params() -> None:
    """Raise `ParamsError` with all errors of params.yaml where one of them would end DVC, in its words."""
    content = files.read_bytes(PARAMS)
    tree = parse_params(PARAMS, content)[0]
    data = _find_value(tree, DATA)
    is_missing = isinstance(data, str) and not files.path_exists(Path(data))
    if is_missing or _has_repeated_keys(content) or any(_list_unreadable(tree)):
        # takes two seconds, which a good file need not wait for
        from thalweg.cli.preflight import find_data_problems
        from thalweg.config.load import load_config

        load_config(PARAMS, find_data_problems, content=content)
    if is_missing:  # a source that draws its examples needs no folder, but DVC does
        raise files.UserError(f"{PARAMS}: {DATA}: {data} does not exist; make the folder, or name another")


def _has_repeated_keys(content: bytes) -> bool:
    """Return whether DVC refuses YAML that `parse_params` takes: it lists repeated keys with the other errors."""
    try:
        YAML(typ="safe", pure=True).load(content)
    except YAMLError:
        return True
    return False


def _list_unreadable(tree: Any) -> Iterator[str]:
    """List the keys that dvc.yaml names and params.yaml lacks, or that are no single value where it needs one."""
    for stage in read_pipeline().values():
        yield from (key for key in list_param_keys(stage) if _find_value(tree, key) is None)
    pipeline = files.read_bytes(project_folder.PIPELINE).decode(errors="replace")
    yield from (key for key in TEMPLATE.findall(pipeline) if not _is_writable(_find_value(tree, key)))


def _is_writable(value: Any) -> bool:
    """Return whether DVC can write a value in place of a template that names a path."""
    return value != "" and isinstance(value, str | int | float) and not isinstance(value, bool)


def _find_value(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree
