"""Strict sections, families discovered from their files, and errors in plain words."""

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError
from pydantic_core import PydanticCustomError

from thalweg.schema.problem import build_problem
from thalweg.schema.section import StrictModel, build_member_validator, build_model_class, find_members
from thalweg.tasks import Task
from thalweg.tasks.count import Count


class Inner(StrictModel):
    rate: float = Field(ge=0.5, lt=1.0)
    way: Literal["up", "down"]


class Outer(StrictModel):
    inner: Inner
    many: int = 1


def describe_problems(value: Any, section: type[StrictModel] = Outer) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        section.model_validate(value)
    return [build_problem(detail).describe_problem() for detail in caught.value.errors(include_url=False)]


def test_nested_errors_are_in_plain_words() -> None:
    assert describe_problems({"inner": {"rate": 2, "wat": 1}, "many": 1.0, "inna": {}}) == [
        "inner.rate: must be below 1, not 2",
        "inner.way: is missing; allowed: up, down",
        "inner.wat: unknown key; allowed: rate, way; did you mean `way`?",
        "many: must be a whole number, not 1.0",
        "inna: unknown key; allowed: inner, many; did you mean `inner`?",
    ]


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (True, "must be a number, not true"),
        ("0.7", 'must be a number, not the text "0.7"'),
        (None, "must be a number, not empty (null)"),
        (float("nan"), "must be a finite number, not .nan"),
        (float("-inf"), "must be a finite number, not -.inf"),
        (0.25, "must be at least 0.5, not 0.25"),
        ([1, 2], "must be a number, not a list of 2"),
        ({"a": 1}, "must be a number, not a mapping"),
    ],
)
def test_wrong_value_is_quoted(rate: Any, words: str) -> None:
    assert describe_problems({"rate": rate, "way": "up"}, Inner) == [f"rate: {words}"]


def test_section_is_immutable() -> None:
    part = Outer.model_validate({"inner": {"rate": 0.5, "way": "up"}})
    with pytest.raises(ValidationError):
        part.many = 2  # type: ignore[misc]


def test_integer_becomes_float() -> None:
    rate = build_model_class("Rate", {"rate": (float, 1.0)}).model_validate({"rate": 2}).rate
    assert (rate, type(rate)) == (2.0, float)


def test_members_are_files_with_their_section() -> None:
    assert list(find_members("thalweg.tasks")) == sorted(find_members("thalweg.tasks"))
    for package in ("thalweg.tasks", "thalweg.data.sources"):
        for kind, member in find_members(package).items():
            assert member.model_fields["kind"].default == kind
            assert member.__module__ == f"{package}.{kind}"


def test_member_from_its_kind() -> None:
    member = build_member_validator("thalweg.tasks")({"kind": "classify"})
    assert member.kind == "classify"
    assert build_member_validator("thalweg.tasks")(member) is member


def test_own_class_may_extend_one_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_section_of_test.py").write_text("from thalweg.tasks.count import Count\nclass Mine(Count): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    written = {"kind": "own_section_of_test.Mine", "density": 4}
    first, second = (build_member_validator("thalweg.tasks", Task)(written) for _ in range(2))
    assert first.model_dump(exclude_unset=True) == written
    assert first == second
    assert hash(first) == hash(second)
    assert isinstance(first, Count)
    assert (type(first).__module__, type(first).__name__) == ("own_section_of_test", "Mine")


@pytest.mark.parametrize("value", [None, 3, [], {}, {"kind": "clasify"}, {"kind": ["classify"]}, {"kind": None}])
def test_invalid_member_is_refused(value: Any) -> None:
    with pytest.raises(PydanticCustomError):
        build_member_validator("thalweg.tasks")(value)


def test_scalar_for_section_names_its_keys() -> None:
    assert describe_problems({"inner": 3}) == ["inner: must be a mapping of keys to values, not 3; allowed: rate, way"]
    kinds = build_model_class("Kinds", {"kind": (Literal["up", "down"], ...), "rate": (float, 1.0)})
    assert describe_problems("up", kinds) == [
        '(whole file): must be a mapping of keys to values, not the text "up"; '
        "write `{kind: up, …}`; allowed: kind, rate"
    ]
    with pytest.raises(PydanticCustomError) as caught:
        build_member_validator("thalweg.tasks")("count")
    assert caught.value.context == {"instead": "`{kind: count, …}`"}
