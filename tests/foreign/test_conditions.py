"""What trials show of conditions."""

from typing import Any

from thalweg.foreign.conditions import find_conditions
from thalweg.foreign.study import ForeignTrial, State
from thalweg.reporting.parameter import SearchedParameter

KIND = SearchedParameter("kind", choices=("svc", "forest", "linear"))
C = SearchedParameter("c", 0.1, 10.0, log=True)
GAMMA = SearchedParameter("gamma", choices=("auto", "number"))
WIDTH = SearchedParameter("width", 0.1, 10.0)


def build(*rows: dict[str, Any], state: State = "complete") -> list[ForeignTrial]:
    return [ForeignTrial(number, state, (1.0,), row) for number, row in enumerate(rows)]


def test_parameter_depends_on_the_choices_that_use_it() -> None:
    rows: list[dict[str, Any]] = [{"kind": "svc", "c": 1.0}, {"kind": "linear", "c": 1.0}, {"kind": "forest"}] * 3
    c, kind = find_conditions([C, KIND], build(*rows))[::-1]
    assert (kind.when, c.when) == ({}, {"kind": ("svc", "linear")})


def test_conditions_may_follow_each_other() -> None:
    rows: list[dict[str, Any]] = [
        {"kind": "svc", "gamma": "number", "width": 1.0},
        {"kind": "svc", "gamma": "auto"},
        {"kind": "forest"},
    ] * 3
    found = {each.name: each.when for each in find_conditions([WIDTH, GAMMA, KIND], build(*rows))}
    assert found["gamma"] == {"kind": ("svc",)}
    assert found["width"] in ({"kind": ("svc",)}, {"gamma": ("number",)})
    assert [*found].index("width") > min([*found].index("kind"), [*found].index("gamma"))


def test_few_trials_show_nothing() -> None:
    rows: list[dict[str, Any]] = [{"kind": "svc", "c": 1.0}, {"kind": "forest"}] * 2
    assert all(not each.when for each in find_conditions([KIND, C], build(*rows)))


def test_choice_with_and_without_the_parameter_is_no_condition() -> None:
    rows: list[dict[str, Any]] = [{"kind": "svc", "c": 1.0}, {"kind": "forest"}, {"kind": "svc"}] * 3
    assert all(not each.when for each in find_conditions([KIND, C], build(*rows)))


def test_failed_trials_do_not_count() -> None:
    rows: list[dict[str, Any]] = [{"kind": "svc", "c": 1.0}, {"kind": "forest"}] * 3
    whole = build(*rows)
    broken = build({"kind": "svc"}, state="failed")
    assert find_conditions([KIND, C], whole + broken)[1].when == {"kind": ("svc",)}
