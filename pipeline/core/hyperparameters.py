"""Numbers of losses, schedules and optimizers. Each member is a function; its keyword-only parameters are its numbers.

A number's annotation holds its bounds: `def huber(prediction, target, *, delta: Positive = 1.0)`. For another range
write another `Annotated[Number, Interval(...)]`; a plain `Number` may be any finite one.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias, get_type_hints

import jax
import jax.numpy as jnp
from annotated_types import Interval
from jax import Array

Number: TypeAlias = float | Array
Positive = Annotated[Number, Interval(gt=0.0)]
NonNegative = Annotated[Number, Interval(ge=0.0)]
Share = Annotated[Number, Interval(ge=0.0, le=1.0)]
BelowOne = Annotated[Number, Interval(ge=0.0, lt=1.0)]

Op = Callable[..., Any]


def list_defaults(member: Op) -> dict[str, float]:
    """List a member's numbers with their defaults."""
    return {p.name: p.default for p in inspect.signature(member).parameters.values() if is_number(p)}


def is_number(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter is a number: a keyword with a default, which is no switch such as false or null."""
    is_switch = parameter.default is None or isinstance(parameter.default, bool)
    return parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty and not is_switch


def is_within(value: float, bounds: Interval) -> bool:
    """Return whether a value lies within bounds."""
    is_above = (bounds.ge is None or value >= bounds.ge) and (bounds.gt is None or value > bounds.gt)  # type: ignore[operator]
    return is_above and (bounds.le is None or value <= bounds.le) and (bounds.lt is None or value < bounds.lt)  # type: ignore[operator]


def list_bounds(member: Op) -> dict[str, Interval]:
    """List a member's numbers with their bounds."""
    hints = get_type_hints(member, include_extras=True)
    metadata = {name: getattr(hints.get(name), "__metadata__", ()) for name in list_defaults(member)}
    return {name: next((m for m in extra if isinstance(m, Interval)), Interval()) for name, extra in metadata.items()}


def select_numbers(member: Op, values: Mapping[str, float | Array]) -> dict[str, float | Array]:
    """Select the values that a member takes; a missing number stays at the member's default."""
    return {name: values[name] for name in list_defaults(member) if name in values}


def apply_member(members: Mapping[int, Op], kind: Array, numbers: Mapping[str, Array], *inputs: Array) -> Array:
    """Apply member number `kind` (int32, traced) to `inputs`. It must be one of `members`: only these are compiled.

    `numbers` may hold those of all members and more; each member selects its own.
    """
    allowed = sorted(members)
    branches = [
        lambda values, *inputs, member=members[number]: member(*inputs, **select_numbers(member, values))
        for number in allowed
    ]
    position = sum(((kind > number).astype(jnp.int32) for number in allowed[:-1]), jnp.int32(0))
    # a switch, not a sum over masks: a mask times the NaN of an unused branch is NaN
    result: Array = jax.lax.switch(position, branches, dict(numbers), *inputs)
    return result
