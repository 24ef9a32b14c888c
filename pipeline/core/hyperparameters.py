"""What losses, schedules and optimizers share: a member is a function, its keyword-only parameters are its numbers."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from jax import Array

Op = Callable[..., Any]


def defaults(member: Op) -> dict[str, float]:
    """The numbers that a member takes, with their defaults; a keyword without a default is none of them."""
    parameters = inspect.signature(member).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}


def select(member: Op, values: Mapping[str, float | Array]) -> dict[str, float | Array]:
    """Of `values`, those that a member takes; what is not there stays at the member's default."""
    return {name: values[name] for name in defaults(member) if name in values}
