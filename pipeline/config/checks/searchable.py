"""The paths that a study may search, in a file that may have errors elsewhere."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from thalweg.config.checks import model_sizes
from thalweg.config.experiment import Config
from thalweg.config.numbers import OPTIMIZER, SCHEDULE
from thalweg.config.own_kinds import know_own_kinds
from thalweg.config.spaces import STATIC_PATHS, TRACED_PATHS
from thalweg.config.study import ParameterConfig
from thalweg.config.tree import flatten_tree, remove_paths
from thalweg.schema.problem import ParamsTree, Problem

WHOLE_SECTIONS = {"optimizer": OPTIMIZER, "schedule": SCHEDULE}
"""Sections whose keys are known whatever their kind."""


def is_searchable(name: str) -> bool:
    return name.startswith(TRACED_PATHS + STATIC_PATHS)


def fill_sections(tree: ParamsTree, problems: list[Problem]) -> ParamsTree:
    """Return the tree with the defaults of each section that can be used without the values that have problems."""
    valid_tree, filled = remove_paths(tree, [problem.path for problem in problems]), dict(tree)
    with know_own_kinds(tree):
        for name in [name for name in Config.model_fields if name in valid_tree]:
            with suppress(ValidationError, PydanticCustomError):
                section = _build_adapter(name).validate_python(valid_tree[name])
                filled[name] = _fill_defaults(tree[name], _build_adapter(name).dump_python(section))
    return filled


def list_searchable(filled: ParamsTree, space: Mapping[str, ParameterConfig]) -> tuple[str, ...]:
    """Return the dotted paths that may be searched: in the sections as `fill_sections` fills them, and by their kinds.

    A path whose value is a list is none of them: a study tries single values.
    """
    here = [name for name, value in flatten_tree(filled) if not isinstance(value, list | tuple)]
    of_kinds = [f"{section}.{key}" for section, keys in WHOLE_SECTIONS.items() for key in keys.model_fields]
    paths = dict.fromkeys((*here, *of_kinds, *model_sizes.list_size_paths(space)))
    return tuple(filter(is_searchable, paths))


@cache
def _build_adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(Config.model_fields[name].rebuild_annotation())


def _fill_defaults(written: Any, filled: Any) -> Any:
    """Return a section with defaults, and with what is written there but cannot be used."""
    if not isinstance(written, dict) or not isinstance(filled, dict):
        return filled
    return {key: _fill_defaults(written.get(key), value) for key, value in filled.items()} | {
        key: value for key, value in written.items() if key not in filled
    }
