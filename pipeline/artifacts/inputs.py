"""A stage's inputs, as dvc.yaml lists them: keys of params.yaml, files and folders. They must not change while it runs.

DVC hashes them after the stage. Without this check it would record an edit as what the result was made from. The user's
own code was hashed before the stage, by the stage `inputs`; an edit since then would not be recorded at all.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from thalweg.artifacts import own_code
from thalweg.config.params_file import parse_params
from thalweg.config.tree import flatten_tree
from thalweg.schema.problem import MAX_QUOTED_CHARACTERS
from thalweg.system import files
from thalweg.system.files import NO_FILE, FileState
from thalweg.system.paths import PARAMS

PIPELINE = Path("dvc.yaml")
IGNORE_FILE = Path(".dvcignore")
MAX_SHOWN = 10
"""Number of changes in one message."""


@dataclass(frozen=True)
class WatchedStage:
    """A running stage: the content of params.yaml that it uses, its keys and dependencies, and its files at first."""

    name: str
    params: bytes
    keys: tuple[str, ...]
    dependencies: tuple[Path, ...]
    states: Mapping[Path, FileState]


_watched: ContextVar[WatchedStage | None] = ContextVar("watched", default=None)


@contextmanager
def watch_inputs(stage: str, params: bytes) -> Iterator[None]:
    """Remember the inputs of a stage as they are now, with `params`, the content of params.yaml that was loaded.

    In a folder without dvc.yaml, nothing is watched.
    """
    listed = read_pipeline().get(stage, {})
    dependencies = tuple(Path(_fill_template(text, params)) for text in listed.get("deps", ()))
    states = {file: files.read_state(file) for file in _list_inputs(dependencies)}
    token = _watched.set(WatchedStage(stage, params, list_param_keys(listed), dependencies, states))
    try:
        yield
    finally:
        _watched.reset(token)


def require_unchanged_inputs() -> None:
    """Raise `UserError` with every input of the running stage that is not what it was at its start."""
    stage = _watched.get()
    changes = [*_find_param_changes(stage), *_find_file_changes(stage), *_find_code_changes(stage)] if stage else []
    if stage and changes:
        more = [f"and {len(changes) - MAX_SHOWN} more"] if len(changes) > MAX_SHOWN else []
        advice = "Its result is not recorded. The next `thalweg run` goes on from there."
        message = f"This changed while the stage {stage.name} ran. {advice}"
        raise files.UserError("\n".join([*changes[:MAX_SHOWN], *more, message]))


def read_loaded_params() -> str:
    """Return the text of params.yaml that the running stage uses; without a stage, the text that is there now."""
    stage = _watched.get()
    return (stage.params if stage else files.read_bytes(PARAMS)).decode("utf-8-sig")


def read_pipeline() -> dict[str, Any]:
    """Return the stages in dvc.yaml; none without the file."""
    if not files.path_exists(PIPELINE):
        return {}
    stages: dict[str, Any] = parse_params(PIPELINE, files.read_bytes(PIPELINE))[0].get("stages", {})
    return stages


def list_param_keys(stage: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the dotted keys of params.yaml that a stage in dvc.yaml lists."""
    return tuple(key for key in stage.get("params", ()) if isinstance(key, str))


def _fill_template(text: str, params: bytes) -> str:
    """Replace each ${dotted.path} by its value in params.yaml, as DVC does."""
    if "${" not in text:
        return text
    leaves = dict(flatten_tree(parse_params(PARAMS, params)[0]))
    return re.sub(r"\$\{\s*([^}\s]+)\s*\}", lambda match: str(leaves.get(match[1], match[0])), text)


def _list_inputs(dependencies: tuple[Path, ...]) -> Iterator[Path]:
    """Return the files that DVC hashes: every file of the dependencies, unless .dvcignore names it."""
    patterns = files.read_bytes(IGNORE_FILE).decode(errors="replace") if files.path_exists(IGNORE_FILE) else ""
    ignored = GitIgnoreSpec.from_lines(patterns.splitlines())
    for path in dependencies:
        paths = [path / name for name in files.list_files(path)] or [path]  # a file has none in it
        yield from (file for file in paths if not ignored.match_file(file))


def _find_param_changes(stage: WatchedStage) -> Iterator[str]:
    try:
        content = files.read_bytes(PARAMS)
        if content == stage.params:
            return
        now = _select_leaves(content, stage.keys)
    except files.UserError as error:  # such as a file that is half edited
        yield str(error).splitlines()[0]
        return
    before = _select_leaves(stage.params, stage.keys)
    for path in sorted(before.keys() | now.keys()):
        old, new = before.get(path, "not set"), now.get(path, "not set")
        if old != new:
            yield f"{PARAMS}: {path}: was {old[:MAX_QUOTED_CHARACTERS]}, now {new[:MAX_QUOTED_CHARACTERS]}"


def _select_leaves(params: bytes, keys: tuple[str, ...]) -> dict[str, str]:
    """Return each value at or below one of the dotted `keys`, as JSON."""
    leaves = flatten_tree(parse_params(PARAMS, params)[0])
    selected = ((path, value) for path, value in leaves if any(f"{path}.".startswith(f"{key}.") for key in keys))
    return {path: json.dumps(value, default=str, ensure_ascii=False) for path, value in selected}


def _find_file_changes(stage: WatchedStage) -> Iterator[str]:
    now = set(_list_inputs(stage.dependencies))
    for file in sorted(now | stage.states.keys()):
        old = stage.states.get(file, NO_FILE)
        new = files.read_state(file, old) if file in now else NO_FILE
        if old.digest != new.digest:
            yield f"{file}: {'added' if not old.digest else 'edited' if new.digest else 'removed'}"


def _find_code_changes(stage: WatchedStage) -> Iterator[str]:
    """Return each own file that is not what the stage `inputs` recorded. A stage by hand needs no record."""
    file = own_code.name_record(stage.name)
    if file in stage.dependencies and "DVC_STAGE" in os.environ:
        yield from own_code.find_changes(files.read_json(file))
