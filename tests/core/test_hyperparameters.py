"""Every loss, schedule and optimizer declares its numbers; a new member is tested automatically."""

import inspect
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import pytest
from annotated_types import Interval

from thalweg.core import losses, optimizers, schedules
from thalweg.core.hyperparameters import (
    NonNegative,
    Number,
    Op,
    Positive,
    apply_member,
    list_bounds,
    list_defaults,
    select_numbers,
)

FAMILIES: dict[str, tuple[Op, ...]] = {
    **losses.FAMILIES,
    "schedules": schedules.KINDS,
    "optimizers": optimizers.KINDS,
}
MEMBERS = list(dict.fromkeys(member for members in FAMILIES.values() for member in members))
EACH = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)


def example(_x: float, *, rate: Positive = 2.0, free: Number = -1.0, steep: Annotated[Number, Interval(le=3.0)] = 3.0,
            needed: NonNegative) -> None: ...  # fmt: skip


def lies_within(value: Any, interval: Interval) -> bool:
    above = (interval.gt is None or value > interval.gt) and (interval.ge is None or value >= interval.ge)
    return above and (interval.lt is None or value < interval.lt) and (interval.le is None or value <= interval.le)


def test_defaults_are_keywords() -> None:
    assert list_defaults(example) == {"rate": 2.0, "free": -1.0, "steep": 3.0}
    assert list_bounds(example) == {"rate": Interval(gt=0.0), "free": Interval(), "steep": Interval(le=3.0)}
    assert select_numbers(example, {"rate": 1.0, "needed": 1.0, "weight": 1.0}) == {"rate": 1.0}


@EACH
def test_defaults_are_within_bounds(member: Op) -> None:
    for name, value in list_defaults(member).items():
        assert type(value) is float
        assert lies_within(value, list_bounds(member)[name])


@EACH
def test_defaults_are_keyword_only(member: Op) -> None:
    parameters = inspect.signature(member).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters if p.default is not p.empty)


@pytest.mark.parametrize("family", FAMILIES)
def test_bounds_agree_within_family(family: str) -> None:
    bounds: dict[str, Interval] = {}
    for member in FAMILIES[family]:
        for name, interval in list_bounds(member).items():
            assert bounds.setdefault(name, interval) == interval


@pytest.mark.parametrize("names", [("one", "two", "three"), ("two",), ("three", "one"), ("two", "three")])
def test_member_is_applied_by_its_number(names: tuple[str, ...]) -> None:
    def one(x: Number) -> Number:
        return x

    def two(x: Number, *, rate: Number = 2.0) -> Number:
        return rate * x

    def three(x: Number, *, power: Number = 3.0) -> Number:
        return x**power

    members, wanted = [one, two, three], {"one": 1.5, "two": 3.0, "three": 1.5**3}
    compiled = {number: member for number, member in enumerate(members) if member.__name__ in names}
    numbers = {"rate": jnp.float32(2), "other": jnp.float32(0)}
    for name in names:
        kind = jnp.int32([member.__name__ for member in members].index(name))
        assert jax.jit(lambda kind: apply_member(compiled, kind, numbers, jnp.float32(1.5)))(kind) == wanted[name]
    program = jax.make_jaxpr(lambda kind: apply_member(compiled, kind, {}, jnp.float32(1.5)))(jnp.int32(0))
    assert ("pow" in str(program)) == ("three" in names)
