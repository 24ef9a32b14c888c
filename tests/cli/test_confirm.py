"""thalweg confirm: an Optuna study's candidates on fresh seeds, stored in the study, and the verdict."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from docs.programs import ANSWERS, build_schema
from tests.helpers.objective_study import DEFAULT, load, write_study
from thalweg import cli
from thalweg.duel.objective.study import RUNS
from thalweg.stats.intervals import t_interval


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return write_study(tmp_path)


def confirm(url: str, *arguments: str, objective: str = "train:objective") -> int:
    return cli.main(["confirm", "--objective", objective, "--optuna", url, "--seeds", "4", "--jobs", "2", *arguments])


def read_rows(url: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = load(url).user_attrs[RUNS]
    return rows


def count_calls() -> int:
    return len(Path("calls").read_text().splitlines())


def test_verdict_follows_the_stored_runs(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The values are those of the objective itself, and the interval holds that of the stored pairs."""
    assert confirm(url, "--json") == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    jsonschema.validate(answer, build_schema(ANSWERS["thalweg confirm --json"]))
    rows = read_rows(url)
    names = ["winner", "runner-up 1", "runner-up 2", "baseline"]
    assert (
        [each["name"] for each in answer["candidates"]]
        == list(dict.fromkeys(row["candidate"] for row in rows))
        == names
    )
    values = {name: np.array([row["value"] for row in rows if row["candidate"] == name]) for name in names}
    difference = t_interval(values["winner"] - values["baseline"])
    assert difference is not None
    assert answer["verdict"] == "better"
    assert answer["low"] <= difference.low < difference.high <= answer["high"] < 0
    assert values["winner"].mean() == min(values[name].mean() for name in names)
    assert [row["seed"] for row in rows[:4]] == answer["seeds"] == [1000, 1001, 1002, 1003]
    assert rows[-1]["trial"] == 0
    assert rows[-1]["params"] == DEFAULT
    assert "trial 0, seed 1003: 1." in printed.err


def test_nothing_runs_twice(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert confirm(url) == 0
    first, calls = capsys.readouterr().out.splitlines(), count_calls()
    assert calls == 16
    assert confirm(url) == 0
    second = capsys.readouterr().out.splitlines()
    assert count_calls() == calls
    assert second[0] == "bowl: 4 candidates on 4 fresh seeds, 16 runs, 16 of them done already; lower is better"
    assert second[1:] == first[-len(second) + 1 :]
    assert second[-1].startswith("The winner (trial ")
    assert " is clearly better than the default: winner - default is -" in second[-1]
    assert confirm(url, "--seeds", "5", "--runners-up", "1") == 0
    assert count_calls() == calls + 3
    assert len(read_rows(url)) == 16 + 3, "the second runner-up keeps its runs"
    assert confirm(url, "--anew") == 0
    assert count_calls() == calls + 3 + 16


def test_default_may_be_given(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    default = {"rate": 0.1, "kind": "a"}
    assert confirm(url, "--default", json.dumps(default), "--runners-up", "0") == 0
    assert "the default, seed 1000: " in capsys.readouterr().out
    rows = [row for row in read_rows(url) if row["candidate"] == "baseline"]
    assert {(row["trial"], json.dumps(row["params"])) for row in rows} == {(None, json.dumps(default))}
    assert confirm(url, "--default", '{"rate": 0.2, "kind": "a"}', "--runners-up", "0") == 0
    rates = {row["params"]["rate"] for row in read_rows(url) if row["candidate"] == "baseline"}
    assert rates == {0.2}, "another default replaces it"


def test_study_without_a_default_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    url = write_study(tmp_path, direction="maximize", with_default=False)
    assert confirm(url, "--runners-up", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("higher is better")
    assert lines[1].startswith("no default: the study has no enqueued trial")
    assert lines[-1].endswith("is the best on fresh seeds. Without a default there is nothing to beat.")
    assert {row["candidate"] for row in read_rows(url)} == {"winner", "runner-up 1"}


def test_failed_runs_are_null_until_they_are_retried(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The default ends its process on every seed; the others do not."""
    assert confirm(url, objective="train:stops_some") == 0
    output = capsys.readouterr().out
    assert "trial 0, seed 1000: failed: its process ended with exit code 7" in output
    assert "Fewer than two seeds have a value of both" in output
    assert [row["value"] for row in read_rows(url) if row["candidate"] == "baseline"] == [None] * 4
    before = count_calls()
    assert confirm(url) == 0
    assert count_calls() == before
    assert confirm(url, "--retry-failed") == 0
    assert count_calls() == before + 4
    assert "is clearly better than the default" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "objective", "messages"),
    [
        ([], "train.py", ["--objective: 'train.py' must be module:function", "write the file without .py"]),
        ([], "trian:objective", ["--objective: there is no module `trian`: no file trian.py lies in this folder"]),
        ([], "train:objectiv", ["`train` has no `objectiv`; did you mean `objective`?"]),
        ([], "train:three", ["`train:three` takes (first, second, third) (train.py, line 29)"]),
        ([], "train:broken", ["failed in all of its 3 runs: KeyError: 'missing' (train.py, line 19)"]),
        (
            ["--seeds", "1", "--jobs", "0", "--timeout", "-1"],
            "train:objective",
            ["--seeds: ", "--jobs: ", "--timeout: "],
        ),
        (["--default", "[1]"], "train:objective", ["--default: '[1]' must be a JSON object"]),
        (["--study", "other"], "train:objective", ["--study: there is no study 'other'; there are bowl"]),
    ],
)
def test_mistakes_have_a_sentence(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], objective: str, messages: list[str]
) -> None:
    assert confirm(url, "--jobs", "1", *arguments, objective=objective) == 2
    error = capsys.readouterr().err
    assert all(message in error for message in messages)
    assert "Traceback" not in error


def test_jax_is_not_imported(url: str) -> None:
    arguments = ["confirm", "--objective", "train:objective", "--optuna", url, "--seeds", "2", "--runners-up", "0"]
    script = (
        f"import sys; from thalweg import cli; code = cli.main({arguments!r}); "
        "print({'jax', 'flax', 'optax'} & {*sys.modules}, code)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "set() 0"
