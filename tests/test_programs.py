"""docs/programs.md: it is up to date, and what commands print fits the schemas on it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from docs import programs
from tests.helpers.paths import ROOT
from tests.helpers.tiny_pipeline import TREE, run_stages, write_params
from thalweg import cli


def run(capsys: pytest.CaptureFixture[str], name: str, *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert cli.main([*arguments, "--json"]) == code
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    answer = json.loads(line)
    jsonschema.validate(answer, programs.build_schema(programs.ANSWERS[name]))
    return answer


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_params(TREE)
    return tmp_path


def test_page_is_up_to_date() -> None:
    assert programs.PAGE.read_text() == programs.build_page(), "run `python -m docs.programs`"


@pytest.mark.usefixtures("project")
def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "thalweg check --json", "check")
    assert (answer["errors"], answer["trials"], answer["cohorts"], answer["seconds"]) == ([], 4, 2, None)
    assert "parameters" in answer["size"]


def test_check_of_a_wrong_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("epochs:", "epoch:"))
    (error, *_) = run(capsys, "thalweg check --json", "check", code=2)["errors"]
    assert text.splitlines()[error["line"] - 1].strip().startswith("epochs:")
    assert error["message"].startswith("training.epoch: unknown key")
    (project / "params.yaml").write_text("a: [1\n")
    answer = run(capsys, "thalweg check --json", "check", code=2)
    assert answer["errors"][0]["line"] == 1


@pytest.mark.usefixtures("project")
def test_use(capsys: pytest.CaptureFixture[str]) -> None:
    presets = run(capsys, "thalweg use --json", "use")["presets"]
    assert {preset["name"] for preset in presets} == {file.stem for file in (ROOT / "presets").glob("*.yaml")}
    answer = run(capsys, "thalweg use PRESET --json", "use", "bus-stop", "--force")
    assert answer["preset"] == "bus-stop"
    assert answer["errors"], "its frames are to be set"
    assert run(capsys, "thalweg use PRESET --json", "use", "digits", "--force")["errors"] == []


@pytest.mark.slow
@pytest.mark.usefixtures("project")
def test_whole_pipeline(capsys: pytest.CaptureFixture[str]) -> None:
    run_stages("prepare", "augment", "train", "evaluate")
    answer = run(capsys, "thalweg study --json", "study")
    assert answer["trials"] == 4
    assert sum(answer["states"].values()) == 4
    values = [trial["value"] for trial in answer["ranked"]]
    assert values == sorted(values)
    run_stages("study", "confirm", "diagnose", "report")
    assert {"study", "report"} <= run(capsys, "thalweg timing --json", "timing")["stages"].keys()
    findings = json.loads(Path("reports/findings.json").read_text())
    jsonschema.validate(findings, programs.build_schema(programs.ANSWERS["reports/findings.json"]))
    for step in run(capsys, "thalweg apply --json", "apply")["steps"]:
        change = run(capsys, "thalweg apply NUMBER --json", "apply", str(step["number"]), "--dry-run")
        assert {each["path"] for each in change["changes"] if not each["path"].startswith("study.space.")} <= {
            *step["patch"]
        }
