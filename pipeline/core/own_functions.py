"""A user's function in the place of one of ours: what it must take and give.

Its signature is checked when it is loaded; what it returns, whenever it runs. That includes every trace, so shapes and
types are checked before anything trains, and a compiled program pays nothing for it.
"""

import inspect
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

import jax.numpy as jnp

from thalweg.core.hyperparameters import Op, is_number, is_within, list_bounds, list_defaults
from thalweg.system.members import MemberError, describe_error, import_member, run_own_code

FIRST_OWN_NUMBER = 2**30
"""Members of ours have lower numbers: their places in the family."""


@dataclass(frozen=True)
class Protocol:
    """What a kind of function must take and give.

    `noun` names the kind. It takes `inputs` by position and `keywords` by name; its numbers must not have the names of
    `taken`. `check_result` gets the result and the inputs; it returns the result as it is used, or raises ValueError
    with the fault as the end of a sentence.
    """

    noun: str
    inputs: tuple[str, ...]
    check_result: Callable[..., Any]
    keywords: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


def load_function(path: str, protocol: Protocol) -> Op:
    """Import the function at a dotted path, with `check_result` around it. Raises `MemberError`."""
    return check_function(path, import_member(path), protocol)


def check_function(path: str, function: Any, protocol: Protocol) -> Op:
    """Return a function that runs one of the user's and checks what it returns. Raises `MemberError`."""
    if not callable(function) or function.__hash__ is None:  # an object that is compared by its content
        raise MemberError(path, f"is no function; it must be {protocol.noun}")
    return _check_callable(path, function, protocol)


@lru_cache(maxsize=1024)  # for each trial of a study
def _check_callable(path: str, function: Op, protocol: Protocol) -> Op:
    _check_signature(path, function, protocol)

    @wraps(function)
    def run_checked(*inputs: Any, **numbers: Any) -> Any:
        result = run_own_code(path, function, *inputs, **numbers)
        try:
            return protocol.check_result(result, *inputs)
        except ValueError as error:
            raise MemberError(path, f"{error}") from None

    return run_checked


def number_member(names: Sequence[str], name: str) -> int:
    """Return the number by which a compiled program tells members apart: the place in `names`, or a hash of a path."""
    return names.index(name) if name in names else FIRST_OWN_NUMBER + zlib.crc32(name.encode()) % FIRST_OWN_NUMBER


def require_floats(value: Any, shapes: Sequence[tuple[int, ...]], what: str) -> Any:
    """Return an array of floats. Raises ValueError if it is none, or has none of these `shapes`, which `what` names.

    Where one number is allowed, it may be Python's.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and () in shapes:
        return jnp.float32(value)
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        raise ValueError(f"returns {describe_type(value)}; it must return {what}")
    if value.shape not in shapes:
        raise ValueError(f"returns an array of shape {list(value.shape)}; it must return {what}")
    if not jnp.issubdtype(value.dtype, jnp.floating):
        raise ValueError(f"returns values of type {value.dtype}; it must return floats")
    return value


def describe_type(value: Any) -> str:
    """Describe what a function returned, if it is no array."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of shape {list(value.shape)}"
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def describe_signature(signature: inspect.Signature) -> str:
    """Describe what a function takes, without annotations, which are long."""
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def _check_signature(path: str, function: Any, protocol: Protocol) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise MemberError(path, "has no signature; write a function of your own around it") from None
    keywords = dict.fromkeys(protocol.keywords)
    try:
        signature.bind(*protocol.inputs, **keywords)
    except TypeError:
        takes = ", ".join((*protocol.inputs, *(("*", *keywords) if keywords else ())))
        raise MemberError(path, f"takes {describe_signature(signature)}; {protocol.noun} takes ({takes})") from None
    for parameter in signature.parameters.values():
        if is_number(parameter) and parameter.name not in protocol.keywords:
            _check_number(path, parameter, protocol)
    try:
        bounds = list_bounds(function)
    except Exception as error:  # an annotation can be anything
        raise MemberError(path, f"has an annotation that cannot be read: {describe_error(error)}") from None
    for name, default in list_defaults(function).items():
        if not is_within(default, bounds[name]):
            raise MemberError(path, f"has {default} as default of `{name}`, which is outside of its bounds")


def _check_number(path: str, parameter: inspect.Parameter, protocol: Protocol) -> None:
    name, default = parameter.name, parameter.default
    if name in protocol.taken:
        raise MemberError(path, f"has a number `{name}`; give it another name, because each section has this key")
    if not isinstance(default, int | float) or not math.isfinite(default):
        raise MemberError(path, f"needs a number as default of `{name}`")
