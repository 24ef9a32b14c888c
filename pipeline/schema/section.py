"""The strict base of all sections of params.yaml, and families of sections with a `kind`.

A family (data sources, tasks) is a folder. A member is a file in it with one `StrictModel`, whose literal `kind` is the
file's name. A new file is a new member, without registration. A user's own member is a class at a dotted path.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Strict, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from thalweg.schema.problem import MAX_QUOTED_CHARACTERS
from thalweg.system.members import MemberError, describe_error, import_class, is_dotted

Strings = Annotated[tuple[str, ...], Strict(False)]


class StrictModel(BaseModel):
    """A frozen section of params.yaml that rejects unknown keys, wrong types and values out of range."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def suggest_value(cls, value: Any) -> str:
        """Return what to write in place of a value that is not a mapping; '' if unknown."""
        return _suggest_kind(value) if "kind" in cls.model_fields else ""

    @model_validator(mode="wrap")
    @classmethod
    def _explain_errors(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        """Add the allowed keys or values to errors about unknown and missing keys."""
        try:
            return handler(value)
        except ValidationError as error:
            details = [_add_allowed_values(cls, detail) for detail in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, details) from None


def is_free_name(name: str, base: type[StrictModel] = StrictModel) -> bool:
    """Return whether a section built from `base` can have a key of this name: Pydantic uses some names itself."""
    is_taken = hasattr(base, name) or name.startswith(("_", "model_validate", "model_dump"))
    return not is_taken and name not in base.model_fields


def build_model_class(name: str, fields: dict[str, Any], base: type[StrictModel] = StrictModel) -> type[Any]:
    """Build a section from fields that are known only at run time: (type, default), ... for no default."""
    return create_model(name, __base__=base, **fields)


@cache
def find_members(package: str) -> dict[str, type[StrictModel]]:
    """Return the members of a family by kind: each `StrictModel` in `package` whose kind is its file's name."""
    members = {}
    for file in pkgutil.iter_modules(importlib.import_module(package).__path__):
        for value in vars(importlib.import_module(f"{package}.{file.name}")).values():
            if isinstance(value, type) and issubclass(value, StrictModel) and _list_kinds(value) == (file.name,):
                members[file.name] = value
    return dict(sorted(members.items()))


def _add_allowed_values(model: type[StrictModel], error: Any) -> InitErrorDetails:
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden" and "allowed" not in context:
        context = {"allowed": list(model.model_fields)}
    if error["type"] in ("model_type", "dict_type") and not error["loc"]:
        context = {"allowed": list(model.model_fields), "instead": model.suggest_value(error["input"])}
    if error["type"] == "missing" and len(error["loc"]) == 1:
        field = model.model_fields[error["loc"][0]]
        context = {"allowed": list(get_args(field.annotation))} if get_origin(field.annotation) is Literal else {}
    if error["type"] == "tuple_type" and len(error["loc"]) == 1:
        context = {"entries": model.model_fields[error["loc"][0]].description or ""}
    kind = PydanticCustomError(error["type"], error["msg"], context)
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])


def _list_kinds(model: type[StrictModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _suggest_kind(value: Any) -> str:
    is_short = isinstance(value, str) and len(value) <= MAX_QUOTED_CHARACTERS
    return f"`{{kind: {value}, …}}`" if is_short else "`{kind: …}`"


def check_kind(value: Any, allowed: list[str]) -> str:
    """Return the `kind` of a mapping. Raises Pydantic's error if it has none, or one that is not allowed."""
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "must be a mapping", {"instead": _suggest_kind(value)})
    if "kind" not in value:
        raise PydanticCustomError("family", "needs a `kind`", {"allowed": allowed})
    if value["kind"] not in allowed:
        raise PydanticCustomError("kind", "is not known", {"given": value["kind"], "allowed": allowed})
    return str(value["kind"])


def _validate_own_member(path: str, base: type[StrictModel], value: Any) -> StrictModel:
    """Build an own member from its keys. Raises Pydantic's error if its class or a key does not fit."""
    try:
        member: type[StrictModel] = import_class(path, base)
        if missing := sorted(getattr(member, "__abstractmethods__", ())):
            raise MemberError(path, f"lacks {', '.join(f'`{name}`' for name in missing)}")
        member = _allow_kind(member, path) if _list_kinds(member) else member
        return member.model_validate(value)
    except MemberError as error:
        raise PydanticCustomError("member", "{fault}", {"fault": str(error)}) from None
    except (ValidationError, PydanticCustomError):
        raise
    except Exception as error:  # a validator of its own, or an annotation, can raise anything
        fault = f"`{path}` fails: {describe_error(error)}"
        raise PydanticCustomError("member", "{fault}", {"fault": fault}) from None


@cache
def _allow_kind(member: type[StrictModel], path: str) -> type[StrictModel]:
    """Return an own subclass of one of our members, whose only kind is ours, with the dotted path as its kind."""
    kind: Any = (Literal[path], path)
    return create_model(member.__name__, __base__=member, __module__=member.__module__, kind=kind)


def build_member_validator(package: str, base: type[StrictModel] = StrictModel) -> Callable[[Any], Any]:
    """Build a validator that turns a mapping with a `kind` into that member of the family.

    The kind may be the dotted path of an own subclass of `base`.
    """

    def validate_member(value: Any) -> Any:
        if isinstance(value, StrictModel):
            return value
        if isinstance(value, dict) and is_dotted(value.get("kind")):
            return _validate_own_member(value["kind"], base, value)
        kind = check_kind(value, list(find_members(package)))
        return find_members(package)[kind].model_validate(value)

    return validate_member
