"""One call of an objective: what it gets, and what its faults are called."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers.objective_study import DEFAULT, MODULE
from thalweg.duel.objective.call import RefusedError, call_objective, load_objective


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of a name that no other test imports, in the current folder."""
    name = f"train_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_wrong.py").write_text("import json\nraise KeyError('no data')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def call(train: str, function: str, seed: int = 5) -> dict[str, Any]:
    place = f"{train}:{function}"
    return call_objective(load_objective(place), place, DEFAULT, seed)


def test_seed_is_an_argument(train: str) -> None:
    first, same, other = (call(train, "objective", seed)["value"] for seed in (5, 5, 6))
    assert first == same != other
    assert Path("calls").read_text() == "5 0.95\n5 0.95\n6 0.95\n"


def test_seed_is_an_attribute_and_a_variable(train: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED", "30")
    assert call(train, "from_attribute") == {"value": 35.0}


@pytest.mark.parametrize(
    ("function", "failed"),
    [
        ("broken", "KeyError: 'missing' ({file}, line 19)"),
        ("text", "it returned str, not a number"),
        ("nothing", "it returned nan"),
    ],
)
def test_failure_has_its_line(train: str, function: str, failed: str) -> None:
    assert call(train, function) == {"failed": failed.format(file=f"{train}.py")}


def test_missing_parameter_is_the_users_line(train: str) -> None:
    place = f"{train}:objective"
    failed = call_objective(load_objective(place), place, {"rate": 0.5}, 1)["failed"]
    assert "'kind'" in failed
    assert failed.endswith(f"({train}.py, line 7)")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("{train}_gone:objective", "there is no module `{train}_gone`: no file {train}_gone.py lies in this folder"),
        (
            "{train}_wrong:objective",
            "`{train}_wrong` cannot be imported: KeyError: 'no data' ({train}_wrong.py, line 2)",
        ),
        ("{train}:objectiv", "`{train}` has no `objectiv`; did you mean `objective`?"),
        ("{train}:NUMBER", "`{train}:NUMBER` is no function"),
        ("{train}:three", "`{train}:three` takes (first, second, third) ({train}.py, line 29), and must take a trial"),
    ],
)
def test_what_cannot_be_called_is_refused(train: str, place: str, reason: str) -> None:
    place = place.format(train=train)
    with pytest.raises(RefusedError) as error:
        call_objective(load_objective(place), place, DEFAULT, 1)
    assert str(error.value).startswith(reason.format(train=train))
