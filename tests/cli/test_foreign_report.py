"""`thalweg report --optuna` and `--csv`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.foreign_studies import draw_trials, store_study
from tests.helpers.paths import ROOT
from thalweg import cli

TABLE = "lr,value\n" + "".join(f"{number / 10},{number}\n" for number in range(1, 12))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trials.csv").write_text(TABLE)
    return tmp_path


def test_report_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_study(folder / "study.log", draw_trials(5))
    assert cli.main(["report", "--optuna", "study.log", "--out", "one"]) == 0
    assert cli.main(["report", "--csv", "trials.csv", "--maximize", "--out", "two"]) == 0
    assert capsys.readouterr().out == "one/report.html\ntwo/report.html\n"
    assert {path.name for path in (folder / "two").iterdir()} == {
        "report.html",
        "report.md",
        "figures",
        "findings.json",
        "trials.csv",
    }
    assert "trial 10" in (folder / "two" / "report.md").read_text()
    assert {each["section"] for each in json.loads((folder / "one" / "findings.json").read_text())} >= {"unknown"}


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--out", "x"], ["report: name one study, with --optuna URL or with --csv FILE"]),
        (
            ["--optuna", "a", "--csv", "b", "--zip"],
            [
                "report: name one study, with --optuna URL or with --csv FILE",
                "report: name a folder for the report, with --out DIR",
                "report: --zip is of a project's own report; the folder of --out can be packed by any program",
                "report: say which values are better, with --minimize or with --maximize",
            ],
        ),
        (
            ["--csv", "trials.csv", "--out", "trials.csv", "--minimize", "--study", "s"],
            [
                "report: trials.csv is no folder; name another one with --out",
                "report: --study names a study of --optuna; a table of --csv holds one study",
            ],
        ),
        (
            ["--optuna", "x.log", "--out", "x", "--value", "loss", "--maximize"],
            [
                "report: --value is for a table of --csv; Optuna's storage says it itself",
                "report: --maximize is for a table of --csv; Optuna's storage says it itself",
            ],
        ),
        (["--csv", "none.csv", "--out", "x", "--minimize"], ["none.csv: cannot be read (No such file or directory)"]),
    ],
)
def test_faults_are_said_at_once(capsys: pytest.CaptureFixture[str], arguments: list[str], messages: list[str]) -> None:
    assert cli.main(["report", *arguments]) == 2
    assert capsys.readouterr().err.splitlines() == messages


def test_jax_is_not_loaded(folder: Path) -> None:
    code = (
        "import sys; from thalweg import cli\n"
        "assert cli.main(['report', '--csv', 'trials.csv', '--minimize', '--out', 'out']) == 0\n"
        "print([name for name in ('jax', 'jaxlib', 'flax', 'optax', 'dvc', 'PIL', 'skimage') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["out/report.html", "[]"]
