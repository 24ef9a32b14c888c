"""The section `model` of params.yaml."""

import inspect
import pkgutil
import re
from collections.abc import Hashable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, cast, get_origin

from pydantic import ConfigDict, Field, Strict, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from thalweg import models
from thalweg.core.network import import_model_class, list_model_sizes
from thalweg.schema.section import StrictModel, build_model_class, is_free_name
from thalweg.system import files
from thalweg.system.members import MemberError, is_dotted, run_own_code

MODEL_CLASS_PATTERN = re.compile(rb"^class Model\b", re.MULTILINE)


def list_model_kinds(tree: Any) -> set[str]:
    """Return every model that a params file names, in `model.kind` and its choices; the file need not be valid."""

    def find_part(part: Any, *keys: str) -> Any:
        for key in keys:
            part = part.get(key) if isinstance(part, dict) else None
        return part

    choices = find_part(tree, "study", "space", "model.kind", "choices")
    kinds = [find_part(tree, "model", "kind"), *(choices if isinstance(choices, list | tuple) else ())]
    return {kind for kind in kinds if isinstance(kind, str)}


class InitialScales(StrictModel):
    """Factors on the weights that a model draws at its start. They are numbers of the program, not sizes."""

    gain: float = Field(1.0, gt=0.0, description="factor on the initial weights of all layers but the last")
    last_gain: float = Field(1.0, ge=0.0, description="factor on the initial weights of the last layer")


class ModelConfig(InitialScales):
    """A file in models/ or the dotted path of a class (`kind`), and the sizes that it takes."""

    model_config = ConfigDict(extra="allow")
    kind: str

    @model_validator(mode="after")
    def _check_sizes(self) -> "ModelConfig":
        """Check the sizes against the model's constructor; its defaults fill in the others."""
        if not is_dotted(self.kind) and self.kind not in MODEL_KINDS:
            raise PydanticCustomError("kind", "is not known", {"given": self.kind, "allowed": [*MODEL_KINDS]})
        try:
            sizes = run_own_code(self.kind, build_sizes_class, self.kind)
        except MemberError as error:
            raise PydanticCustomError("member", "{fault}", {"fault": str(error)}) from None
        extra = self.__pydantic_extra__
        assert extra is not None
        # with the scales, which an error about an unknown key names among the allowed ones
        filled = sizes.model_validate(extra | {"gain": self.gain, "last_gain": self.last_gain}).model_dump()
        extra |= {name: value for name, value in filled.items() if name not in InitialScales.model_fields}
        return self

    @property
    def sizes(self) -> tuple[tuple[str, Any], ...]:
        extra = self.__pydantic_extra__ or {}
        return tuple(sorted((n, tuple(v) if isinstance(v, list) else v) for n, v in extra.items()))


def build_sizes_class(kind: str) -> type[Any]:
    """Build the section of a model's sizes. Raises any exception for a model that params.yaml cannot describe."""
    return _build_sizes_class(kind, cast(Hashable, import_model_class(kind)))


@cache
def _build_sizes_class(kind: str, _model: Hashable) -> type[Any]:
    """Build the section of a model's sizes, once for a class: each trial of a study needs it.

    Raises `MemberError` for a model that params.yaml cannot describe.
    """
    sizes = list_model_sizes(kind)
    for name, size in sizes.items():
        if not is_free_name(name, ModelConfig):
            raise MemberError(kind, f"has a size `{name}`; give it another name, because the section uses this one")
        if not _is_plain(size.default):
            raise MemberError(kind, f"has a size `{name}` whose default is not text, a number, true, false or null")
        if not _is_checkable(_loosen_type(size.annotation, "." not in kind)):
            raise MemberError(kind, f"has a size `{name}` whose annotation is no type that a key can have")
    defaults = {name: ... if size.default is size.empty else size.default for name, size in sizes.items()}
    types = {name: _loosen_type(size.annotation, "." not in kind) for name, size in sizes.items()}
    scales: dict[str, Any] = {name: (field.annotation, field) for name, field in InitialScales.model_fields.items()}
    return build_model_class("Sizes", {name: (types[name], defaults[name]) for name in sizes} | scales)


def _is_checkable(annotation: Any) -> bool:
    """Return whether Pydantic can compare a value with an annotation."""
    try:
        TypeAdapter(annotation)
    except Exception:  # an annotation can be anything
        return False
    return True


def _is_plain(value: Any) -> bool:
    """Return whether params.yaml can hold a value."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is inspect.Parameter.empty or value is None or isinstance(value, bool | int | float | str)


def _has_model_class(name: str) -> bool:
    """Return whether a file in models/ has a class `Model`. Reads the file without importing it: it may be broken."""
    spec = find_spec(f"{models.__name__}.{name}")
    return bool(spec and spec.origin and MODEL_CLASS_PATTERN.search(files.read_bytes(Path(spec.origin))))


MODEL_KINDS = tuple(sorted(file.name for file in pkgutil.iter_modules(models.__path__) if _has_model_class(file.name)))


def _loosen_type(annotation: Any, built_in: bool) -> Any:
    """Return the type to check a size against: a tuple also accepts a list, a textual annotation anything.

    In a `built_in` model (a file in models/) whole numbers are 1 or more and lists are not empty.
    """
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return Any
    if get_origin(annotation) is tuple:
        return Annotated[annotation, Strict(False), Field(min_length=1 if built_in else 0)]
    return Annotated[int, Field(ge=1)] if built_in and annotation is int else annotation
