"""What is read from a table of trials."""

from pathlib import Path

import pytest

from thalweg.foreign.csv_study import read_study
from thalweg.foreign.study import ForeignStudy, Objective
from thalweg.system.files import UserError


def read(folder: Path, text: str, value: str = "value") -> ForeignStudy:
    file = folder / "trials.csv"
    file.write_text(text)
    return read_study(file, value, "min")


def test_trials_and_curves_are_read(tmp_path: Path) -> None:
    text = (
        "number,lr,kind,value,state,seed,step_1,step_10\n1,0.1,a,0.5,COMPLETE,3,2,1\n0,0.2,b,,TrialState.PRUNED,4,2,\n"
    )
    study = read(tmp_path, text)
    assert study.objectives == (Objective("value", "min"),)
    pruned, complete = study.trials
    assert (complete.number, complete.state, complete.values, complete.seed) == (1, "complete", (0.5,), "3")
    assert (complete.params, complete.curve) == ({"lr": 0.1, "kind": "a"}, {1: 2.0, 10: 1.0})
    assert (pruned.number, pruned.state, pruned.values, pruned.curve) == (0, "pruned", (), {1: 2.0})


def test_without_states_a_value_says_which_are_complete(tmp_path: Path) -> None:
    study = read(tmp_path, "lr,loss\n0.1,1\n0.2,\n0.3,nan\n0.4,inf\n", "loss")
    assert [trial.state for trial in study.trials] == ["complete", "failed", "failed", "failed"]
    assert [trial.number for trial in study.trials] == [0, 1, 2, 3]


def test_table_of_optuna_is_read(tmp_path: Path) -> None:
    text = "number,value,datetime_start,duration,params_lr,params_kind,user_attrs_seed,user_attrs_note,state\n"
    study = read(
        tmp_path, text + "0,1.5,2026-01-01,1 s,0.1,a,5,good,COMPLETE\n1,2.5,2026-01-01,1 s,0.2,b,6,,COMPLETE\n"
    )
    assert [parameter.name for parameter in study.space] == ["lr", "kind"]
    assert [trial.seed for trial in study.trials] == ["5", "6"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("0.0001,0.001,0.01,0.1,1", (1e-4, 1.0, True, False, ())),
        ("0.1,0.3,0.5,0.9,100", (0.1, 100.0, True, False, ())),
        ("1,250,500,750,1000", (1.0, 1000.0, False, True, ())),
        ("-1,0,1,2,3", (-1.0, 3.0, False, True, ())),
        ("a,b,a,b,c", (None, None, False, False, ("a", "b", "c"))),
        ("1,b,1,b,1", (None, None, False, False, ("1", "b"))),
        ("True,False,True,True,True", (None, None, False, False, ("False", "True"))),
        ("2,2,2,2,2", (None, None, False, False, (2,))),
    ],
)
def test_columns_tell_their_kind(tmp_path: Path, cells: str, expected: tuple[object, ...]) -> None:
    rows = "".join(f"{cell},{number}\n" for number, cell in enumerate(cells.split(",")))
    (parameter,) = read(tmp_path, f"x,value\n{rows}").space
    low, high = (None, None) if parameter.choices else (parameter.low, parameter.high)
    assert (low, high, parameter.log, parameter.whole, parameter.choices) == expected


@pytest.mark.parametrize(("count", "is_left_out"), [(10, False), (11, True), (60, True)])
def test_columns_that_are_no_parameters_are_named(tmp_path: Path, count: int, is_left_out: bool) -> None:
    rows = "".join(f"{number},run-{number},,0.{number},{number}\n" for number in range(count))
    study = read(tmp_path, f",id,note,x,value\n{rows}")
    assert [parameter.name for parameter in study.space] == ["x"] if is_left_out else ["id", "x"]
    texts = {"id": f"it has {count} different texts"} if is_left_out else {}
    assert study.left_out == {"column 1": "it has no name", **texts, "note": "it is empty"}


def test_texts_that_repeat_are_choices(tmp_path: Path) -> None:
    rows = "".join(f"text {number % 40},{number}\n" for number in range(80))
    assert len(read(tmp_path, f"x,value\n{rows}").space[0].choices) == 40


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_read(tmp_path: Path, separator: str) -> None:
    comma = "," if separator == ";" else "."
    rows = [["lr", "w", "value"], [f"0{comma}1", "a,b", f"-1{comma}5e-3"], [f"0{comma}2", "c", "2"]]
    study = read(tmp_path, "\ufeff" + "\n".join(separator.join(row) for row in rows))
    assert [(trial.params, trial.values) for trial in study.trials] == [
        ({"lr": 0.1, "w": "a,b"}, (-0.0015,)),
        ({"lr": 0.2, "w": "c"}, (2.0,)),
    ]


def test_whole_numbers_stay_so_beside_empty_cells(tmp_path: Path) -> None:
    study = read(tmp_path, "depth,x,value\n1,1,1\n,2,2\nnan,3,3\n4,4,4\n")
    depth = study.space[0]
    assert (depth.low, depth.high, depth.whole, depth.choices) == (1, 4, True, ())
    assert [trial.params.get("depth") for trial in study.trials] == [1, None, None, 4]


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    text = "number,x,value,state\n0,1,good,complete\n0,1,2,sleeping\n-1,1,2,complete\n"
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    file = tmp_path / "trials.csv"
    assert f"{file}:2: value: 'good' is no number" in lines
    assert f"{file}:3: number: trial 0 has a row already" in lines
    assert f"{file}:4: number: a trial's number is whole, and 0 or more" in lines
    assert f"{file}:3: state: 'sleeping' is no state; use complete, pruned, failed, running or waiting" in lines


def test_many_faults_are_counted(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="and 20 more faults"):
        read(tmp_path, "x,value\n" + "1,bad\n" * 30)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,loss\n1,2\n", "no column 'value' with the value; name it with --value. There are 'x' and 'loss'"),
        ("x,value\n", "has no trial"),
        ("", "not a CSV table"),
        ('x,value\n"1,2\n', "not a CSV table"),
        ("x,x,value,y,y\n1,2,3,4,5\n", "1: several columns are called 'x' and 'y'"),
        ("x,value\n1,2\n1,2,3\n", r"Expected 2 fields in line 3, saw 3\)$"),
    ],
)
def test_table_without_trials_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, text)
