"""The strict base of every part of params.yaml, and how a part finds its kind.

A family (data sources, tasks) is a folder; a member is a file in it that holds one `Section` with a literal `kind`
equal to the file's name. Nothing is registered: a new file is a new member.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Strict, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from thalweg.schema.problem import MAX_QUOTED_CHARACTERS

Strings = Annotated[tuple[str, ...], Strict(False)]


class StrictModel(BaseModel):
    """A frozen, strict part of params.yaml: an unknown key, a wrong type or a value out of range is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def suggest_value(cls, value: Any) -> str:
        """What to write in place of a value that has no keys; nothing where that is not known."""
        return _suggest_kind(value) if "kind" in cls.model_fields else ""

    @model_validator(mode="wrap")
    @classmethod
    def _explain_errors(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        """The error of an unknown key, or of a missing choice, carries what is allowed at its place."""
        try:
            return handler(value)
        except ValidationError as error:
            details = [_add_allowed_values(cls, detail) for detail in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, details) from None


def build_model_class(name: str, fields: dict[str, Any], base: type[StrictModel] = StrictModel) -> type[Any]:
    """A section whose fields are known only when the program runs: each a (type, default), ... where there is none."""
    return create_model(name, __base__=base, **fields)


@cache
def find_members(package: str) -> dict[str, type[StrictModel]]:
    """The members of a family by kind: every `Section` in `package` that is named by its file."""
    found = {}
    for file in pkgutil.iter_modules(importlib.import_module(package).__path__):
        for value in vars(importlib.import_module(f"{package}.{file.name}")).values():
            if isinstance(value, type) and issubclass(value, StrictModel) and _list_kinds(value) == (file.name,):
                found[file.name] = value
    return dict(sorted(found.items()))


def _add_allowed_values(model: type[StrictModel], error: Any) -> InitErrorDetails:
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden" and "allowed" not in context:
        context = {"allowed": list(model.model_fields)}
    if error["type"] in ("model_type", "dict_type") and not error["loc"]:
        context = {"allowed": list(model.model_fields), "instead": model.suggest_value(error["input"])}
    if error["type"] == "missing" and len(error["loc"]) == 1:
        field = model.model_fields[error["loc"][0]]
        context = {"allowed": list(get_args(field.annotation))} if get_origin(field.annotation) is Literal else {}
    kind = PydanticCustomError(error["type"], error["msg"], context)
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])


def _list_kinds(model: type[StrictModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _suggest_kind(value: Any) -> str:
    return (
        f"`{{kind: {value}, …}}`" if isinstance(value, str) and len(value) <= MAX_QUOTED_CHARACTERS else "`{kind: …}`"
    )


def check_kind(value: Any, allowed: list[str]) -> str:
    """The `kind` of a mapping; an error where it has none, or one that is not allowed."""
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "must have keys of its own", {"instead": _suggest_kind(value)})
    if "kind" not in value:
        raise PydanticCustomError("family", "needs a `kind`", {"allowed": allowed})
    if value["kind"] not in allowed:
        raise PydanticCustomError("kind", "is not known", {"given": value["kind"], "allowed": allowed})
    return str(value["kind"])


def build_member_validator(package: str) -> Callable[[Any], Any]:
    """A validator that turns a mapping with a `kind` into that member of the family."""

    def validate(value: Any) -> Any:
        if isinstance(value, StrictModel):
            return value
        kind = check_kind(value, list(find_members(package)))
        return find_members(package)[kind].model_validate(value)

    return validate
