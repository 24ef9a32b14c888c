"""Own code of an experiment that adds keys to its sections: losses, schedules, optimizers and augmentations.

A section of a family accepts the numbers of every member that a trial may use: of ours, of its own kind, and of the
own kinds among the study's `choices`; `augment` also accepts the own augmentations that the study searches. Only the
whole experiment says which these are, so `know_own_kinds` notes them while it is validated.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import Op, list_bounds, list_defaults
from thalweg.core.own_functions import load_function
from thalweg.schema.section import build_model_class, is_free_name
from thalweg.system.members import MemberError, is_dotted, list_dotted_members

PROTOCOLS = {"loss": losses.OWN, "schedule": schedules.OWN, "optimizer": optimizers.OWN}
"""The families whose members are functions with numbers."""

_searched: ContextVar[dict[str, tuple[str, ...]]] = ContextVar("searched", default={})  # noqa: B039 (never changed)


@contextmanager
def know_own_kinds(tree: Any) -> Iterator[None]:
    """Note the own kinds that the study of a params file searches, by family."""
    found: dict[str, tuple[str, ...]] = {}
    for keys, name in list_dotted_members(tree).items():
        if keys[:2] == ("study", "space"):
            path = str(keys[2]).split(".")
            family = "augment" if path[0] == "augment" else find_family(path[:-1])
            found[family] = (*found.get(family, ()), name)
    token = _searched.set(found)
    try:
        yield
    finally:
        _searched.reset(token)


def find_family(section: Sequence[str]) -> str:
    """Return the family of the section at these keys; '' if it has none with numbers."""
    if section[-1:] == ["schedule"]:
        return "schedule"
    return "loss" if section[:2] == ["loss", "terms"] else "optimizer" if section == ["optimizer"] else ""


def choose_section_class(family: str, kind: Any, base: type[Any], *, optional: bool = False) -> type[Any]:
    """Return the class of a section with this `kind`: `base` with the numbers of own kinds.

    The numbers of the section's own kind hide others of the same names. An `optional` number may be null.
    Raises Pydantic's error if the kind is own code that does not fit.
    """
    searched = []
    for name in _searched.get().get(family, ()):
        with suppress(MemberError):  # it is reported where it is chosen
            searched.append(_load_op(family, name))
    own = load_own(family, kind) if is_dotted(kind) else None
    section: type[Any] = _build_class(cast(Hashable, base), kind if own else "", own, tuple(searched), optional)
    return section


def load_own(family: str, kind: str) -> Op:
    """Return the function of an own kind. Raises Pydantic's error if it does not fit."""
    function: Op = validate_member(lambda: _load_op(family, kind))
    return function


def _load_op(family: str, kind: str) -> Op:
    """Load the function of an own kind. Raises `MemberError` if it does not fit, or if a number cannot be a key."""
    function = load_function(kind, PROTOCOLS[family])
    if taken := [name for name in list_defaults(function) if not is_free_name(name)]:
        raise MemberError(kind, f"has a number `{taken[0]}`; give it another name, because sections use this one")
    return function


def validate_member(load: Callable[[], Any]) -> Any:
    """Load own code. Raises Pydantic's error for a `MemberError`."""
    try:
        return load()
    except MemberError as error:
        raise PydanticCustomError("member", "{fault}", {"fault": str(error)}) from None


def choose_strengths_class(names: Iterable[str], base: type[Any], *, is_searched: bool) -> type[Any]:
    """Return the class of a part of `augment`: `base` with the own augmentations of these names.

    A part that is searched has the own augmentations of the search space, too.
    """
    own = sorted({*filter(is_dotted, names), *(_searched.get().get("augment", ()) if is_searched else ())})
    if not own:
        return base
    strength = Annotated[float, Field(ge=0.0, le=1.0)]
    return build_model_class(base.__name__, {n: (Annotated[strength, _require_usable(n)], 0.0) for n in own}, base)


def _require_usable(name: str) -> BeforeValidator:
    """Return a validator that refuses the strength of an own augmentation that cannot be used."""

    def check_strength(value: Any) -> Any:
        try:
            augmentations.find_own_augmentation(name)
        except MemberError as error:
            raise PydanticCustomError("augmentation", "{fault}", {"fault": str(error)}) from None
        return value

    return BeforeValidator(check_strength)


def list_number_fields(ops: Iterable[Op], *, optional: bool = False) -> dict[str, Any]:
    """Return the type and the default of each number that any of the ops takes."""
    return {
        name: (Annotated[float, list_bounds(op)[name]] | None, None)
        if optional
        else (Annotated[float, list_bounds(op)[name]], float(default))
        for op in ops
        for name, default in list_defaults(op).items()
    }


@lru_cache(maxsize=256)  # for each trial of a study
def _build_class(base: Any, kind: str, own: Op | None, searched: tuple[Op, ...], optional: bool) -> type[Any]:
    fields = list_number_fields(searched, optional=optional)
    fields = {name: field for name, field in fields.items() if name not in base.model_fields}
    if own is not None:
        fields |= {"kind": (Literal[kind], ...), **list_number_fields([own], optional=optional)}
    return build_model_class(base.__name__, fields, base) if fields else base
