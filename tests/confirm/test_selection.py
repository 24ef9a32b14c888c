"""Which trials are retrained: the best, runners-up, the best of each value, and more where places are left."""

from collections.abc import Sequence
from typing import Any

import pytest

from thalweg.artifacts.summary import RankedTrial
from thalweg.config.experiment import Config
from thalweg.confirm.selection import count_places, select_trials

RATE, KIND = "optimizer.learning_rate", "loss.terms.count.kind"


def select(config: Config, kinds: Sequence[str], role: str = "scientific", **changes: object) -> list[int]:
    """Return the trials that are retrained, of trials of these kinds, best first."""
    space = {KIND: {"choices": ["l1", "l2", "huber"], "role": role}, RATE: {"low": 0.001, "high": 1.0, "log": True}}
    values = {"study.space": space, KIND: "l1", "confirm.runners_up": 0}
    asking = config.replace_values(values | {name.replace("__", "."): value for name, value in changes.items()})
    ranked = [RankedTrial(number, {KIND: kind, RATE: 0.1}, 1.0 + number) for number, kind in enumerate(kinds)]
    return [trial.number for trial in select_trials(asking, ranked)]


KINDS = ("l2", "l2", "huber", "huber", "l1", "l1", "l2")


@pytest.mark.parametrize(
    ("runners_up", "chosen"),
    [
        (0, [0, 2, 4]),
        (1, [0, 1, 2, 4]),
        (2, [0, 1, 2, 3, 4]),  # trial 2 has a place of its own: its second one goes to trial 3
        (9, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_places_go_to_the_best(config: Config, runners_up: int, chosen: list[int]) -> None:
    assert select(config, KINDS, confirm__runners_up=runners_up) == chosen


def test_only_questions_give_more_places(config: Config) -> None:
    assert select(config, KINDS, confirm__questions=False) == [0]
    assert select(config, KINDS, role="nuisance", confirm__runners_up=1) == [0, 1]


def test_values_without_complete_trials_have_no_place(config: Config) -> None:
    assert select(config, ("l2", "l2")) == [0]
    assert select(config, ()) == []


@pytest.mark.parametrize(
    "changes", [{}, {"confirm.runners_up": 2}, {"confirm.questions": False}, {"confirm.runners_up": 4}]
)
def test_places_are_known_before(config: Config, changes: dict[str, Any]) -> None:
    """With complete trials of all three values."""
    space = {KIND: {"choices": ["l1", "l2", "huber"], "role": "scientific"}}
    asking = config.replace_values({"study.space": space, KIND: "l1", "confirm.runners_up": 0} | changes)
    chosen = select(config, KINDS, **{name.replace(".", "__"): value for name, value in changes.items()})
    assert count_places(asking) == len(chosen)
