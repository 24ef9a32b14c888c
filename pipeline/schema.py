"""The strict base of every part of params.yaml, and how a part finds its kind.

A family (data sources, tasks) is a folder; a member is a file in it that holds one `Section` with a literal `kind`
equal to the file's name. Nothing is registered: a new file is a new member.
"""

import difflib
import importlib
import json
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Strict, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

Strings = Annotated[tuple[str, ...], Strict(False)]


class Section(BaseModel):
    """A frozen, strict part of params.yaml: an unknown key, a wrong type or a value out of range is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def instead(cls, value: Any) -> str:
        """What to write in place of a value that has no keys; nothing where that is not known."""
        return _of_kind(value) if "kind" in cls.model_fields else ""

    @model_validator(mode="wrap")
    @classmethod
    def _name_what_is_allowed(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        """The error of an unknown key, or of a missing choice, carries what is allowed at its place."""
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                cls.__name__, [_detail(cls, detail) for detail in error.errors(include_url=False)]
            ) from None


def create(name: str, fields: dict[str, Any], base: type[Section] = Section) -> type[Any]:
    """A section whose fields are known only when the program runs: each a (type, default), ... where there is none."""
    return create_model(name, __base__=base, **fields)


@cache
def members(package: str) -> dict[str, type[Section]]:
    """The members of a family by kind: every `Section` in `package` that is named by its file."""
    found = {}
    for file in pkgutil.iter_modules(importlib.import_module(package).__path__):
        for value in vars(importlib.import_module(f"{package}.{file.name}")).values():
            if isinstance(value, type) and issubclass(value, Section) and _kind(value) == (file.name,):
                found[file.name] = value
    return dict(sorted(found.items()))


def _detail(section: type[Section], detail: Any) -> InitErrorDetails:
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden" and "allowed" not in context:
        context = {"allowed": list(section.model_fields)}
    if detail["type"] in ("model_type", "dict_type") and not detail["loc"]:
        context = {"allowed": list(section.model_fields), "instead": section.instead(detail["input"])}
    if detail["type"] == "missing" and len(detail["loc"]) == 1:
        field = section.model_fields[detail["loc"][0]]
        context = {"allowed": list(get_args(field.annotation))} if get_origin(field.annotation) is Literal else {}
    kind = PydanticCustomError(detail["type"], detail["msg"], context)
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"])


def _kind(section: type[Section]) -> tuple[Any, ...]:
    field = section.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def _of_kind(value: Any) -> str:
    return f"`{{kind: {value}, …}}`" if isinstance(value, str) and len(value) <= LONGEST else "`{kind: …}`"


def kind_of(value: Any, allowed: list[str]) -> str:
    """The `kind` of a mapping; an error where it has none, or one that is not allowed."""
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "must have keys of its own", {"instead": _of_kind(value)})
    if "kind" not in value:
        raise PydanticCustomError("family", "needs a `kind`", {"allowed": allowed})
    if value["kind"] not in allowed:
        raise PydanticCustomError("kind", "is not known", {"given": value["kind"], "allowed": allowed})
    return str(value["kind"])


def member_of(package: str) -> Callable[[Any], Any]:
    """A validator that turns a mapping with a `kind` into that member of the family."""

    def validate(value: Any) -> Any:
        if isinstance(value, Section):
            return value
        kind = kind_of(value, list(members(package)))
        return members(package)[kind].model_validate(value)

    return validate


Path_ = tuple[str | int, ...]
Tree = dict[str, Any]
LONGEST = 60
"""As many characters of what a person wrote are shown again."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where by dotted path, what, the names or values that would do, and which was given."""

    path: Path_
    what: str
    allowed: tuple[str, ...] = ()
    given: str = ""

    def text(self) -> str:
        words = [f"{'.'.join(str(part) for part in self.path) or '(whole file)'}: {self.what}"]
        if self.allowed:
            words.append(f"allowed: {', '.join(self.allowed)}")
        if self.near:
            words.append(f"did you mean `{self.near}`?")
        return "; ".join(words)

    @property
    def near(self) -> str:
        """Of what is allowed the one that was meant: what `given` alone abbreviates, as lr does learning_rate, or what
        is spelt much like it; nothing where there is none.
        """
        short = [one for one in self.allowed if _abbreviates(self.given, one)]
        alike = difflib.get_close_matches(self.given, self.allowed, n=1, cutoff=0.5)
        return (short if len(short) == 1 else [*alike, ""])[0]


def _abbreviates(given: str, name: str) -> bool:
    """Whether `name` begins as `given` and has all of its letters in their order."""
    left = iter(name)
    return given[:1] == name[:1] and len(given) > 1 and all(letter in left for letter in given)


def problem(detail: Any) -> Problem:
    """The validator's error in this file's words."""
    path = tuple(step for step in detail["loc"] if step != "[key]")
    given, context = detail["input"], detail.get("ctx", {})
    allowed = tuple(str(one) for one in context.get("allowed", ()))
    match detail["type"]:
        case "extra_forbidden":
            return Problem(path, "unknown key", allowed, str(path[-1]))
        case "missing":
            return Problem(path, "is missing", allowed)
        case "family":
            return Problem(path, detail["msg"], allowed)
        case "kind":
            given = context["given"]
            return Problem((*path, "kind"), f"{quoted(given)} is not known", allowed, str(given))
        case "literal_error":
            allowed = tuple(one.strip("'") for one in context["expected"].replace(" or ", ", ").split(", "))
            return Problem(path, f"{quoted(given)} is not known", allowed, str(given))
        case kind if kind in _MUST:
            write = f"; write {context['instead']}" if context.get("instead") else ""
            return Problem(path, f"{_MUST[kind].format(**_numbers(context))}, not {shown(given)}{write}", allowed)
        case _:
            return Problem(path, detail["msg"].removeprefix("Value error, ").replace("Input should", "must"))


_MUST = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "scalar": "must be text, a number, true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must have keys of its own",
    "model_type": "must have keys of its own",
    "too_long": "must have at most {max_length}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match `{pattern}`",
}


def _numbers(context: Tree) -> Tree:
    return {n: int(v) if isinstance(v, float) and v.is_integer() else v for n, v in context.items()}


def quoted(value: Any) -> str:
    """Text in quotes, cut where it is long; anything else as `shown`."""
    if not isinstance(value, str):
        return shown(value)
    return json.dumps(value if len(value) <= LONGEST else value[:LONGEST] + "…", ensure_ascii=False)


def shown(value: Any) -> str:
    """A value as a person would name it."""
    match value:
        case None:
            return "empty (null)"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {quoted(value)}"
        case float() if not math.isfinite(value):
            return f".{value}".replace(".-", "-.")
        case int() | float():
            return str(value) if abs(value) < 10**LONGEST else "a number too large"
        case list() | tuple():
            return f"a list of {len(value)}"
        case dict():
            return "a part with keys"
        case _:
            return f"the value {str(value)[:LONGEST]}"
